// Runs the GraphQL-over-HTTP audits against the URL given as argument.
// Prints each audit that is not passed and why, and exits 1 unless every one of the expected number passes.
import { auditServer } from "graphql-http";

const EXPECTED = 61;

const url = process.argv[2];
if (!url) {
  console.error("usage: node run.mjs <url of the GraphQL endpoint>");
  process.exit(2);
}

const results = await auditServer({ url });
const failures = results.filter((result) => result.status !== "ok");

for (const { id, name, status, reason, response } of failures) {
  const answer = response ? ` (HTTP ${response.status})` : "";
  console.log(`${status}: ${id} ${name}\n  ${reason}${answer}`);
}

const passed = results.length - failures.length;
const unexpected = results.length !== EXPECTED ? ` of ${EXPECTED} expected audits, found ${results.length}` : "";
console.log(`audits: ${passed} passed, ${failures.length} failed${unexpected}`);
process.exit(passed === EXPECTED && failures.length === 0 ? 0 : 1);
