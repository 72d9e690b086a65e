/**
 * How one life of the log ends and the next begins. While it is being founded the log belongs to whoever began it
 * last; whoever was superseded can do nothing more to it, however late its commands arrive.
 */
import { defineScript } from '../../../redis/script.ts';
import { FIRST_LOG_SCHEMA, FORM_LUA, MAX_LEASE_MS, NOW_LUA } from './script.ts';

/**
 * KEYS: log, entries and stream of the epoch peeked as open.
 * ARGV: schema, fingerprint, epoch seen ('' for none), epoch peeked ('' for none), new epoch, token, lease (ms).
 * Answers 1 or 0.
 *
 * None seen means no log, or one that has not the form of a log, parts of it included: it is then founded anew. A
 * log of another schema or secret is never touched. Entries stand as they are, those of a founding that was given
 * up as well: what is merged from them now is all there is. The schema stays what it was; of a log made anew it is the
 * first.
 */
export const BEGIN = defineScript(`${FORM_LUA}${NOW_LUA}
local what, shown = form(KEYS[1], ARGV[1], ARGV[2])
if what == 'schema' or what == 'fingerprint' then return 0 end
local nowMs = now()
if what == 'founding' then
  local f = redis.call('HMGET', KEYS[1], 'founder', 'until')
  local untilMs = tonumber(f[2] or '') or 0
  if f[1] ~= ARGV[6] and untilMs > nowMs and untilMs <= nowMs + ${MAX_LEASE_MS} then return 0 end
end
local function is(key, wanted)
  local found = redis.call('TYPE', key).ok
  return found == 'none' or found == wanted
end
local none = what == 'empty' or what == 'malformed'
if what == 'open' and shown == ARGV[4] then none = not (is(KEYS[2], 'hash') and is(KEYS[3], 'stream')) end
if ARGV[3] == '' then
  if not none then return 0 end
elseif what == 'empty' or what == 'malformed' or shown ~= ARGV[3] then
  return 0
end

local schema = (what == 'open' or what == 'founding') and redis.call('HGET', KEYS[1], 'schema')
  or '${FIRST_LOG_SCHEMA}'
if not is(KEYS[1], 'hash') then redis.call('UNLINK', KEYS[1]) end
local begun = redis.pcall('HSET', KEYS[1], 'schema', schema, 'fingerprint', ARGV[2], 'founding', ARGV[5],
  'founder', ARGV[6], 'until', string.format('%.0f', nowMs + tonumber(ARGV[7])))
if type(begun) == 'table' and begun.err then return begun end
if what == 'malformed' then redis.call('HDEL', KEYS[1], 'epoch', 'seq', 'state') end
return 1
`);

/**
 * KEYS: log, entries. ARGV: epoch, token, lease (ms), then hash and entry of each, if any. Answers 1 or 0.
 * A lease that lapsed is renewed if nobody has begun since: nothing has changed then.
 */
export const PUT = defineScript(`${NOW_LUA}
if redis.call('HGET', KEYS[1], 'founding') ~= ARGV[1] then return 0 end
if #ARGV > 3 then
  local put = redis.pcall('HSET', KEYS[2], unpack(ARGV, 4))
  if type(put) == 'table' and put.err then return put end
end
local renewed = redis.pcall('HSET', KEYS[1], 'founder', ARGV[2],
  'until', string.format('%.0f', now() + tonumber(ARGV[3])))
if type(renewed) == 'table' and renewed.err then return renewed end
return 1
`);

/**
 * KEYS: log, then entries and streams of all other lives, and the stream of this one. ARGV: epoch, seq, state, schema if
 * the state asks for a later one than the first.
 * Answers 1 or 0. Nothing can begin another life, whose entries would be missed here, without this answering 0.
 */
export const OPEN = defineScript(`
if redis.call('HGET', KEYS[1], 'founding') ~= ARGV[1] then return 0 end
local opened = redis.pcall('HSET', KEYS[1], 'epoch', ARGV[1], 'seq', ARGV[2], 'state', ARGV[3])
if type(opened) == 'table' and opened.err then return opened end
if ARGV[4] then redis.call('HSET', KEYS[1], 'schema', ARGV[4]) end
redis.call('HDEL', KEYS[1], 'founding', 'founder', 'until')
for i = 2, #KEYS do redis.call('UNLINK', KEYS[i]) end
return 1
`);
