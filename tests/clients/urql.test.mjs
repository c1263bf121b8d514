// urql with Graphcache: cached objects, subscriptions over WebSocket, Server-Sent Events and plain fetch, and errors.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, test } from "node:test";
import { Client, CombinedError, fetchExchange, gql, subscriptionExchange } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import { buildSchema, introspectionFromSchema } from "graphql";
import { createClient as createSseClient } from "graphql-sse";
import { createClient as createWsClient } from "graphql-ws";
import * as documents from "./documents.mjs";
import { login, renameUntil, schemaPath, someProducts, timeout, url, WebSocket, wsUrl } from "./shop.mjs";

const PRODUCT = gql(documents.PRODUCT);
const UPDATE = gql(documents.UPDATE);
const PRODUCTS = gql(documents.PRODUCTS);
const CHANGES = gql(documents.CHANGES);

let token;
let product;
let schema;

before(async () => {
  token = await login();
  [, , product] = await someProducts(3);
  const { __schema } = introspectionFromSchema(buildSchema(await readFile(schemaPath, "utf8")));
  schema = { __schema };
});

const embedded = () => null;

function open({ exchanges = [fetchExchange], ...options } = {}) {
  const warnings = [];
  const cache = cacheExchange({
    schema,
    keys: { Country: embedded, Money: embedded, UserError: embedded },
    resolvers: { Query: { products: relayPagination() } },
    logger: (severity, message) => severity !== "debug" && warnings.push(message),
  });
  const client = new Client({ url, preferGetMethod: false, exchanges: [cache, ...exchanges], ...options });
  return Object.assign(client, { warnings });
}

const withToken = () => ({ fetchOptions: () => ({ headers: { authorization: `Bearer ${token}` } }) });

/** Returns the first result of a source. */
function first(source) {
  return new Promise((resolve) => {
    const subscription = source.subscribe((result) => {
      resolve(result);
      setImmediate(() => subscription.unsubscribe());
    });
  });
}

function overWebSocket(t) {
  const socket = createWsClient({ url: wsUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
  t.after(() => socket.dispose());
  return forwardTo(socket);
}

function overSse(t) {
  const events = createSseClient({ url, retryAttempts: 0 });
  t.after(() => events.dispose());
  return forwardTo(events);
}

function forwardTo(client) {
  const forwardSubscription = ({ query, variables, extensions }) => ({
    subscribe: (sink) => ({ unsubscribe: client.subscribe({ query, variables, extensions }, sink) }),
  });
  return { exchanges: [fetchExchange, subscriptionExchange({ forwardSubscription })] };
}

test("a mutation updates the cached product", { timeout }, async (t) => {
  const client = open(withToken());
  const variables = { id: product.id };
  const names = [];
  let wake;
  const renamed = new Promise((resolve) => (wake = resolve));
  const watched = client.query(PRODUCT, variables).subscribe(({ data }) => {
    names.push(data?.product?.name);
    if (names.at(-1) === "Urql Rope") wake();
  });
  t.after(() => watched.unsubscribe());
  await first(client.query(PRODUCT, variables));
  assert.deepEqual(names, [product.name]);
  const update = (name) => client.mutation(UPDATE, { input: { id: product.id, name } });
  try {
    const { data, error } = await update("Urql Rope");
    assert.equal(error, undefined);
    assert.deepEqual(data.productUpdate.userErrors, []);
    await renamed;
    assert.equal(client.readQuery(PRODUCT, variables).data.product.name, "Urql Rope");
  } finally {
    await update(product.name);
  }
  assert.deepEqual(client.warnings, []);
});

test("relayPagination merges two pages", { timeout }, async () => {
  const client = open();
  const { data: page } = await client.query(PRODUCTS, { first: 3 });
  assert.equal(page.products.edges.length, 3);
  const { data: both } = await client.query(PRODUCTS, { first: 3, after: page.products.pageInfo.endCursor });
  assert.equal(new Set(both.products.edges.map((edge) => edge.node.id)).size, 6);
  assert.deepEqual(client.warnings, []);
});

test("a query by GET has a result", { timeout }, async () => {
  const client = open({ preferGetMethod: "force" });
  const { data, error } = await client.query(PRODUCT, { id: product.id });
  assert.equal(error, undefined);
  assert.equal(data.product.id, product.id);
});

for (const [transport, options] of [
  ["WebSocket", overWebSocket],
  ["graphql-sse", overSse],
  ["fetch", () => ({ fetchSubscriptions: true })],
]) {
  test(`a subscription over ${transport} updates the cached product`, { timeout }, async (t) => {
    const client = open(options(t));
    await client.query(PRODUCT, { id: product.id });
    const event = first(client.subscription(CHANGES, { id: product.id }));
    const { data, error } = await renameUntil(event, token, product);
    assert.equal(error, undefined);
    assert.equal(data.productChanged.kind, "UPDATED");
    const cached = client.readQuery(PRODUCT, { id: product.id });
    assert.equal(cached.data.product.name, data.productChanged.product.name);
    assert.deepEqual(client.warnings, []);
  });

  test(`a subscription without permission is a CombinedError over ${transport}`, { timeout }, async (t) => {
    const client = open(options(t));
    const { data, error } = await first(client.subscription(gql`subscription { notifications { cursor } }`, {}));
    assert.equal(data ?? undefined, undefined);
    assert.ok(error instanceof CombinedError);
    assert.equal(error.networkError, undefined, String(error));
    assert.equal(error.graphQLErrors[0].extensions.code, "UNAUTHENTICATED");
  });
}

test("a field with an error is a CombinedError with code and path", { timeout }, async () => {
  const query = gql`{ countries { code } orders(first: 1) { nodes { id } } }`;
  const { data, error } = await open().query(query, {});
  assert.ok(data.countries.length > 0);
  assert.equal(data.orders, null);
  assert.ok(error instanceof CombinedError);
  assert.equal(error.networkError, undefined);
  assert.equal(error.graphQLErrors[0].extensions.code, "UNAUTHENTICATED");
  assert.deepEqual(error.graphQLErrors[0].path, ["orders"]);
});

test("an invalid document is a CombinedError", { timeout }, async () => {
  const client = new Client({ url, preferGetMethod: false, exchanges: [fetchExchange] });
  const { error } = await client.query(gql`{ noSuchField }`, {});
  assert.ok(error instanceof CombinedError);
  assert.equal(error.networkError, undefined);
  assert.match(error.graphQLErrors[0].message, /noSuchField/);
  assert.equal(error.response.status, 400);
});

test("a wrong token is a CombinedError", { timeout }, async () => {
  const client = open({ fetchOptions: { headers: { authorization: "Bearer wrong" } } });
  const { error } = await client.query(PRODUCT, { id: product.id });
  assert.ok(error instanceof CombinedError);
  assert.equal(error.networkError, undefined);
  assert.equal(error.graphQLErrors[0].extensions.code, "UNAUTHENTICATED");
});

test("a file is sent with its mutation", { timeout }, async () => {
  const headers = { authorization: `Bearer ${token}`, "GraphQL-Require-Preflight": "1" };
  const client = open({ fetchOptions: { headers } });
  const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
  const file = new File([Buffer.from(pixel, "base64")], "pixel.png", { type: "image/png" });
  const add = gql`
    mutation AddImage($input: ProductImageCreateInput!) {
      productImageCreate(input: $input) { image { id width height } userErrors { code message } }
    }
  `;
  const { data, error } = await client.mutation(add, { input: { productId: product.id, alt: "One pixel", file } });
  assert.equal(error, undefined);
  assert.deepEqual(data.productImageCreate.userErrors, []);
  const { id, width, height } = data.productImageCreate.image;
  assert.deepEqual([width, height], [1, 1]);

  const remove = gql`
    mutation DeleteImage($input: ProductImageDeleteInput!) {
      productImageDelete(input: $input) { userErrors { code message } }
    }
  `;
  const deleted = await client.mutation(remove, { input: { id } });
  assert.deepEqual(deleted.data.productImageDelete.userErrors, []);
});
