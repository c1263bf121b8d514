-- Checks out each cart once: wrk -s checkout.lua URL -- FILE THREADS
-- Each line of the file is a cart token, a tab and the JSON body of the checkout. The threads share the lines.
local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("turn", threads)
end

function init(args)
  requests, at = {}, 0
  local number = 0
  for line in io.lines(args[1]) do
    number = number + 1
    if number % tonumber(args[2]) == turn - 1 then
      local token, body = line:match("^(%S+)\t(.*)$")
      local headers = { ["Content-Type"] = "application/json", ["X-Cart-Token"] = token }
      requests[#requests + 1] = wrk.format("POST", nil, headers, body)
    end
  end
end

function request()
  at = at + 1
  if at > #requests then
    wrk.thread:stop()
    at = #requests
  end
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  print(string.format("%d %.0f %.0f %d", summary.duration, latency:percentile(50), latency:percentile(99), failed))
end
