// What all tests need: the address of the server, the admin's login, and products that can be changed.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";

export { WebSocket };

// Node 20 has no WebSocket of its own, and Apollo Client reads a constant of it.
globalThis.WebSocket ??= WebSocket;

/** The GraphQL endpoint, over HTTP and over WebSocket. */
export const url = process.env.SOUK_URL ?? "http://127.0.0.1:8000/graphql";
export const wsUrl = url.replace(/^http/, "ws");

/** The path of the schema that the tools read. */
export const schemaPath = process.env.SOUK_SCHEMA ?? fileURLToPath(new URL("../../schema.graphql", import.meta.url));

/** A test that takes longer has failed. */
export const timeout = 30_000;

const email = process.env.SOUK_ADMIN_EMAIL ?? "admin@souk.example";
const password = process.env.SOUK_ADMIN_PASSWORD ?? "demo-admin-2026";

/** Sends an operation without any client library. Returns its data, and fails if there are errors. */
export async function send(query, variables, token) {
  const headers = { "content-type": "application/json", accept: "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

/** Logs the admin in and returns the access token. */
export async function login() {
  const query = `mutation ($input: LoginInput!) { login(input: $input) { accessToken userErrors { code message } } }`;
  const data = await send(query, { input: { email, password } });
  assert.deepEqual(data.login.userErrors, []);
  return data.login.accessToken;
}

/** Returns some products that are for sale: their ID, name and SKU. */
export async function someProducts(count) {
  const query = `query ($count: Int!) { products(first: $count, where: { isActive: true }) { nodes { id name sku } } }`;
  const data = await send(query, { count });
  assert.equal(data.products.nodes.length, count);
  return data.products.nodes;
}

/** Changes the name of a product. */
export async function rename(token, id, name) {
  const query = `mutation ($input: ProductUpdateInput!) {
    productUpdate(input: $input) { product { id name } userErrors { code message } }
  }`;
  const data = await send(query, { input: { id, name } }, token);
  assert.deepEqual(data.productUpdate.userErrors, []);
}

/** Changes the stock of a product by a number of units. */
export async function adjustStock(token, productId, delta) {
  const query = `mutation ($input: StockAdjustInput!) {
    stockAdjust(input: $input) { product { id stock } userErrors { code message } }
  }`;
  const data = await send(query, { input: { productId, delta } }, token);
  assert.deepEqual(data.stockAdjust.userErrors, []);
}

/**
 * Makes a change every 300 ms until `event` settles, and returns what it settles with. A client is not told when its
 * subscription has started, so the first changes can be too early. `change` gets 1, 2, 3 and so on.
 */
async function changeUntil(event, change) {
  let isOver = false;
  const end = () => (isOver = true);
  event.then(end, end);
  for (let turn = 1; !isOver; turn++) {
    await change(turn);
    await Promise.race([sleep(300), event.then(end, end)]);
  }
  return event;
}

/** Renames a product, and back, until `event` settles. The product has its name again at the end. */
export async function renameUntil(event, token, product) {
  try {
    return await changeUntil(event, (turn) =>
      rename(token, product.id, turn % 2 ? `${product.name} II` : product.name),
    );
  } finally {
    await rename(token, product.id, product.name);
  }
}

/** Changes the stock of a product, and back, until `event` settles. */
export async function adjustStockUntil(event, token, product) {
  let sum = 0;
  const change = async () => {
    const delta = sum ? -1 : 1;
    await adjustStock(token, product.id, delta);
    sum += delta;
  };
  try {
    return await changeUntil(event, change);
  } finally {
    if (sum) await adjustStock(token, product.id, -sum);
  }
}
