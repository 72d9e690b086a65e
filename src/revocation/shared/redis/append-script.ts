/** The one atomic step by which the log grows. */
import { defineScript } from './script.ts';

/**
 * KEYS: log, entries, stream; and the idempotency key, if any.
 * ARGV: epoch, seq expected, state after, final status codes as bytes, answer, its life (ms); then hash and entry
 * of each record.
 * Answers `repeated` and the answer of before; `moved`; or `appended`. An error means that nothing was written:
 * every key is read before the first write, and only the first write can be refused (READONLY, OOM, MISCONF,
 * NOREPLICAS, a stream that goes on otherwise), since Redis settles all of these before or at it.
 *
 * Whatever planned the change, a final status (byte 1 of the entry) is never replaced by another one.
 *
 * A repetition extends the answer's life by nothing: a write without effect, so that the WAIT that follows on this
 * connection waits for a write at all, and thereby for all writes before.
 */
export const APPEND = defineScript(`
if KEYS[4] then
  local answer = redis.call('GET', KEYS[4])
  if answer then
    local lifeMs = redis.call('PTTL', KEYS[4])
    if lifeMs > 0 then
      local touched = redis.pcall('PEXPIRE', KEYS[4], lifeMs)
      if type(touched) == 'table' and touched.err then return touched end
    end
    return {'repeated', answer}
  end
end
local log = redis.call('HMGET', KEYS[1], 'epoch', 'seq', 'phase')
if log[1] ~= ARGV[1] or log[2] ~= ARGV[2] or log[3] ~= 'open' then return {'moved'} end

local count = (#ARGV - 6) / 2
local hashes, entries = {}, {}
for i = 1, count do
  hashes[i], entries[i] = ARGV[5 + 2 * i], ARGV[6 + 2 * i]
end
local final = {}
for i = 1, #ARGV[4] do final[string.byte(ARGV[4], i)] = true end
local held, latest = redis.call('HMGET', KEYS[2], unpack(hashes)), {}
for i, hash in ipairs(hashes) do
  local before = latest[hash] or held[i]
  local status = before and string.byte(before, 2)
  if final[status or -1] and status ~= string.byte(entries[i], 2) then
    return redis.error_reply('FINAL a final status would be replaced')
  end
  latest[hash] = entries[i]
end

local expected = tonumber(ARGV[2])
for i, hash in ipairs(hashes) do
  local id = string.format('%.0f-0', expected + i)
  local added = redis.pcall('XADD', KEYS[3], id, 'h', hash, 'e', entries[i])
  if type(added) == 'table' and added.err then
    if string.find(added.err, 'XADD', 1, true) then
      return redis.error_reply('MALFORMED the stream goes beyond the log')
    end
    return added
  end
end
redis.call('HSET', KEYS[2], unpack(ARGV, 7))
redis.call('HSET', KEYS[1], 'seq', string.format('%.0f', expected + count), 'state', ARGV[3])
if KEYS[4] then redis.call('SET', KEYS[4], ARGV[5], 'PX', ARGV[6]) end
return {'appended'}
`);
