// Prints NOTICE: the packages in the bundles (read from their source maps), their owners, and the license texts.
// Run by update.sh in a directory where the packages are installed.

import { existsSync, readFileSync, readdirSync } from 'node:fs';

const bundles = [
  ['graphiql', 'graphiql.min.js.map'],
  ['graphql-playground-react', 'build/static/js/middleware.js.map'],
  ['react'],
  ['react-dom'],
];

/** Returns the names of the packages whose sources a bundle contains, starting with the bundle's own package. */
function packagesOf([owner, map]) {
  if (!map) return [owner];
  const { sources } = JSON.parse(readFileSync(`node_modules/${owner}/${map}`, 'utf8'));
  const names = sources.map(
    (source) =>
      source.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? // installed
      source.match(/^(?:\.\.\/)+(?:graphiql-(?:react|toolkit|plugin-[^/]+)|codemirror-graphql|graphql-language-service)/)?.[0]
        .replace(/^(\.\.\/)+/, '')
        .replace(/^graphiql-/, '@graphiql/'), // another package of GraphiQL's monorepo
  );
  return [...new Set([owner, ...names.filter(Boolean)])];
}

/** Returns the text of a package's license file, if it has one. */
function licenseFile(directory) {
  const file = readdirSync(directory).find((name) => /^(licen[sc]e|copying)/i.test(name));
  return file && readFileSync(`${directory}/${file}`, 'utf8').trim();
}

const people = (author) => author && (author.name ?? author).replace(/\s*[<(].*/, '');
const isCopyright = (line) => /^[\s#*]*(copyright|©)\b.*(\d{4}|\(c\)|©)/i.test(line);

const packages = new Map();
const texts = new Map();
for (const bundle of bundles) {
  for (const name of packagesOf(bundle)) {
    const directory = [`node_modules/${bundle[0]}/node_modules/${name}`, `node_modules/${name}`].find(existsSync);
    if (!directory) {
      throw new Error(`${bundle[0]} contains ${name}: add it to BUILT_IN in update.sh`);
    }
    const about = JSON.parse(readFileSync(`${directory}/package.json`, 'utf8'));
    const license = about.license?.type ?? about.license ?? about.licenses?.[0]?.type ?? 'see the package';
    const lines = (licenseFile(directory) ?? '').split('\n');
    const owners = lines.filter(isCopyright).map((line) => line.replace(/^[\s#*]+/, '').trim());
    const maker = people(about.author) ?? (about.contributors ?? []).map(people).join(', ');
    packages.set(name, { license, owner: owners.join('; ') || (maker && `by ${maker}`) || 'by its contributors' });

    const body = lines.filter((line) => !isCopyright(line)).join('\n').replace(/\n{3,}/g, '\n\n').trim();
    const key = body.toLowerCase().replace(/^.*?(?=permission is hereby|redistribution and use)/s, '').replace(/[\s*"“”'.-]+/g, '');
    if (body && !texts.has(key)) texts.set(key, { body, name });
  }
}

console.log('The files in this folder whose names end in .gz hold these packages.\n');
for (const [name, { license, owner }] of [...packages].sort(([a], [b]) => a.localeCompare(b))) {
  console.log(`${name} (${license}): ${owner}`);
}
for (const { body, name } of texts.values()) {
  console.log(`\n${'-'.repeat(78)}\nLicence of ${name} and others that share its wording:\n\n${body}`);
}
