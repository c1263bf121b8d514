-- Posts random lines of a file, each of which is a JSON request body: wrk -s post.lua URL -- FILE [TOKEN]
-- The last line printed is read by run.sh: requests/s, p50 and p99 in microseconds, failed requests.
local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("seed", threads) -- otherwise all threads would choose the same lines
end

function init(args)
  math.randomseed(seed)
  local headers = { ["Content-Type"] = "application/json" }
  if args[2] then
    headers["Authorization"] = "Bearer " .. args[2]
  end
  requests = {}
  for body in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("POST", nil, headers, body)
  end
end

function request()
  return requests[math.random(#requests)]
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  local rate = summary.requests / summary.duration * 1e6
  print(string.format("%.0f %.0f %.0f %d", rate, latency:percentile(50), latency:percentile(99), failed))
end
