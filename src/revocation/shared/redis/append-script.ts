/** The one atomic step by which the log grows, and the one that mends it in place. */
import { defineScript } from '../../../redis/script.ts';

/**
 * KEYS: log, entries, stream; and the idempotency key, if any.
 * ARGV: epoch, seq expected, state expected, state after, final status codes as bytes, 1 to keep the answer, the
 * answer, its life (ms), '' or the schema that the state after asks for; then hash and entry of each record.
 * Answers `repeated` and the answer of before; `moved`; or `appended`. An error means that nothing was written:
 * every key is read before the first write, and only the first write can be refused (READONLY, OOM, MISCONF,
 * NOREPLICAS, a stream that goes on otherwise), since Redis settles all of these before or at it.
 *
 * Whatever planned the change, a final status (byte 1 of the entry) is never replaced by another one, and the instant of
 * a supersede (an entry of version 2, float64 at byte 12) never set back.
 *
 * A stream remembers the highest id it ever had. Where a stray beyond the head was deleted again, nothing could be
 * appended any more and nobody would see why: such a stream is begun anew, and who lacked its records finds a gap.
 */
export const APPEND = defineScript(`
local log = redis.call('HMGET', KEYS[1], 'epoch', 'seq', 'state', 'founding')
if log[4] or log[1] ~= ARGV[1] then return {'moved'} end
local answer = KEYS[4] and redis.call('GET', KEYS[4])
if answer then return {'repeated', answer} end
if log[2] ~= ARGV[2] or log[3] ~= ARGV[3] then return {'moved'} end

local count = (#ARGV - 9) / 2
local hashes, entries = {}, {}
for i = 1, count do
  hashes[i], entries[i] = ARGV[8 + 2 * i], ARGV[9 + 2 * i]
end
local final = {}
for i = 1, #ARGV[5] do final[string.byte(ARGV[5], i)] = true end
local held, latest = count > 0 and redis.call('HMGET', KEYS[2], unpack(hashes)), {}
for i, hash in ipairs(hashes) do
  local before = latest[hash] or held[i]
  local status = before and string.byte(before, 2)
  if final[status or -1] and status ~= string.byte(entries[i], 2) then
    return redis.error_reply('FINAL a final status would be replaced')
  end
  local isSupersede = before and #before == #entries[i] and string.byte(before, 1) == 2
  if isSupersede and struct.unpack('>d', entries[i], 13) < struct.unpack('>d', before, 13) then
    return redis.error_reply('FINAL an instant would be set back')
  end
  latest[hash] = entries[i]
end

local expected = tonumber(ARGV[2])
local function add(i)
  return redis.pcall('XADD', KEYS[3], string.format('%.0f-0', expected + i), 'h', hashes[i], 'e', entries[i])
end
for i = 1, count do
  local added = add(i)
  if type(added) == 'table' and added.err and string.find(added.err, 'XADD', 1, true) then
    local from = string.format('%.0f-0', expected + 1)
    if #redis.call('XRANGE', KEYS[3], from, '+', 'COUNT', 1) > 0 then
      return redis.error_reply('MALFORMED the stream goes beyond the log')
    end
    redis.call('UNLINK', KEYS[3])
    added = add(i)
  end
  if type(added) == 'table' and added.err then return added end
end
if count > 0 then
  redis.call('HSET', KEYS[2], unpack(ARGV, 10))
  redis.call('HSET', KEYS[1], 'seq', string.format('%.0f', expected + count), 'state', ARGV[4])
  if ARGV[9] ~= '' then redis.call('HSET', KEYS[1], 'schema', ARGV[9]) end
end
if KEYS[4] and ARGV[6] == '1' then
  local kept = redis.pcall('SET', KEYS[4], ARGV[7], 'PX', ARGV[8])
  if kept.err then return kept end
end
return {'appended'}
`);

/** KEYS: log, entries. ARGV: epoch, seq, state, then hash and entry of each. Answers 1 or 0. */
export const RESTORE = defineScript(`
local log = redis.call('HMGET', KEYS[1], 'epoch', 'seq', 'state', 'founding')
if log[4] or log[1] ~= ARGV[1] or log[2] ~= ARGV[2] or log[3] ~= ARGV[3] then return 0 end
if #ARGV == 3 then return 1 end
local put = redis.pcall('HSET', KEYS[2], unpack(ARGV, 4))
if type(put) == 'table' and put.err then return put end
return 1
`);
