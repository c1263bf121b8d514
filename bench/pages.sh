# Measures page 1 and page 1,000 of a list for every filter and sort order. Sourced from this directory, after lib.sh. The
# database must have the admin admin@bench.example with the password "bench-admin-password".
readonly ROWS=20 PAGE=1000 FACTOR=1.5

# post BODY [TOKEN]: prints the response; exits if it contains errors.
post() {
  local response
  response=$(curl -sf "http://127.0.0.1:$port/graphql" -H 'Content-Type: application/json' ${2:+-H "Authorization: Bearer $2"} -d "$1")
  [[ $response != *'"errors"'* ]] || { echo "$1: unexpected response: $response" >&2; exit 1; }
  echo "$response"
}

# log_in: logs in and sets token.
log_in() {
  local login='{"query": "mutation { login(input: {email: \"admin@bench.example\", password: \"bench-admin-password\"}) { accessToken } }"}'
  token=$(post "$login" | sed -n 's/.*"accessToken": *"\([^"]*\)".*/\1/p')
}

# id TYPE KEY: prints the global id, which is base64url of `Type:key`.
id() { printf '%s:%s' "$1" "$2" | base64 | tr '+/' '-_' | tr -d '='; }

# body ROWS SELECTION WHERE ORDER AFTER: prints a request. Additional arguments precede the filter: `onePerGroup: true|{}`.
body() {
  local more=
  [[ $3 == \{* ]] || more="${3%%|*}, "
  printf '{"query": "query ($where: %sWhere, $order: %sOrder, $after: String) { %s(%sfirst: %s, after: $after, where: $where, orderBy: $order) { %s } }", "variables": {"where": %s, "order": {"field": "%s", "direction": "%s"}, "after": %s}}' \
    "$resource" "$resource" "$list" "$more" "$1" "$2" "${3##*|}" "${4%:*}" "${4#*:}" "$5"
}

# millis BODY: prints the median time of the request, on one connection.
millis() {
  printf '%s' "$1" >"$work/body"
  curl -sf "http://127.0.0.1:$port/graphql?[1-$times]" -o "$work/response" -w '%{time_total}\n' \
    -H 'Content-Type: application/json' -H "Authorization: Bearer $token" -d "@$work/body" |
    median | awk '{ printf "%.2f", $1 * 1000 }'
  grep -q '"nodes"' "$work/response" || { echo "$1: $(<"$work/response")" >&2; exit 1; }
}

# cursor WHERE ORDER: prints the cursor before page 1,000; nothing if the list is shorter.
cursor() {
  local left=$((ROWS * (PAGE - 1))) after=null step response
  while ((left)); do
    step=$((left < 100 ? left : 100))
    response=$(post "$(body $step 'pageInfo { hasNextPage endCursor }' "$1" "$2" "$after")" "$token")
    [[ $response == *'"hasNextPage":true'* ]] || return 0
    [[ $response =~ \"endCursor\":(\"[^\"]*\") ]]
    after=${BASH_REMATCH[1]}
    left=$((left - step))
  done
  echo "$after"
}

# measure DATA: prints the times of all `cases` (alternating names and filters) in all sort `orders`, each the median of
# `times` requests for `selection` of `list`; `resource` is the prefix of its input types.
measure() {
  local slower=0 index name where order first after far ratio
  echo
  echo "$("$souk" --version), PostgreSQL $(query 'SHOW server_version'), $(nproc) cores; $1, pages of $ROWS, one client, medians of $times"
  printf '\n%-30s %-18s %10s %12s %7s\n' "$list where" 'order by' 'page 1, ms' 'page 1,000' 'ratio'
  for ((index = 0; index < ${#cases[@]}; index += 2)); do
    name=${cases[index]} where=${cases[index + 1]}
    for order in "${orders[@]}"; do
      first=$(millis "$(body $ROWS "$selection" "$where" "$order" null)")
      after=$(cursor "$where" "$order")
      far='' ratio=''
      if [[ -n $after ]]; then
        far=$(millis "$(body $ROWS "$selection" "$where" "$order" "$after")")
        ratio=$(awk -v first="$first" -v far="$far" 'BEGIN { printf "%.2f", far / first }')
        ! awk -v ratio="$ratio" -v factor=$FACTOR 'BEGIN { exit ratio <= factor }' || slower=$((slower + 1))
      fi
      printf '%-30s %-18s %10s %12s %7s\n' "$name" "$(tr '[:upper:]_:' '[:lower:]  ' <<<"${order/_AT/}")" "$first" "${far:--}" "${ratio:--}"
      name=
    done
  done
  echo
  echo "- : the list has fewer than 1,000 pages. Lists whose page 1,000 takes more than $FACTOR times as long as page 1: $slower"
}
