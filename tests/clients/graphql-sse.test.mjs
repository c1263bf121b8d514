// The graphql-sse client in distinct connections mode: subscriptions and queries as Server-Sent Events.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { createClient } from "graphql-sse";
import { CHANGES, STOCK } from "./documents.mjs";
import { adjustStockUntil, login, rename, renameUntil, someProducts, timeout, url } from "./shop.mjs";

let token;
let product;

before(async () => {
  token = await login();
  [, , , product] = await someProducts(4);
});

function open(t, options = {}) {
  const client = createClient({ url, retryAttempts: 0, ...options });
  t.after(() => client.dispose());
  return client;
}

/** Returns all results of an operation that ends, or fails with its error. */
function all(client, payload) {
  return new Promise((resolve, reject) => {
    const results = [];
    const sink = { next: (result) => results.push(result), error: reject, complete: () => resolve(results) };
    client.subscribe(payload, sink);
  });
}

test("a subscription gets an event and completes", { timeout }, async (t) => {
  const results = open(t).iterate({ query: CHANGES, variables: { id: product.id } });
  const { value: result } = await renameUntil(results.next(), token, product);
  assert.equal(result.errors, undefined);
  assert.equal(result.data.productChanged.product.id, product.id);
  assert.equal(result.data.productChanged.kind, "UPDATED");
  await results.return();
  assert.equal((await results.next()).done, true);
});

test("the response starts before the first event", { timeout }, async (t) => {
  const started = new Promise((resolve) => {
    const client = open(t, { onMessage: () => {}, fetchFn: (...request) => fetch(...request).then(keep) });
    const keep = (response) => {
      resolve(response);
      return response;
    };
    t.after(client.subscribe({ query: CHANGES }, { next() {}, error() {}, complete() {} }));
  });
  const response = await started;
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type"), /^text\/event-stream/);
  assert.match(response.headers.get("cache-control"), /no-store|no-cache/);
});

test("a header with a token identifies the viewer", { timeout }, async (t) => {
  const client = open(t, { headers: () => ({ authorization: `Bearer ${token}` }) });
  const results = client.iterate({ query: STOCK, variables: { product: product.id } });
  const { value: result } = await adjustStockUntil(results.next(), token, product);
  assert.equal(result.errors, undefined);
  assert.equal(typeof result.data.stockChanged.product.stock, "number");
  await results.return();
});

test("the cursor brings the events that were missed", { timeout }, async (t) => {
  const client = open(t);
  const results = client.iterate({ query: CHANGES, variables: { id: product.id } });
  const { value: result } = await renameUntil(results.next(), token, product);
  await results.return();
  const { cursor } = result.data.productChanged;

  // The changes are made while there is no connection.
  await rename(token, product.id, `${product.name} III`);
  await rename(token, product.id, product.name);

  const missed = [];
  for await (const { data } of client.iterate({ query: CHANGES, variables: { id: product.id, after: cursor } })) {
    missed.push(data.productChanged.cursor);
    if (missed.length === 2) break;
  }
  assert.equal(new Set([cursor, ...missed]).size, 3);
});

test("a query has one result and completes", { timeout }, async (t) => {
  const results = await all(open(t), { query: "{ __typename }" });
  assert.deepEqual(
    results.map((result) => result.data),
    [{ __typename: "Query" }],
  );
});

test("a mutation has one result and completes", { timeout }, async (t) => {
  const client = open(t, { headers: { authorization: `Bearer ${token}` } });
  const query = `mutation ($input: ProductUpdateInput!) { productUpdate(input: $input) { product { name } } }`;
  const results = await all(client, { query, variables: { input: { id: product.id, name: product.name } } });
  assert.deepEqual(
    results.map((result) => result.data),
    [{ productUpdate: { product: { name: product.name } } }],
  );
});

for (const [title, query, pattern] of [
  ["an invalid query", "{ noSuchField }", /noSuchField/],
  ["an invalid subscription", "subscription { noSuchField }", /noSuchField/],
  ["a syntax error", "{", /./],
  ["a subscription without permission", "subscription { notifications { cursor } }", /log|auth|permission/i],
]) {
  test(`the errors of ${title} are a result`, { timeout }, async (t) => {
    const results = await all(open(t), { query });
    assert.equal(results.length, 1);
    assert.equal(results[0].data ?? undefined, undefined);
    assert.match(results[0].errors[0].message, pattern);
    assert.ok(results[0].errors[0].extensions.code);
  });
}

test("a wrong token reaches the client with its code", { timeout }, async (t) => {
  const client = open(t, { headers: { authorization: "Bearer wrong" } });
  const seen = await all(client, { query: CHANGES }).then(
    ([result]) => result.errors[0].extensions.code,
    async (error) => `HTTP ${error.response?.status}`,
  );
  assert.ok(["UNAUTHENTICATED", "HTTP 401"].includes(seen), seen);
});
