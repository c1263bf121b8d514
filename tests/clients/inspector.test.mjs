// GraphQL Inspector: the schema has no breaking changes since released.graphql, and the server has that schema.
// A release that is allowed to break clients replaces released.graphql with a copy of schema.graphql.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildClientSchema, buildSchema, getIntrospectionQuery, printSchema } from "graphql";
import { schemaPath, send, timeout } from "./shop.mjs";

const released = await readFile(new URL("released.graphql", import.meta.url), "utf8");
const current = await readFile(schemaPath, "utf8");

/** Returns the breaking changes, one a line. */
async function breaking(before, after) {
  const changes = await diff(before, after);
  return changes
    .filter((change) => change.criticality.level === CriticalityLevel.Breaking)
    .map((change) => `${change.path}: ${change.message}`);
}

test("the schema has no breaking changes since the release", { timeout }, async () => {
  assert.deepEqual(await breaking(buildSchema(released), buildSchema(current)), []);
});

test("a removed field is a breaking change", { timeout }, async () => {
  const changed = released.replace(/^type Rating \{/m, "type Rating {\n  gone: Int");
  assert.notEqual(changed, released);
  assert.equal((await breaking(buildSchema(changed), buildSchema(released))).length, 1);
});

test("introspection of the server gives the schema of the file", { timeout }, async () => {
  const query = getIntrospectionQuery({
    specifiedByUrl: true,
    directiveIsRepeatable: true,
    schemaDescription: true,
    inputValueDeprecation: true,
    oneOf: true,
  });
  // The text has the directives that the introspection describes by fields, such as specifiedByURL.
  const introspected = printSchema(buildClientSchema(await send(query)));
  const changes = await diff(buildSchema(introspected), buildSchema(current));
  assert.deepEqual(
    changes.map((change) => `${change.path}: ${change.message}`),
    [],
  );
});
