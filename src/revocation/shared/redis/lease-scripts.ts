/** Leases, holds, and the change of the current filter snapshot: compare, then set. */
import { defineScript } from '../../../redis/script.ts';
import { MAX_LEASE_MS, NOW_LUA } from './script.ts';

/** KEYS: lease. ARGV: token, lease (ms). Taken if free, renewed if held by this token. Answers 1 or 0. */
export const LEASE = defineScript(`
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
local leased = redis.pcall('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if leased.err then return leased end
return 1
`);

/**
 * KEYS: holds. ARGV: token, hold (ms), 0 to end it. Holds that lapsed go with it; the last ones go by themselves.
 * Whatever else stands there is replaced.
 */
export const HOLD = defineScript(`${NOW_LUA}
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'none' and kind ~= 'zset' then redis.call('UNLINK', KEYS[1]) end
local nowMs = now()
local changed
if ARGV[2] == '0' then
  changed = redis.pcall('ZREM', KEYS[1], ARGV[1])
else
  changed = redis.pcall('ZADD', KEYS[1], string.format('%.0f', nowMs + tonumber(ARGV[2])), ARGV[1])
end
if type(changed) == 'table' and changed.err then return changed end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', nowMs))
redis.call('PEXPIRE', KEYS[1], ${MAX_LEASE_MS})
return 1
`);

/**
 * KEYS: filter. ARGV: name expected to be current ('' for none, '*' for whatever stands there and cannot be
 * read: it is only a cache), name, bytes and header of the new one. Answers 1, or 0 when another was published
 * meanwhile.
 */
export const PUBLISH = defineScript(`
local name, bytes = '', '0'
if ARGV[1] == '*' then
  redis.call('UNLINK', KEYS[1])
else
  local f = redis.call('HMGET', KEYS[1], 'name', 'bytes')
  name, bytes = f[1] or '', f[2] or '0'
  if name ~= ARGV[1] then return 0 end
end
local set = redis.pcall('HSET', KEYS[1], 'name', ARGV[2], 'bytes', ARGV[3], 'header', ARGV[4],
  'previous', name, 'previousBytes', bytes)
if type(set) == 'table' and set.err then return set end
return 1
`);
