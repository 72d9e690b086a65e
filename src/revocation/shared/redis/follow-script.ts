/** The head of the log and the records after one's own, in one piece: what every gateway asks all the time. */
import { defineScript } from '../../../redis/script.ts';
import { FORM_LUA, MAX_LEASE_MS, NOW_LUA } from './script.ts';

/** Lua: `primary()`, Redis's account of its replication; an error where it is no primary. */
const PRIMARY_LUA = `
local replication = redis.call('INFO', 'replication')
if not string.find(replication, 'role:master', 1, true) then
  return redis.error_reply('READONLY not the primary')
end
`;

/**
 * KEYS: log, stream of the epoch that the caller believes in, holds.
 * ARGV: schema, fingerprint, that epoch, the seq to read after, records at most, 1 if Redis may be a cluster.
 * Answers: `empty`; `foreign` and which; `malformed`; `founding` and its epoch; `epoch` and the present one, for
 * which other keys must be named; or `log`, epoch, seq, state, oldest id kept ('' for none), run id, replication id
 * ('' where not to be had), 1 if somebody holds the log, the ids of the records, their 60 bytes each in a row.
 *
 * Only a primary answers. A demoted one would agree with every copy of the past for ever, and silence would pass
 * for freshness. One that was cut off does not know that it is none: that is for its replicas to say (`follow.ts`).
 * A node of a cluster is refused (CLUSTERMODE) unless it was looked for as one: what replicas are asked by elsewhere
 * does not reach them there, and nobody would know where the keys go from it.
 *
 * A record without the form of one is given as zeros, which no MAC fits: whoever follows refuses it by the same
 * rule as a forged one. Holds that have not the form of holds count as none; the next hold replaces them.
 */
export const FOLLOW = defineScript(`${FORM_LUA}${NOW_LUA}${PRIMARY_LUA}
local server = redis.call('INFO', 'server')
if ARGV[6] ~= '1' and string.find(server, '_mode:cluster', 1, true) then
  return redis.error_reply('CLUSTERMODE look for it as a cluster')
end
local what, epoch, seq, state = form(KEYS[1], ARGV[1], ARGV[2])
if what == 'empty' or what == 'malformed' then return {what} end
if what == 'schema' or what == 'fingerprint' then return {'foreign', what} end
if what == 'founding' then return {what, epoch} end
if epoch ~= ARGV[3] then return {'epoch', epoch} end

local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)
local from = string.format('%.0f-0', tonumber(ARGV[4]) + 1)
local ids, records = {}, {}
for i, record in ipairs(redis.call('XRANGE', KEYS[2], from, '+', 'COUNT', ARGV[5])) do
  local f = record[2]
  local whole = string.sub(record[1], -2) == '-0'
    and #f == 4 and f[1] == 'h' and #f[2] == 16 and f[3] == 'e' and #f[4] == 44
  ids[i] = record[1]
  records[i] = whole and f[2] .. f[4] or string.rep('\\0', 60)
end

local nowMs = now()
local holds = redis.pcall('ZCOUNT', KEYS[3], string.format('(%.0f', nowMs),
  string.format('%.0f', nowMs + ${MAX_LEASE_MS}))
local held = type(holds) == 'number' and holds > 0 and 1 or 0
local runId = string.match(server, 'run_id:(%x+)') or ''
local replicationId = string.match(replication, 'master_replid:(%x+)') or ''
return {'log', epoch, seq, state, oldest[1] and oldest[1][1] or '', runId, replicationId, held,
  table.concat(ids, ' '), table.concat(records)}
`);

/** Answers only on a primary, and in a cluster only on the one whose the log's key is. KEYS: log. */
export const LEADS = defineScript(`${PRIMARY_LUA}
return 1
`);

/**
 * The epochs that stand in the log, to name the keys of calls that follow: of the life that is open or was last,
 * and of the one being founded; '' for none. KEYS: log.
 */
export const PEEK = defineScript(`${PRIMARY_LUA}
local f = redis.call('HMGET', KEYS[1], 'epoch', 'founding')
return {f[1] or '', f[2] or ''}
`);
