-- wrk: POST the bodies of a file, one a line, in turn; at the end one line that bench/servers.py reads.
local requests, next_request = {}, 0

function init(args)
  wrk.headers["Content-Type"] = "application/json"
  for body in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("POST", nil, nil, body)
  end
  next_request = math.random(#requests) -- the threads need not ask for the same
end

function request()
  next_request = next_request % #requests + 1
  return requests[next_request]
end

function done(summary)
  local e = summary.errors
  print(string.format("RESULT %d %d", summary.requests, e.connect + e.read + e.write + e.timeout + e.status))
end
