/**
 * How one life of the log ends and the next begins. While it is being founded the log belongs to the holder of
 * the founding lease; whoever lost the lease can do nothing more to it, however late its commands arrive.
 * Each of these may be sent again when its answer was lost.
 */
import { defineScript, FORM_LUA } from './script.ts';

/** Epoch and `previous` of the log, to name the keys of the scripts below. KEYS: log. */
export const PEEK = defineScript(`
local f = redis.call('HMGET', KEYS[1], 'epoch', 'previous', 'phase')
return {f[1] or '', f[2] or '', f[3] or ''}
`);

/**
 * KEYS: log, lease, entries and stream of the present epoch, entries and stream of the new one.
 * ARGV: schema, fingerprint, epoch seen ('' for none), present epoch as peeked ('' for none), new epoch, token,
 * lease (ms). Answers 1 or 0.
 *
 * None seen means no log, or one that has not the form of a log: it is then founded anew. A log of another schema
 * or secret is never touched. Nothing is appended to the life that ends from here on, and its entries stay until
 * the new one opens: what is merged from them now is all there is. A founding that was given up is dropped.
 */
export const BEGIN = defineScript(`${FORM_LUA}
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[6] then return 0 end
local what, phase, epoch = form(KEYS[1], ARGV[1], ARGV[2])
if what == 'schema' or what == 'fingerprint' then return 0 end
if not epoch or #epoch ~= 16 then epoch = '' end
if epoch ~= ARGV[4] then return 0 end
if what == 'founding' and epoch == ARGV[5] then return holder and 1 or 0 end

local function is(key, wanted)
  local found = redis.call('TYPE', key).ok
  return found == 'none' or found == wanted
end
local malformed = what == 'malformed' or not is(KEYS[3], 'hash') or not is(KEYS[4], 'stream')
if ARGV[3] == '' then
  if what ~= 'empty' and not malformed then return 0 end
elseif epoch ~= ARGV[3] then
  return 0
end

local previous = phase == 'founding' and redis.call('HGET', KEYS[1], 'previous') or epoch
local leased = redis.pcall('SET', KEYS[2], ARGV[6], 'PX', ARGV[7])
if leased.err then return leased end
if phase == 'founding' and epoch ~= '' then redis.call('UNLINK', KEYS[3], KEYS[4]) end
redis.call('UNLINK', KEYS[5], KEYS[6])
redis.call('HSET', KEYS[1], 'schema', ARGV[1], 'fingerprint', ARGV[2], 'phase', 'founding',
  'epoch', ARGV[5], 'seq', '0', 'state', '', 'previous', previous or '')
return 1
`);

/** KEYS: log, lease, entries. ARGV: epoch, token, lease (ms), then hash and entry of each. Answers 1 or 0. */
export const PUT = defineScript(`
if redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end
local log = redis.call('HMGET', KEYS[1], 'epoch', 'phase')
if log[1] ~= ARGV[1] or log[2] ~= 'founding' then return 0 end
local put = redis.pcall('HSET', KEYS[3], unpack(ARGV, 4))
if type(put) == 'table' and put.err then return put end
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
`);

/**
 * KEYS: log, lease, entries and stream of the life that ends.
 * ARGV: epoch, token, epoch of the life that ends ('' for none), seq, state. Answers 1 or 0.
 */
export const OPEN = defineScript(`
local log = redis.call('HMGET', KEYS[1], 'epoch', 'phase', 'previous')
if log[1] ~= ARGV[1] then return 0 end
if log[2] == 'open' then return 1 end
if redis.call('GET', KEYS[2]) ~= ARGV[2] or (log[3] or '') ~= ARGV[3] then return 0 end
local opened = redis.pcall('HSET', KEYS[1], 'phase', 'open', 'seq', ARGV[4], 'state', ARGV[5])
if type(opened) == 'table' and opened.err then return opened end
redis.call('HDEL', KEYS[1], 'previous')
redis.call('DEL', KEYS[2])
if ARGV[3] ~= '' then redis.call('UNLINK', KEYS[3], KEYS[4]) end
return 1
`);
