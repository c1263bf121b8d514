-- Like post.lua, but also checks the responses: wrk -s search.lua URL -- FILE
-- The last line printed is read by search_at_scale.sh: requests/s, p50 and p99 in microseconds, and the number of requests
-- that failed or returned errors.
dofile("post.lua")

local threads = {}
local number, read = setup, init

function setup(thread)
  number(thread)
  threads[#threads + 1] = thread
end

function init(args)
  wrong = 0
  read(args)
end

function response(status, headers, body)
  if body:find('"errors":', 1, true) then
    wrong = wrong + 1
  end
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  for _, thread in ipairs(threads) do
    failed = failed + thread:get("wrong")
  end
  local rate = summary.requests / summary.duration * 1e6
  print(string.format("%.1f %.0f %.0f %d", rate, latency:percentile(50), latency:percentile(99), failed))
end
