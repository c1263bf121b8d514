// GraphQL Code Generator and gql.tada: both give operations strict TypeScript types, which tsc checks.
// The settings are those of docs/guides/front-end.md.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { generate } from "@graphql-codegen/cli";
import { schemaPath, url } from "./shop.mjs";

// The compiler needs its time on a slow machine.
const timeout = 120_000;

const root = new URL("generated/codegen/", import.meta.url);
const require = createRequire(import.meta.url);

const SCALARS = {
  Decimal: "string",
  DateTime: "string",
  CountryCode: "string",
  CurrencyCode: "string",
  JSON: "unknown",
  Upload: "File",
};

const COMPILER_OPTIONS = {
  strict: true,
  noEmit: true,
  target: "ES2022",
  lib: ["ES2022", "DOM"],
  module: "ESNext",
  moduleResolution: "Bundler",
  skipLibCheck: false,
  verbatimModuleSyntax: true,
  types: [],
};

// What both tools have to infer. `__GRAPHQL__` is where the function `graphql` comes from.
const SOURCE = `
import { graphql } from "__GRAPHQL__";
import type { ResultOf, VariablesOf } from "@graphql-typed-document-node/core";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function check<_ extends true>() {}

const Products = graphql(\`
  query Products($first: Int!, $after: String) {
    products(first: $first, after: $after) {
      edges { node { id name createdAt availability price { amount currency } weight { value } } }
      pageInfo { hasNextPage endCursor }
    }
  }
\`);
type Product = ResultOf<typeof Products>["products"]["edges"][number]["node"];
check<Equal<Product["id"], string>>();
check<Equal<Product["price"]["amount"], string>>();
check<Equal<Product["createdAt"], string>>();
check<Equal<null extends Product["weight"] ? true : false, true>>();
check<Equal<null extends Product["price"] ? true : false, false>>();
check<Equal<VariablesOf<typeof Products>["first"], number>>();
check<Equal<ResultOf<typeof Products>["products"]["pageInfo"]["hasNextPage"], boolean>>();

export function describe(availability: Product["availability"]): string {
  switch (availability) {
__CASES__
  }
}

const Update = graphql(\`
  mutation Update($input: ProductUpdateInput!) {
    productUpdate(input: $input) { product { id name } userErrors { code message field } }
  }
\`);
type Input = VariablesOf<typeof Update>["input"];
export const input: Input = { id: "1", name: "Rope", price: "34.50", tags: ["new"] };
// @ts-expect-error The ID is required.
export const withoutId: Input = { name: "Rope" };
// @ts-expect-error There is no such field.
export const unknownField: Input = { id: "1", noSuchField: 1 };
type Update = NonNullable<ResultOf<typeof Update>["productUpdate"]>;
check<Equal<Update["userErrors"][number]["message"], string>>();
// @ts-expect-error The payload is nullable.
export const product = (result: ResultOf<typeof Update>) => result.productUpdate.product;

const Changes = graphql(\`
  subscription Changes($id: ID) {
    productChanged(id: $id) { product { id name } kind cursor }
  }
\`);
type Change = ResultOf<typeof Changes>["productChanged"];
check<Equal<Change["kind"], "CREATED" | "DELETED" | "UPDATED">>();
check<Equal<null extends Change["product"] ? true : false, true>>();

const AddImage = graphql(\`
  mutation AddImage($input: ProductImageCreateInput!) {
    productImageCreate(input: $input) { image { id } }
  }
\`);
export const image: VariablesOf<typeof AddImage> = { input: { productId: "1", file: new File([], "rope.png") } };
`;

let source;

before(async () => {
  await rm(root, { recursive: true, force: true });
  const [, body] = /^enum Availability \{([^}]*)\}/m.exec(await readFile(schemaPath, "utf8"));
  const values = body.replace(/"""[^]*?"""/g, "").match(/\w+/g);
  const cases = values.map((value) => `    case "${value}": return "${value}";`).join("\n");
  source = SOURCE.replace("__CASES__", cases);
});

async function makeProject(name, graphql, options = {}) {
  const directory = new URL(`${name}/`, root);
  await mkdir(new URL("src/", directory), { recursive: true });
  await writeFile(new URL("schema.graphql", directory), await readFile(schemaPath));
  await writeFile(new URL("src/main.ts", directory), source.replace("__GRAPHQL__", graphql));
  const config = { compilerOptions: { ...COMPILER_OPTIONS, ...options }, include: ["src"] };
  await writeFile(new URL("tsconfig.json", directory), JSON.stringify(config, null, 2));
  return directory;
}

/** Runs a program of a package. Fails with what it printed. */
async function run(program, args, directory) {
  try {
    return await promisify(execFile)(process.execPath, [program, ...args], { cwd: directory });
  } catch (error) {
    assert.fail(`${error.message}\n${error.stdout}\n${error.stderr}`);
  }
}

const tsc = (directory) => run(require.resolve("typescript/bin/tsc"), ["--pretty", "false", "-p", "."], directory);

async function generateClient(directory, schema) {
  const path = fileURLToPath(directory);
  const files = await generate(
    {
      cwd: path,
      schema,
      documents: ["src/main.ts"],
      silent: true,
      generates: {
        "src/gql/": {
          preset: "client",
          config: { strictScalars: true, useTypeImports: true, enumsAsTypes: true, scalars: SCALARS },
        },
      },
    },
    true,
  );
  return files.map(({ filename, content }) => [filename.slice(filename.indexOf("src/gql/")), content]);
}

test("the client preset of graphql-codegen gives strict types", { timeout }, async () => {
  const directory = await makeProject("preset", "./gql");
  await generateClient(directory, "schema.graphql");
  await tsc(directory);
});

test("graphql-codegen gives the same types from the server as from the file", { timeout }, async () => {
  const fromFile = await generateClient(await makeProject("file", "./gql"), "schema.graphql");
  const fromServer = await generateClient(await makeProject("server", "./gql"), url);
  assert.deepEqual(fromServer, fromFile);
});

test("gql.tada infers strict types", { timeout }, async () => {
  const plugin = {
    name: "gql.tada/ts-plugin",
    schema: "./schema.graphql",
    tadaOutputLocation: "./src/graphql-env.d.ts",
  };
  const directory = await makeProject("tada", "./graphql", { plugins: [plugin] });
  const scalars = Object.entries({ ID: "string", ...SCALARS }).map(([name, type]) => `${name}: ${type};`);
  await writeFile(
    new URL("src/graphql.ts", directory),
    `import { initGraphQLTada } from "gql.tada";
import type { introspection } from "./graphql-env";
export const graphql = initGraphQLTada<{ introspection: introspection; scalars: { ${scalars.join(" ")} } }>();
`,
  );
  const tada = fileURLToPath(new URL("node_modules/gql.tada/bin/cli.js", import.meta.url));
  await run(tada, ["generate-output"], directory);
  await tsc(directory);
});
