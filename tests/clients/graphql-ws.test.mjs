// The graphql-ws client: subscriptions over WebSocket, with logins, several on one socket, and after a lost connection.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { createClient } from "graphql-ws";
import { CHANGES, STOCK } from "./documents.mjs";
import {
  adjustStockUntil,
  login,
  rename,
  renameUntil,
  send,
  someProducts,
  timeout,
  WebSocket,
  wsUrl,
} from "./shop.mjs";

let token;
let product;

before(async () => {
  token = await login();
  [product] = await someProducts(1);
});

function open(t, options = {}) {
  const client = createClient({ url: wsUrl, webSocketImpl: WebSocket, retryAttempts: 0, ...options });
  t.after(() => client.dispose());
  return client;
}

/** Returns the first result of an operation, or fails with its error. */
function first(client, payload) {
  return new Promise((resolve, reject) => {
    const unsubscribe = client.subscribe(payload, {
      next: (result) => {
        resolve(result);
        unsubscribe();
      },
      error: reject,
      complete: () => reject(new Error("completed without a result")),
    });
  });
}

test("a subscription gets an event and completes", { timeout }, async (t) => {
  const client = open(t);
  const results = client.iterate({ query: CHANGES, variables: { id: product.id } });
  const { value: result } = await renameUntil(results.next(), token, product);
  assert.equal(result.errors, undefined);
  const { productChanged } = result.data;
  assert.equal(productChanged.product.id, product.id);
  assert.equal(productChanged.kind, "UPDATED");
  assert.ok(productChanged.cursor);
  await results.return();
  assert.equal((await results.next()).done, true);
});

test("the client completes one subscription and the socket stays open for the next", { timeout }, async (t) => {
  let opened = 0;
  const client = open(t, { lazyCloseTimeout: 5_000, on: { connected: () => opened++ } });
  for (let turn = 0; turn < 2; turn++) {
    const payload = { query: CHANGES, variables: { id: product.id } };
    const result = await renameUntil(first(client, payload), token, product);
    assert.equal(result.errors, undefined);
  }
  assert.equal(opened, 1);
});

test("a query over WebSocket has one result and completes", { timeout }, async (t) => {
  const results = [];
  for await (const result of open(t).iterate({ query: "{ __typename }" })) results.push(result);
  assert.deepEqual(
    results.map((result) => result.data),
    [{ __typename: "Query" }],
  );
});

test("a field with an error gives a result with data and errors", { timeout }, async (t) => {
  const result = await first(open(t), { query: "{ __typename orders(first: 1) { nodes { id } } }" });
  assert.deepEqual(result.data, { __typename: "Query", orders: null });
  assert.equal(result.errors[0].extensions.code, "UNAUTHENTICATED");
  assert.deepEqual(result.errors[0].path, ["orders"]);
});

test("an invalid document gives an array of errors", { timeout }, async (t) => {
  await assert.rejects(first(open(t), { query: "subscription { noSuchField }" }), (errors) => {
    assert.ok(Array.isArray(errors));
    assert.match(errors[0].message, /noSuchField/);
    return true;
  });
});

test("a subscription without permission gives an array of errors", { timeout }, async (t) => {
  const query = "subscription { notifications { cursor } }";
  await assert.rejects(first(open(t), { query }), (errors) => {
    assert.ok(Array.isArray(errors));
    assert.equal(errors[0].extensions.code, "UNAUTHENTICATED");
    return true;
  });
});

test("the root field of a subscription can be in a fragment", { timeout }, async (t) => {
  const query = `
    subscription ($id: ID) { ...Changes }
    fragment Changes on Subscription { productChanged(id: $id) { product { id } } }
  `;
  const result = await renameUntil(first(open(t), { query, variables: { id: product.id } }), token, product);
  assert.equal(result.errors, undefined);
  assert.equal(result.data.productChanged.product.id, product.id);
});

test("a root field of a subscription can be selected in two parts", { timeout }, async (t) => {
  const query = `subscription ($id: ID) {
    productChanged(id: $id) { kind }
    productChanged(id: $id) { product { id } }
  }`;
  const result = await renameUntil(first(open(t), { query, variables: { id: product.id } }), token, product);
  assert.equal(result.errors, undefined);
  assert.deepEqual(result.data.productChanged, { kind: "UPDATED", product: { id: product.id } });
});

test("a subscription without its field gives an array of errors, and others go on", { timeout }, async (t) => {
  const client = open(t);
  const event = first(client, { query: CHANGES, variables: { id: product.id } });
  const query = "subscription ($on: Boolean!) { productChanged @include(if: $on) { cursor } }";
  const skipped = first(client, { query, variables: { on: false } }).catch((error) => error);
  const result = await renameUntil(event, token, product);
  assert.equal(result.data.productChanged.product.id, product.id);
  const errors = await skipped;
  assert.ok(Array.isArray(errors), String(errors));
  assert.ok(errors[0].message);
});

test("an event shows what the viewer of the connection may see", { timeout }, async (t) => {
  const client = open(t, { connectionParams: { authorization: `Bearer ${token}` } });
  const payload = { query: STOCK, variables: { product: product.id } };
  const result = await adjustStockUntil(first(client, payload), token, product);
  assert.equal(result.errors, undefined);
  assert.equal(typeof result.data.stockChanged.product.stock, "number");
});

test("a wrong token closes the socket with 4403", { timeout }, async (t) => {
  const client = open(t, { connectionParams: { authorization: "Bearer wrong" } });
  await assert.rejects(first(client, { query: CHANGES }), (close) => {
    assert.equal(close.code, 4403);
    assert.match(close.reason, /^Forbidden/);
    return true;
  });
});

test("shouldRetry connects again with a new token", { timeout }, async (t) => {
  const tokens = ["wrong", token];
  const codes = [];
  const client = open(t, {
    retryAttempts: 3,
    retryWait: async () => {},
    shouldRetry: (close) => close.code === 4403,
    connectionParams: () => ({ authorization: `Bearer ${tokens.shift()}` }),
    on: { closed: (close) => codes.push(close.code) },
  });
  const result = await first(client, { query: "{ me { email } }" });
  assert.ok(result.data.me.email);
  assert.deepEqual(codes.slice(0, 1), [4403]);
});

test("a logout closes the sockets of the session with 4403", { timeout }, async (t) => {
  const session = await login();
  const client = open(t, { connectionParams: { authorization: `Bearer ${session}` } });
  const results = client.iterate({ query: CHANGES, variables: { id: product.id } });
  await renameUntil(results.next(), token, product);
  const ended = (async () => {
    for await (const { errors } of results) assert.equal(errors, undefined);
  })();
  await Promise.all([
    assert.rejects(ended, (close) => {
      assert.equal(close.code, 4403);
      return true;
    }),
    send("mutation { logout { userErrors { code } } }", {}, session),
  ]);
});

test("two subscriptions run on one socket", { timeout }, async (t) => {
  let opened = 0;
  const client = open(t, {
    connectionParams: { authorization: `Bearer ${token}` },
    on: { connected: () => opened++ },
  });
  const changed = first(client, { query: CHANGES, variables: { id: product.id } });
  const stock = first(client, { query: STOCK, variables: { product: product.id } });
  const results = await Promise.all([renameUntil(changed, token, product), adjustStockUntil(stock, token, product)]);
  assert.equal(results[0].data.productChanged.product.id, product.id);
  assert.equal(results[1].data.stockChanged.product.id, product.id);
  assert.equal(opened, 1);
});

test("after a lost connection the cursor brings the missed events", { timeout }, async (t) => {
  const query = CHANGES;
  const { data } = await renameUntil(first(open(t), { query, variables: { id: product.id } }), token, product);
  const { cursor } = data.productChanged;

  // The changes are made while there is no connection.
  await rename(token, product.id, `${product.name} III`);
  await rename(token, product.id, product.name);

  const missed = [];
  for await (const result of open(t).iterate({ query, variables: { id: product.id, after: cursor } })) {
    assert.equal(result.errors, undefined);
    missed.push(result.data.productChanged);
    if (missed.length === 2) break;
  }
  assert.deepEqual(new Set(missed.map((event) => event.product.id)), new Set([product.id]));
  assert.equal(new Set([cursor, ...missed.map((event) => event.cursor)]).size, 3);
});

test("a client that connects again by itself resumes with the last cursor", { timeout }, async (t) => {
  let socket;
  const variables = { id: product.id };
  const client = open(t, {
    retryAttempts: 3,
    retryWait: async () => {},
    shouldRetry: () => true,
    on: { connected: (connected) => (socket = connected) },
  });
  const cursors = [];
  let wake;
  const next = () => new Promise((resolve) => (wake = resolve));
  const failed = new Promise((_, reject) => {
    const unsubscribe = client.subscribe(
      { query: CHANGES, variables },
      {
        next: ({ data }) => {
          cursors.push(data.productChanged.cursor);
          // The client sends the same object again when it connects again.
          variables.after = data.productChanged.cursor;
          wake?.();
        },
        error: reject,
        complete: () => {},
      },
    );
    t.after(unsubscribe);
  });
  await Promise.race([failed, renameUntil(next(), token, product)]);
  const resumed = next();
  socket.terminate();
  await Promise.race([failed, renameUntil(resumed, token, product)]);
  assert.ok(cursors.length >= 2);
  assert.equal(new Set(cursors).size, cursors.length, "no event comes twice");
});

test("a ping of the client gets a pong with its payload", { timeout }, async (t) => {
  const socket = new WebSocket(wsUrl, "graphql-transport-ws");
  t.after(() => socket.terminate());
  const messages = [];
  await new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("open", () => {
      socket.send(JSON.stringify({ type: "connection_init" }));
      socket.send(JSON.stringify({ type: "ping", payload: { at: 1 } }));
    });
    socket.on("message", (text) => {
      messages.push(JSON.parse(text));
      if (messages.length === 2) resolve();
    });
  });
  assert.deepEqual(messages, [{ type: "connection_ack" }, { type: "pong", payload: { at: 1 } }]);
});

test("a ping frame of WebSocket gets a pong frame", { timeout }, async (t) => {
  const socket = new WebSocket(wsUrl, "graphql-transport-ws");
  t.after(() => socket.terminate());
  const payload = await new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("open", () => socket.ping("hello"));
    socket.on("pong", resolve);
  });
  assert.equal(String(payload), "hello");
});

for (const [title, messages] of [
  ["before connection_init", []],
  ["after connection_ack", [{ type: "connection_init" }]],
  ["during a subscription", [{ type: "connection_init" }, { type: "subscribe", id: "1", payload: { query: CHANGES } }]],
]) {
  test(`a client that closes the socket ${title} gets a close frame`, { timeout }, async (t) => {
    const socket = new WebSocket(wsUrl, "graphql-transport-ws");
    t.after(() => socket.terminate());
    const code = await new Promise((resolve, reject) => {
      socket.on("error", reject);
      socket.on("close", resolve);
      socket.on("open", () => {
        for (const message of messages) socket.send(JSON.stringify(message));
        if (messages.length === 0) socket.close(1000);
      });
      socket.on("message", () => socket.close(1000));
    });
    // 1006 would say that the connection was cut.
    assert.equal(code, 1000);
  });
}

test("an ID can be used again when its operation has completed", { timeout }, async (t) => {
  const socket = new WebSocket(wsUrl, "graphql-transport-ws");
  t.after(() => socket.terminate());
  const ids = Array.from({ length: 20 }, (_, index) => String(index));
  const subscribe = (id) =>
    socket.send(JSON.stringify({ type: "subscribe", id, payload: { query: "{ __typename }" } }));
  let completed = 0;
  await new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", (code, reason) => reject(new Error(`closed with ${code} ${reason}, ${completed} completed`)));
    socket.on("open", () => socket.send(JSON.stringify({ type: "connection_init" })));
    socket.on("message", (text) => {
      const { id, type } = JSON.parse(text);
      if (type === "connection_ack") ids.forEach(subscribe);
      if (type !== "complete") return;
      completed++;
      if (completed === 2_000) resolve();
      else subscribe(id);
    });
  });
});

test("a second subscription with the same ID closes the socket with 4409", { timeout }, async (t) => {
  const socket = new WebSocket(wsUrl, "graphql-transport-ws");
  t.after(() => socket.terminate());
  const code = await new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", resolve);
    socket.on("open", () => socket.send(JSON.stringify({ type: "connection_init" })));
    socket.on("message", () => {
      const message = { type: "subscribe", id: "1", payload: { query: CHANGES } };
      socket.send(JSON.stringify(message));
      socket.send(JSON.stringify(message));
    });
  });
  assert.equal(code, 4409);
});

test("the server does not speak the old subprotocol", { timeout }, async (t) => {
  const socket = new WebSocket(wsUrl, "graphql-ws");
  t.after(() => socket.terminate());
  const code = await new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", resolve);
  });
  assert.equal(code, 4406);
});
