/** The head of the log and the records after one's own, in one piece: what every gateway asks all the time. */
import { defineScript, FORM_LUA } from './script.ts';

/**
 * KEYS: log, stream of the epoch that the caller believes in.
 * ARGV: schema, fingerprint, that epoch, the seq to read after, records at most, replicas required.
 * Answers: `empty`; `foreign` and which; `malformed`; `founding` and its epoch; `epoch` and the present one, for
 * which other keys must be named; or `log`, epoch, seq, state, oldest id kept ('' for none), first id after the
 * records given that does not continue them ('' for none), records of 60 bytes in a row.
 *
 * Only a primary answers. A demoted or cut-off one would agree with every copy of the past for ever, and silence
 * would pass for freshness. Where replicas are required, a primary that has not heard from as many of them for
 * more than three seconds does not answer either: it may have been replaced behind its back.
 *
 * A record without the form of one is given as zeros, which no MAC fits: whoever follows refuses it by the same
 * rule as a forged one.
 */
export const FOLLOW = defineScript(`${FORM_LUA}
local replication = redis.call('INFO', 'replication')
if not string.find(replication, 'role:master', 1, true) then
  return redis.error_reply('READONLY not the primary')
end
local required, heard = tonumber(ARGV[6]), 0
if required > 0 then
  for lag in string.gmatch(replication, 'state=online,offset=%d+,lag=(%d+)') do
    if tonumber(lag) <= 3 then heard = heard + 1 end
  end
  if heard < required then return redis.error_reply('NOREPLICAS too few replicas are heard from') end
end

local what, _, epoch, seq, state = form(KEYS[1], ARGV[1], ARGV[2])
if what == 'empty' or what == 'malformed' then return {what} end
if what == 'schema' or what == 'fingerprint' then return {'foreign', what} end
if what == 'founding' then return {what, epoch} end
if epoch ~= ARGV[3] then return {'epoch', epoch} end

local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)
local after = tonumber(ARGV[4])
local records, gap = {}, ''
if after < tonumber(seq) then
  local from = string.format('%.0f-0', after + 1)
  for i, record in ipairs(redis.call('XRANGE', KEYS[2], from, seq .. '-0', 'COUNT', ARGV[5])) do
    if record[1] ~= string.format('%.0f-0', after + i) then
      gap = record[1]
      break
    end
    local f = record[2]
    local whole = #f == 4 and f[1] == 'h' and #f[2] == 16 and f[3] == 'e' and #f[4] == 44
    records[i] = whole and f[2] .. f[4] or string.rep('\\0', 60)
  end
end
return {'log', epoch, seq, state, oldest[1] and oldest[1][1] or '', gap, table.concat(records)}
`);
