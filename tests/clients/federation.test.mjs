// Apollo Federation: the server is composed with another subgraph, and a gateway runs operations across both.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { before, test } from "node:test";
import { composeServices } from "@apollo/composition";
import { ApolloGateway } from "@apollo/gateway";
import { buildSchema, graphql, parse } from "graphql";
import { login, send, someProducts, timeout, url } from "./shop.mjs";

// A service that knows labels of products. It has its own Money and PageInfo, as other services do.
const sdl = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@shareable"])

  type Query { featured: [Product!]! }
  type Product @key(fields: "id") { id: ID! label: String! deposit: Money! }
  type Money @shareable { amount: Decimal! currency: CurrencyCode! }
  scalar Decimal
  scalar CurrencyCode
`;
// The same as a gateway queries it.
const executable = buildSchema(`
  type Query { featured: [Product!]! _entities(representations: [_Any!]!): [_Entity]! }
  type Product { id: ID! label: String! deposit: Money! }
  type Money { amount: Decimal! currency: CurrencyCode! }
  union _Entity = Product
  scalar Decimal
  scalar CurrencyCode
  scalar _Any
`);

const product = ({ id }) => ({ __typename: "Product", id, label: `label of ${id}`, deposit: { amount: "1.00", currency: "EUR" } });

/** Starts the other subgraph and returns its URL. */
async function startLabels(t, featured) {
  const rootValue = {
    featured: () => featured.map(product),
    _entities: ({ representations }) => representations.map(product),
  };
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { query, variables } = JSON.parse(body);
    const result = await graphql({ schema: executable, source: query, variableValues: variables, rootValue });
    response.setHeader("content-type", "application/json").end(JSON.stringify(result));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}/`;
}

/** Composes both subgraphs, and returns a function that runs an operation at the gateway. */
async function startGateway(t, featured) {
  const labels = await startLabels(t, featured);
  const services = [
    { name: "souk", url, typeDefs: parse(souk) },
    { name: "labels", url: labels, typeDefs: parse(sdl) },
  ];
  const { errors, supergraphSdl } = composeServices(services);
  assert.equal(errors, undefined, errors?.join("\n"));
  const gateway = new ApolloGateway({ supergraphSdl, logger: { ...console, info() {}, debug() {} } });
  t.after(() => gateway.stop());
  const { executor } = await gateway.load();
  return async (query) => {
    const request = { query, variables: {} };
    const { data, errors } = await executor({
      document: parse(query),
      request,
      queryHash: query,
      context: {},
      metrics: {},
      cache: new Map(),
      overallCachePolicy: {},
    });
    assert.equal(errors, undefined, JSON.stringify(errors));
    // The objects of the gateway have no prototype.
    return JSON.parse(JSON.stringify(data));
  };
}

let souk;

before(async () => {
  souk = (await send("{ _service { sdl } }", {}, await login()))._service.sdl;
});

test("the schema has keys and no machinery of its own", { timeout }, () => {
  assert.match(souk, /type Product implements Node @key\(fields: "id"\) \{/);
  assert.match(souk, /type Money @shareable \{/);
  assert.doesNotMatch(souk, /^\s*_(service|entities)/m);
});

test("an operation at the gateway begins here and goes on at the other subgraph", { timeout }, async (t) => {
  const run = await startGateway(t, []);
  const { products } = await run("{ products(first: 3) { nodes { id name label } totalCount { value } } }");
  assert.equal(products.nodes.length, 3);
  for (const { id, name, label } of products.nodes) {
    assert.ok(name);
    assert.equal(label, `label of ${id}`);
  }
});

test("entities of the other subgraph are completed here", { timeout }, async (t) => {
  const expected = await someProducts(5);
  const run = await startGateway(t, expected);
  const { featured } = await run("{ featured { id name sku label deposit { amount currency } price { amount } brand { name } } }");
  assert.deepEqual(featured.map(({ id, name, sku }) => ({ id, name, sku })), expected);
  assert.ok(featured.every(({ price }) => Number(price.amount) >= 0));
});

test("an entity that does not exist is null", { timeout }, async () => {
  const query = `query ($representations: [_Any!]!) { _entities(representations: $representations) { __typename ... on Product { name } } }`;
  const [{ id, name }] = await someProducts(1);
  const representations = [
    { __typename: "Product", id },
    { __typename: "Product", id: "UHJvZHVjdDo5OTk5OTk5" },
    { __typename: "Order", id },
  ];
  const { _entities } = await send(query, { representations });
  assert.deepEqual(_entities, [{ __typename: "Product", name }, null, null]);
});
