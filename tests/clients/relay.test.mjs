// Relay: its compiler reads the schema and a fragment with pages, and its runtime loads the first and the next page.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { before, test } from "node:test";
import { promisify } from "node:util";
import { createClient } from "graphql-ws";
import relay from "relay-runtime";
import { login, renameUntil, schemaPath, someProducts, timeout, url, WebSocket, wsUrl } from "./shop.mjs";

const { commitMutation, createOperationDescriptor, fetchQuery, getFragment, getRequest, getSelector } = relay;
const { Environment, Network, Observable, RecordSource, requestSubscription, Store } = relay;

const directory = new URL("generated/relay/", import.meta.url);
const require = createRequire(directory);

const SOURCE = `
import { graphql } from "relay-runtime";

graphql\`
  query sourceListQuery {
    ...source_list
  }
\`;

graphql\`
  fragment source_list on Query
  @argumentDefinitions(count: { type: "Int", defaultValue: 3 }, cursor: { type: "String" })
  @refetchable(queryName: "sourceListPageQuery") {
    products(first: $count, after: $cursor, where: { isActive: true }) @connection(key: "source_list_products") {
      edges { node { id name ...source_product } }
    }
  }
\`;

graphql\`
  fragment source_product on Product @refetchable(queryName: "sourceProductQuery") {
    name
    price { amount currency }
  }
\`;

graphql\`
  mutation sourceRenameMutation($input: ProductUpdateInput!) {
    productUpdate(input: $input) { product { id name } userErrors { code message } }
  }
\`;

graphql\`
  subscription sourceChangesSubscription($id: ID) {
    productChanged(id: $id) { product { id name } kind cursor }
  }
\`;
`;

let token;
let product;

before(async () => {
  token = await login();
  [, , , , product] = await someProducts(5);

  await rm(directory, { recursive: true, force: true });
  for (const name of ["src/", "artifacts/"]) await mkdir(new URL(name, directory), { recursive: true });
  await writeFile(new URL("src/source.js", directory), SOURCE);
  await writeFile(new URL("schema.graphql", directory), await readFile(schemaPath));
  // The compiler writes CommonJS modules.
  await writeFile(new URL("package.json", directory), `{ "type": "commonjs" }`);
  const config = {
    src: "src",
    schema: "schema.graphql",
    language: "javascript",
    eagerEsModules: false,
    artifactDirectory: "artifacts",
    customScalarTypes: { Decimal: "string", DateTime: "string", CurrencyCode: "string", CountryCode: "string" },
  };
  await writeFile(new URL("relay.config.json", directory), JSON.stringify(config));
  const compiler = createRequire(import.meta.url)("relay-compiler");
  await promisify(execFile)(compiler, ["relay.config.json"], { cwd: directory });
});

const artifact = (name) => require(`./artifacts/${name}.graphql.js`);

function open(t) {
  const socket = createClient({ url: wsUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
  t.after(() => socket.dispose());
  const request = async ({ text }, variables) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
    headers.accept = "application/graphql-response+json, application/json";
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify({ query: text, variables }) });
    return response.json();
  };
  const subscribe = ({ text, name }, variables) =>
    Observable.create((sink) => socket.subscribe({ query: text, operationName: name, variables }, sink));
  return new Environment({ network: Network.create(request, subscribe), store: new Store(new RecordSource()) });
}

/** Reads what a fragment selects. */
function read(environment, fragment, owner) {
  const { data, isMissingData } = environment.lookup(getSelector(getFragment(fragment), owner));
  assert.equal(isMissingData, false);
  return data;
}

test("the next page comes after the first page", { timeout }, async (t) => {
  const environment = open(t);
  const list = artifact("source_list");
  const owner = await fetchQuery(environment, artifact("sourceListQuery"), {}).toPromise();
  const first = read(environment, list, owner);
  assert.equal(first.products.edges.length, 3);
  assert.equal(first.products.pageInfo.hasNextPage, true);

  // What loadNext of usePaginationFragment does: the generated query, with the cursor of the last page.
  const { connection, operation } = list.metadata.refetch;
  assert.equal(connection.forward.count, "count");
  const variables = { count: 3, cursor: first.products.pageInfo.endCursor };
  const page = createOperationDescriptor(getRequest(operation), variables);
  await environment.execute({ operation: page }).toPromise();

  const { edges } = read(environment, list, owner).products;
  assert.equal(edges.length, 6);
  assert.deepEqual(edges.slice(0, 3), first.products.edges);
  assert.equal(new Set(edges.map((edge) => edge.node.id)).size, 6);
});

test("a fragment of a product loads again through the field node", { timeout }, async (t) => {
  const environment = open(t);
  const query = artifact("sourceProductQuery");
  const data = await fetchQuery(environment, query, { id: product.id }).toPromise();
  const { name, price } = read(environment, artifact("source_product"), data.node);
  assert.equal(name, product.name);
  assert.match(price.amount, /^\d+\.\d+$/);
});

test("a mutation updates the stored product", { timeout }, async (t) => {
  const environment = open(t);
  const rename = (name) =>
    new Promise((onCompleted, onError) => {
      const variables = { input: { id: product.id, name } };
      const mutation = artifact("sourceRenameMutation");
      commitMutation(environment, { mutation, variables, onCompleted, onError });
    });
  await fetchQuery(environment, artifact("sourceProductQuery"), { id: product.id }).toPromise();
  try {
    const { productUpdate } = await rename("Relay Rope");
    assert.deepEqual(productUpdate.userErrors, []);
    assert.equal(environment.getStore().getSource().get(product.id).name, "Relay Rope");
  } finally {
    await rename(product.name);
  }
});

test("a subscription updates the stored product", { timeout }, async (t) => {
  const environment = open(t);
  const event = new Promise((onNext, onError) => {
    const subscription = artifact("sourceChangesSubscription");
    const variables = { id: product.id };
    const disposable = requestSubscription(environment, { subscription, variables, onNext, onError });
    t.after(() => disposable.dispose());
  });
  const { productChanged } = await renameUntil(event, token, product);
  assert.equal(productChanged.kind, "UPDATED");
  assert.equal(environment.getStore().getSource().get(product.id).__typename, "Product");
});
