#!/bin/sh
# Downloads the pinned IDE packages from npm and rebuilds the compressed files and NOTICE.
# Requires npm, node and gzip. To upgrade: change a version, run this script, check both pages, commit.
set -eu

GRAPHIQL=4.1.2
REACT=18.3.1 # the last version with browser bundles
PLAYGROUND=1.7.28
# Contained in the bundles, but not installed as their dependencies; needed for the license texts only.
BUILT_IN="@radix-ui/react-use-escape-keydown@1.1.1 @react-aria/utils@3.29.0 webpack@4.47.0 assert@1.5.1
  process@0.11.10 promise@8.0.3 asap@2.0.6 util@0.10.4 buffer@4.9.2 base64-js@1.5.1 ieee754@1.2.1"

out=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps \
  "graphiql@$GRAPHIQL" "react@$REACT" "react-dom@$REACT" "graphql-playground-react@$PLAYGROUND" $BUILT_IN

# Removes embedded fonts (three quarters of GraphiQL's style sheet) and links to source maps, which are not shipped.
pack() {
  node -e '
    const text = require("fs").readFileSync(0, "utf8")
    process.stdout.write(text
      .replace(/@font-face\s*\{[^}]*\}\s*/g, "")
      .replace(/\n?(\/\/|\/\*)# sourceMappingURL=\S+?( ?\*\/)?\s*$/, "\n"))
  ' <"node_modules/$1" | gzip -9n >"$out/$2.gz"
}
pack graphiql/graphiql.min.js graphiql.min.js
pack graphiql/graphiql.min.css graphiql.min.css
pack react/umd/react.production.min.js react.min.js
pack react-dom/umd/react-dom.production.min.js react-dom.min.js
pack graphql-playground-react/build/static/js/middleware.js playground.min.js
pack graphql-playground-react/build/static/css/middleware.css playground.min.css

node "$out/notice.mjs" >"$out/NOTICE"
ls -l "$out"/*.gz
