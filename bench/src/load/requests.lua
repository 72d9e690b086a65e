-- The script of wrk: cycles prebuilt requests made of the corpus, and reports by lines that load-report.ts
-- reads. Its parameters come by environment variables, set by wrk.ts:
--   LOAD_CREDENTIALS_FILE  one credential a line
--   LOAD_FORM              single-json, batch-json or batch-lines
--   LOAD_PATH, LOAD_HOST, LOAD_CONTENT_TYPE, LOAD_ACCEPT
--   LOAD_BATCH             credentials in a request
--   LOAD_CHECK             1: look into every answer; costs the generator time
--   LOAD_SERVER_PID        whose CPU time is read at both ends of the run

local function report(name, value)
  io.write("load ", name, " ", tostring(value), "\n")
  io.flush()
end

local function report_cpu(moment)
  for who, pid in pairs({ generator = "self", server = os.getenv("LOAD_SERVER_PID") }) do
    local file = io.open("/proc/" .. pid .. "/stat")
    if file then
      report(who .. "-stat-" .. moment, file:read("*l"))
      file:close()
    end
  end
end

local function body_of(form, credentials)
  if form == "batch-lines" then return table.concat(credentials, "\n") .. "\n" end
  local quoted = '"' .. table.concat(credentials, '","') .. '"'
  if form == "batch-json" then return '{"credentials":[' .. quoted .. "]}" end
  return '{"credential":' .. quoted .. "}"
end

local requests, at = {}, 0

local function build_requests()
  local form, batch = os.getenv("LOAD_FORM"), tonumber(os.getenv("LOAD_BATCH"))
  local head = "POST " .. os.getenv("LOAD_PATH") .. " HTTP/1.1\r\nHost: " .. os.getenv("LOAD_HOST")
    .. "\r\nContent-Type: " .. os.getenv("LOAD_CONTENT_TYPE") .. "\r\nAccept: " .. os.getenv("LOAD_ACCEPT")
    .. "\r\nContent-Length: "
  local credentials = {}
  for line in io.lines(os.getenv("LOAD_CREDENTIALS_FILE")) do
    credentials[#credentials + 1] = line
    if #credentials == batch then
      local body = body_of(form, credentials)
      requests[#requests + 1] = head .. #body .. "\r\n\r\n" .. body
      credentials = {}
    end
  end
end

-- Globals of the load thread's state, read by `done` from the main state.
checked, not_valid = 0, 0

-- How many credentials an answer calls valid.
local function valid_in(body, batch)
  if os.getenv("LOAD_ACCEPT") == "application/octet-stream" then
    -- One byte a credential, 0 for valid; what is missing counts as not valid.
    if #body == batch and not body:find("%Z") then return batch end
    local _, zeros = body:gsub("%z", "")
    return #body == batch and zeros or 0
  end
  if batch == 1 then return body:find('"verdict":"valid"', 1, true) and 1 or 0 end
  local summary = body:match('"summary":(%b{})')
  return tonumber(summary and summary:match('"valid":(%d+)') or 0)
end

function request()
  at = at % #requests + 1
  return requests[at]
end

-- Runs once, before the clock of the run starts.
function init()
  build_requests()
  collectgarbage()
  if os.getenv("LOAD_CHECK") == "1" then
    local batch = tonumber(os.getenv("LOAD_BATCH"))
    -- wrk keeps bodies only when this function is there.
    function response(_, _, body)
      checked = checked + batch
      not_valid = not_valid + batch - valid_in(body, batch)
    end
  end
  report_cpu("before")
end

local threads = {}
function setup(thread) threads[#threads + 1] = thread end

function done(summary, latency)
  report_cpu("after")
  local checks, wrong = 0, 0
  for _, thread in ipairs(threads) do
    checks, wrong = checks + thread:get("checked"), wrong + thread:get("not_valid")
  end
  local errors = summary.errors
  report("requests", summary.requests)
  report("duration-us", summary.duration)
  report("p50-us", latency:percentile(50))
  report("p99-us", latency:percentile(99))
  report("status-errors", errors.status)
  report("socket-errors", errors.connect + errors.read + errors.write + errors.timeout)
  report("checked", checks)
  report("not-valid", wrong)
end
