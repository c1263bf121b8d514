-- Sends failing logins, each for a different account: wrk -s login.lua URL -- many|one
-- With `many`, X-Forwarded-For names a different client for each login; with `one`, always the same.
-- The last line printed is read by login_flood.sh: responses/s, and how many of them were rate limited.
local threads = {}

function setup(thread)
  threads[#threads + 1] = thread
end

function init(args)
  many = args[1] == "many"
  count = 0
  rejected = 0
  headers = { ["Content-Type"] = "application/json" }
end

function request()
  count = count + 1
  local client = many and count or 1
  headers["X-Forwarded-For"] = string.format("2001:db8:%x:%x::1", math.floor(client / 65536), client % 65536)
  local body = '{"query": "mutation { login(input: {email: \\"u%d@flood.example\\", password: \\"wrong one\\"}) { userErrors { code } } }"}'
  return wrk.format("POST", nil, headers, string.format(body, count))
end

function response(status, headers, body)
  if body:find("RATE_LIMITED", 1, true) then
    rejected = rejected + 1
  end
end

function done(summary)
  local all = 0
  for _, thread in ipairs(threads) do
    all = all + thread:get("rejected")
  end
  local seconds = summary.duration / 1e6
  print(string.format("%.0f %.0f", summary.requests / seconds, all / seconds))
end
