// Apollo Client: its cache, subscriptions over WebSocket and multipart HTTP, persisted queries, batches, @defer, files.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { before, test } from "node:test";
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { Defer20220824Handler } from "@apollo/client/incremental";
import { BatchHttpLink } from "@apollo/client/link/batch-http";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { relayStylePagination } from "@apollo/client/utilities";
import UploadHttpLink from "apollo-upload-client/UploadHttpLink.mjs";
import { createClient } from "graphql-ws";
import { filter as only } from "rxjs";
import * as documents from "./documents.mjs";
import { adjustStockUntil, login, renameUntil, someProducts, timeout, url, WebSocket, wsUrl } from "./shop.mjs";

const PRODUCT = gql(documents.PRODUCT);
const UPDATE = gql(documents.UPDATE);
const PRODUCTS = gql(documents.PRODUCTS);
const CHANGES = gql(documents.CHANGES);
const STOCK = gql(documents.STOCK);

let token;
let product;

before(async () => {
  token = await login();
  [, product] = await someProducts(2);
});

const bearer = () => ({ authorization: `Bearer ${token}` });

function clientWith(t, link, options = {}) {
  const cache = new InMemoryCache({
    typePolicies: { Query: { fields: { products: relayStylePagination(["where", "orderBy", "onePerGroup"]) } } },
  });
  const client = new ApolloClient({ cache, link, ...options });
  t.after(() => client.stop());
  return client;
}

/** Returns what an observable sends first, or fails with its error. */
function first(observable) {
  return new Promise((resolve, reject) => {
    const subscription = observable.subscribe({
      next: (value) => {
        resolve(value);
        setImmediate(() => subscription.unsubscribe());
      },
      error: reject,
      complete: () => reject(new Error("completed without a result")),
    });
  });
}

/** A `fetch` that keeps what was sent and received. */
function recorder() {
  const calls = [];
  const record = async (address, init) => {
    const response = await fetch(address, init);
    calls.push({ address: String(address), init, response: response.clone() });
    return response;
  };
  return { calls, fetch: record };
}

test("a mutation updates the cached product", { timeout }, async (t) => {
  const client = clientWith(t, new HttpLink({ uri: url, headers: bearer() }));
  const variables = { id: product.id };
  const { data } = await client.query({ query: PRODUCT, variables });
  assert.equal(data.product.name, product.name);

  const names = [];
  let wake;
  const renamed = new Promise((resolve) => (wake = resolve));
  const watched = client.watchQuery({ query: PRODUCT, variables, fetchPolicy: "cache-only" }).subscribe((result) => {
    names.push(result.data?.product?.name);
    if (names.at(-1) === "Apollo Rope") wake();
  });
  t.after(() => watched.unsubscribe());
  const update = (name) => client.mutate({ mutation: UPDATE, variables: { input: { id: product.id, name } } });
  try {
    const { data: updated } = await update("Apollo Rope");
    assert.deepEqual(updated.productUpdate.userErrors, []);
    assert.equal(client.readQuery({ query: PRODUCT, variables }).product.name, "Apollo Rope");
    assert.equal(client.cache.extract()[`Product:${product.id}`].name, "Apollo Rope");
    await renamed;
  } finally {
    await update(product.name);
  }
});

test("relayStylePagination merges two pages", { timeout }, async (t) => {
  const client = clientWith(t, new HttpLink({ uri: url }));
  const query = client.watchQuery({ query: PRODUCTS, variables: { first: 3 } });
  const { data: page } = await first(query.pipe(only((result) => result.dataState === "complete")));
  assert.equal(page.products.edges.length, 3);
  assert.equal(page.products.pageInfo.hasNextPage, true);
  await query.fetchMore({ variables: { after: page.products.pageInfo.endCursor } });
  const { edges } = client.readQuery({ query: PRODUCTS, variables: { first: 3 } }).products;
  assert.equal(edges.length, 6);
  assert.equal(new Set(edges.map((edge) => edge.node.id)).size, 6);
});

test("a field with an error is a CombinedGraphQLErrors with code and path", { timeout }, async (t) => {
  const client = clientWith(t, new HttpLink({ uri: url }));
  const query = gql`{ orders(first: 1) { nodes { id } } }`;
  await assert.rejects(client.query({ query }), (error) => {
    assert.ok(CombinedGraphQLErrors.is(error), String(error));
    assert.equal(error.errors[0].extensions.code, "UNAUTHENTICATED");
    assert.deepEqual(error.errors[0].path, ["orders"]);
    return true;
  });
  const { data, error } = await client.query({ query, errorPolicy: "all" });
  assert.deepEqual(data, { orders: null });
  assert.ok(CombinedGraphQLErrors.is(error));
});

test("a wrong token is a CombinedGraphQLErrors", { timeout }, async (t) => {
  const client = clientWith(t, new HttpLink({ uri: url, headers: { authorization: "Bearer wrong" } }));
  await assert.rejects(client.query({ query: PRODUCT, variables: { id: product.id } }), (error) => {
    assert.ok(CombinedGraphQLErrors.is(error), String(error));
    assert.equal(error.errors[0].extensions.code, "UNAUTHENTICATED");
    return true;
  });
});

test("a subscription over WebSocket updates the cached product", { timeout }, async (t) => {
  const socket = createClient({ url: wsUrl, webSocketImpl: WebSocket, connectionParams: bearer, retryAttempts: 0 });
  t.after(() => socket.dispose());
  const subscriptions = new GraphQLWsLink(socket);
  const client = clientWith(
    t,
    ApolloLink.split(
      ({ operationType }) => operationType === "subscription",
      subscriptions,
      new HttpLink({ uri: url }),
    ),
  );
  await client.query({ query: PRODUCT, variables: { id: product.id } });
  const event = first(client.subscribe({ query: CHANGES, variables: { id: product.id } }));
  const { data, error } = await renameUntil(event, token, product);
  assert.equal(error, undefined);
  assert.equal(data.productChanged.kind, "UPDATED");
  const cached = client.readQuery({ query: PRODUCT, variables: { id: product.id } });
  assert.equal(cached.product.name, data.productChanged.product.name);
});

test("a subscription over multipart HTTP gets an event", { timeout }, async (t) => {
  const { calls, fetch } = recorder();
  const client = clientWith(t, new HttpLink({ uri: url, headers: bearer(), fetch }));
  const event = first(client.subscribe({ query: STOCK, variables: { product: product.id } }));
  const { data, error } = await adjustStockUntil(event, token, product);
  assert.equal(error, undefined);
  assert.equal(data.stockChanged.product.id, product.id);
  assert.equal(typeof data.stockChanged.product.stock, "number");
  assert.match(calls[0].response.headers.get("content-type"), /^multipart\/mixed;/);
  assert.match(calls[0].response.headers.get("content-type"), /subscriptionSpec="?1\.0"?/);
});

test("several events come over multipart HTTP, each at once", { timeout }, async (t) => {
  const client = clientWith(t, new HttpLink({ uri: url }));
  const events = [];
  const three = new Promise((resolve, reject) => {
    const subscription = client.subscribe({ query: CHANGES, variables: { id: product.id } }).subscribe({
      next: ({ data, error }) => {
        if (error) reject(error);
        else if (events.push(data.productChanged) === 3) resolve();
      },
      error: reject,
      complete: () => reject(new Error("completed")),
    });
    t.after(() => subscription.unsubscribe());
  });
  await renameUntil(three, token, product);
  assert.equal(new Set(events.map((event) => event.cursor)).size, 3);
});

for (const [transport, makeLink] of [
  [
    "WebSocket",
    (t) => {
      const socket = createClient({ url: wsUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
      t.after(() => socket.dispose());
      return new GraphQLWsLink(socket);
    },
  ],
  ["multipart HTTP", () => new HttpLink({ uri: url })],
]) {
  test(`a subscription without permission is an error over ${transport}`, { timeout }, async (t) => {
    const client = clientWith(t, makeLink(t));
    const query = gql`subscription { notifications { cursor } }`;
    const { data, error } = await first(client.subscribe({ query }));
    assert.equal(data ?? undefined, undefined);
    assert.ok(CombinedGraphQLErrors.is(error), String(error));
    assert.equal(error.errors[0].extensions.code, "UNAUTHENTICATED");
  });

  test(`an invalid subscription is an error over ${transport}`, { timeout }, async (t) => {
    const client = clientWith(t, makeLink(t));
    const { error } = await first(client.subscribe({ query: gql`subscription { noSuchField }` }));
    assert.ok(CombinedGraphQLErrors.is(error), String(error));
    assert.match(error.errors[0].message, /noSuchField/);
  });
}

test("a persisted query is sent by GET, with its text once", { timeout }, async (t) => {
  const sha256 = (text) => createHash("sha256").update(text).digest("hex");
  const { calls, fetch } = recorder();
  const http = new HttpLink({ uri: url, fetch });
  // The name makes a document that the server does not know yet.
  const query = gql(`query Persisted${Date.now()} ($id: ID!) { product(id: $id) { id name } }`);
  const variables = { id: product.id };
  for (let turn = 0; turn < 2; turn++) {
    const link = new PersistedQueryLink({ sha256, useGETForHashedQueries: true }).concat(http);
    const { data } = await clientWith(t, link).query({ query, variables });
    assert.equal(data.product.id, product.id);
  }
  assert.deepEqual(
    calls.map(({ init }) => init.method),
    ["GET", "POST", "GET"],
  );
  const hasText = calls.map(({ address, init }) => Boolean(new URL(address).searchParams.get("query") ?? init.body));
  assert.deepEqual(hasText, [false, true, false]);
  const { errors } = await calls[0].response.json();
  assert.equal(errors[0].message, "PersistedQueryNotFound");
  assert.equal(errors[0].extensions.code, "PERSISTED_QUERY_NOT_FOUND");
});

test("persisted queries work in batches and for subscriptions", { timeout }, async (t) => {
  const sha256 = (text) => createHash("sha256").update(text).digest("hex");
  const now = Date.now();
  const batched = new BatchHttpLink({ uri: url, batchInterval: 20 });
  const client = clientWith(
    t,
    new PersistedQueryLink({ sha256 }).concat(
      ApolloLink.split(({ operationType }) => operationType === "subscription", new HttpLink({ uri: url }), batched),
    ),
  );
  const results = await Promise.all([
    client.query({ query: gql(`query One${now} { countries { code } }`) }),
    client.query({
      query: gql(`query Two${now} ($id: ID!) { product(id: $id) { id } }`),
      variables: { id: product.id },
    }),
  ]);
  assert.ok(results[0].data.countries.length > 0);
  assert.equal(results[1].data.product.id, product.id);
  const query = gql(`subscription Three${now} ($id: ID) { productChanged(id: $id) { kind } }`);
  const { data, error } = await renameUntil(
    first(client.subscribe({ query, variables: { id: product.id } })),
    token,
    product,
  );
  assert.equal(error, undefined);
  assert.equal(data.productChanged.kind, "UPDATED");
});

test("a batch returns each result to its query", { timeout }, async (t) => {
  const { calls, fetch } = recorder();
  const client = clientWith(t, new BatchHttpLink({ uri: url, batchInterval: 20, headers: bearer(), fetch }));
  const [one, two, bad] = await Promise.allSettled([
    client.query({ query: PRODUCT, variables: { id: product.id } }),
    client.query({ query: gql`{ me { id email } }` }),
    client.query({ query: gql`{ noSuchField }` }),
  ]);
  assert.equal(calls.length, 1);
  assert.equal(JSON.parse(calls[0].init.body).length, 3);
  assert.equal(one.value.data.product.id, product.id);
  assert.ok(two.value.data.me.email);
  assert.ok(CombinedGraphQLErrors.is(bad.reason), String(bad.reason));
  assert.match(bad.reason.errors[0].message, /noSuchField/);
});

test("@defer is an error that names the directive", { timeout }, async (t) => {
  const client = clientWith(t, new HttpLink({ uri: url }), { incrementalHandler: new Defer20220824Handler() });
  const query = gql`
    query Deferred($id: ID!) {
      product(id: $id) { id ...Name @defer }
    }
    fragment Name on Product { name }
  `;
  await assert.rejects(client.query({ query, variables: { id: product.id } }), (error) => {
    assert.ok(CombinedGraphQLErrors.is(error), String(error));
    assert.match(error.errors[0].message, /defer/);
    return true;
  });
});

test("apollo-upload-client sends a file", { timeout }, async (t) => {
  const client = clientWith(
    t,
    new UploadHttpLink({ uri: url, headers: { ...bearer(), "Apollo-Require-Preflight": "true" } }),
  );
  const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
  const file = new File([Buffer.from(pixel, "base64")], "pixel.png", { type: "image/png" });
  const { data } = await client.mutate({
    mutation: gql`
      mutation AddImage($input: ProductImageCreateInput!) {
        productImageCreate(input: $input) { image { id width height alt } userErrors { code message } }
      }
    `,
    variables: { input: { productId: product.id, alt: "One pixel", file } },
  });
  assert.deepEqual(data.productImageCreate.userErrors, []);
  const { id, ...image } = data.productImageCreate.image;
  assert.deepEqual(image, { __typename: "Image", width: 1, height: 1, alt: "One pixel" });

  const { data: deleted } = await client.mutate({
    mutation: gql`
      mutation DeleteImage($input: ProductImageDeleteInput!) {
        productImageDelete(input: $input) { userErrors { code message } }
      }
    `,
    variables: { input: { id } },
  });
  assert.deepEqual(deleted.productImageDelete.userErrors, []);
});
