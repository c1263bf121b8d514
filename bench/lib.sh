# Shared functions of the benchmarks: programs, the binary, and a server with a fresh data directory. Sourced from this
# directory.
# Debian does not add PostgreSQL's programs to PATH. Like Souk, use the newest version.
PATH="$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1):$PATH"

# need PROGRAM...: exits if a program is missing.
need() {
  for program; do
    command -v "$program" >/dev/null || { echo "$program is missing: apt-get install wrk curl postgresql" >&2; exit 1; }
  done
}

# find_souk: sets souk to the binary in SOUK_BIN, or builds it.
find_souk() {
  if [[ -n ${SOUK_BIN-} ]]; then
    souk=$(cd "$OLDPWD" && realpath -e "$SOUK_BIN")
  else
    cargo build --release --locked
    souk=$(realpath -e "${CARGO_TARGET_DIR:-../target}/release/souk")
  fi
}

# create_workdir: sets work to a temporary directory; on exit it is removed and the server is stopped.
create_workdir() {
  # The postgres user must be able to access it.
  work=$(mktemp -d)
  chmod 755 "$work"
  pid=
  trap remove_workdir EXIT
  trap 'exit 130' INT TERM
  unset DATABASE_URL
  # All clients have the same address.
  export SOUK_UNPAID_SHARE=100 SOUK_UNPAID_ORDERS=0
  export SOUK_DATA_DIR=$work/data SOUK_ENV=production SOUK_JWT_SECRET=only-for-this-run-of-the-benchmark
}

remove_workdir() {
  [[ -z $pid ]] || { kill "$pid"; wait "$pid"; } 2>/dev/null || true
  rm -rf "$work"
}

# serve: starts Souk on a free port; sets pid, port and url (of the database).
serve() {
  : >"$work/stdout"
  "$souk" serve --listen 127.0.0.1:0 >"$work/stdout" 2>>"$work/log" &
  pid=$!
  port=
  until [[ -n $port ]] && curl -sf "http://127.0.0.1:$port/readyz" >/dev/null; do
    kill -0 "$pid" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
    port=$(sed -n 's|.*http://127.0.0.1:\([0-9]*\)/readyz.*|\1|p' "$work/stdout")
    sleep 0.05
  done
  url=$("$souk" db url)
}

# query SQL: prints a single value.
query() { psql -XAtq -v ON_ERROR_STOP=1 -c "$1" "$url"; }

median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }
