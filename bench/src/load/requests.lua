-- The script of wrk: cycles requests made of the corpus, or sends those of a file, and reports by lines that
-- load-report.ts reads. Its parameters come by environment variables, set by load-spec.ts:
--   LOAD_CREDENTIALS_FILE  one credential a line
--   LOAD_FORM              single-json, batch-json, batch-lines, or prebuilt: then
--   LOAD_REQUESTS_FILE, LOAD_REQUEST_BYTES  requests as they are sent, and the bytes of each
--   LOAD_SENT_ONCE         yes: the run ends with the file's last request, if its time is not over before
--   LOAD_PATH, LOAD_HOST, LOAD_CONTENT_TYPE, LOAD_ACCEPT
--   LOAD_BATCH             credentials in a request
--   LOAD_CHECK_ONE_IN      count the verdicts of one answer in so many, and see that the others are whole; 0: neither
--   LOAD_SERVER_PID        whose CPU time is read at both ends of the run
--   LOAD_BESIDE_PID        another one, if it is set

local function report(name, value)
  io.write("load ", name, " ", tostring(value), "\n")
  io.flush()
end

local function report_cpu(moment)
  local pids = {
    generator = "self",
    server = os.getenv("LOAD_SERVER_PID"),
    beside = os.getenv("LOAD_BESIDE_PID"),
  }
  for who, pid in pairs(pids) do
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

-- What surrounds the results of a batch in JSON, and the least that one of them takes.
local RESULTS, RESULT_CHARS, TAIL_CHARS = '{"results":[', 20, 400

-- Whether an answer has a right beginning, end and length; cheap, whatever its length.
local function is_whole(body, batch, bytes)
  if bytes then return #body == batch end
  if batch == 1 then return body:sub(1, 11) == '{"verdict":' end
  if #body < batch * RESULT_CHARS or body:sub(1, #RESULTS) ~= RESULTS then return false end
  local summary = body:sub(-TAIL_CHARS):match('"summary":(%b{})')
  return summary ~= nil and tonumber(summary:match('"valid":(%d+)')) == batch
end

-- How many credentials an answer calls valid, counted one by one.
local function valid_in(body, batch, bytes)
  -- One byte a credential, 0 for valid.
  if bytes and not body:find("%Z") then return #body end
  if bytes then return select(2, body:gsub("%z", "")) end
  local count, at = 0, 1
  while true do
    local first, last = body:find('"verdict":"valid"', at, true)
    if not first then return count end
    count, at = count + 1, last + 1
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

-- Ends wrk before its time, as Ctrl-C would: by that signal its main thread wakes up.
local function end_run()
  local ffi = require("ffi")
  ffi.cdef("int kill(int pid, int sig); int getpid(void);")
  wrk.thread:stop()
  ffi.C.kill(ffi.C.getpid(), 2)
end

-- More than so much may be more than LuaJIT can have in memory.
local MOST_KEPT_BYTES = 256 * 1024 * 1024

-- The next request of a file, or nil at its end; a small file is read beforehand, a large one as it is needed.
local function reader_of(path, bytes)
  local file = assert(io.open(path, "rb"))
  local function read() return file:read(bytes) end
  if file:seek("end") > MOST_KEPT_BYTES then
    file:seek("set")
    return read, function() file:seek("set") end
  end
  file:seek("set")
  for text in read do requests[#requests + 1] = text end
  local function next_kept()
    at = at + 1
    return requests[at]
  end
  return next_kept, function() at = 0 end
end

local function send_prebuilt()
  local read, rewind = reader_of(os.getenv("LOAD_REQUESTS_FILE"), tonumber(os.getenv("LOAD_REQUEST_BYTES")))
  local once, resting = os.getenv("LOAD_SENT_ONCE") == "yes", 0
  function request()
    local text = read()
    if text then return text end
    if not once then
      rewind()
      return read()
    end
    -- A connection asks for its next request when it was answered: once all rest, all answers are there.
    resting = resting + 1
    if resting == tonumber(os.getenv("LOAD_CONNECTIONS")) then end_run() end
    return ""
  end
end

-- wrk keeps bodies only when there is a function `response`; it calls it for every one.
local function check_answers(one_in)
  local batch, answers = tonumber(os.getenv("LOAD_BATCH")), 0
  local bytes = os.getenv("LOAD_ACCEPT") == "application/octet-stream"
  function response(status, headers, body)
    answers = answers + 1
    -- A gateway that could not ask the others says so, and has not done the whole work.
    local alone = headers["vigie-replay"] or body:find('"replay":"local"', -TAIL_CHARS, true)
    if status ~= 200 or alone or not is_whole(body, batch, bytes) then
      checked, not_valid = checked + batch, not_valid + batch
    elseif answers % one_in == 0 then
      checked = checked + batch
      -- More than there are items is no better than fewer.
      not_valid = not_valid + math.abs(batch - valid_in(body, batch, bytes))
    end
  end
end

-- Runs once, before the clock of the run starts.
function init()
  if os.getenv("LOAD_FORM") == "prebuilt" then send_prebuilt() else build_requests() end
  collectgarbage()
  local one_in = tonumber(os.getenv("LOAD_CHECK_ONE_IN"))
  if one_in > 0 then check_answers(one_in) end
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
