/** Appending, and waiting for replicas on the connection that appended; mending entries in place. */
import type { Call } from '../../../redis/connection.ts';
import { fault } from '../../../redis/fault.ts';
import { KEY_RETIRED, SUPERSEDED, statusCode } from '../../status-entry.ts';
import type { Append, Appended, HashedEntry, LogHead, LogRecord, LogResult } from '../shared-log.ts';
import { APPEND, RESTORE } from './append-script.ts';
import { listOf, type RedisContext, textOf } from './context.ts';
import { confirmationCalls, isConfirmed } from './follow.ts';
import { laterSchemaOf, MAX_PER_CALL } from './script.ts';

/** As long as an Idempotency-Key is kept. */
const IDEMPOTENCY_LIFE_MS = 86_400_000;
/** Statuses that nothing else replaces: a revoked card, a withdrawn key, superseded credentials. */
const FINAL = Buffer.from([statusCode('revoked'), statusCode(KEY_RETIRED), statusCode(SUPERSEDED)]);

export async function append(context: RedisContext, request: Append): Promise<LogResult<Appended>> {
  checkRecords(request);
  // In one write, so that no reconnection comes between: WAIT speaks of its own connection's writes.
  const [answer, ...proof] = await context.writer.run(
    [appendCall(context, request), ...confirmationCalls(context)],
    context.waitReplicas > 0 ? context.waitMs : 0,
  );
  if (!answer?.ok) return answer ?? fault('unreachable', 'CLOSED');

  const confirmed = isConfirmed(context, proof);
  const [what, earlier] = listOf(answer.value);
  switch (textOf(what)) {
    case 'moved':
      return { ok: true, value: { kind: 'moved' } };
    case 'appended':
      return { ok: true, value: { kind: confirmed ? 'appended' : 'unconfirmed' } };
    case 'repeated':
      if (!Buffer.isBuffer(earlier)) break;
      return { ok: true, value: confirmed ? { kind: 'repeated', answer: earlier } : { kind: 'unconfirmed' } };
  }
  return fault('malformed', 'MALFORMED');
}

function appendCall({ keys }: RedisContext, request: Append): Call {
  const { epoch, expectedSeq, expectedState, records, state, idempotency } = request;
  const names = [keys.log, keys.entries(epoch), keys.stream(epoch)];
  if (idempotency !== undefined) names.push(keys.idempotency(epoch, idempotency.hash));
  const answer = idempotency?.answer;
  const kept = answer === undefined ? [0, '', IDEMPOTENCY_LIFE_MS] : [1, answer, IDEMPOTENCY_LIFE_MS];
  const args = [epoch, expectedSeq, expectedState, state, FINAL, ...kept, laterSchemaOf(state) ?? ''];
  for (const { hash, entry } of records) args.push(hash, entry);
  return { script: APPEND, keys: names, args };
}

export async function restore(
  { writer, keys }: RedisContext,
  { epoch, seq, state }: Pick<LogHead, 'epoch' | 'seq' | 'state'>,
  entries: readonly HashedEntry[],
): Promise<LogResult<{ readonly restored: boolean }>> {
  if (entries.length > MAX_PER_CALL)
    throw new RangeError(`at most ${MAX_PER_CALL} entries are restored at once`);
  const args = [epoch, seq, state, ...entries.flatMap(({ hash, entry }) => [hash, entry])];
  const answer = await writer.one({ script: RESTORE, keys: [keys.log, keys.entries(epoch)], args });
  return answer.ok ? { ok: true, value: { restored: answer.value === 1 } } : answer;
}

/** What these refuse is a mistake of the caller's, never of the data. */
function checkRecords({ records, expectedSeq, expectedState, state }: Append): void {
  if (records.length > MAX_PER_CALL) throw new RangeError(`an append has at most ${MAX_PER_CALL} records`);
  if (records.length === 0 && !state.equals(expectedState)) {
    throw new RangeError('without records the state stays as it is');
  }
  records.forEach((record: LogRecord, i) => {
    if (record.seq !== expectedSeq + 1 + i) throw new RangeError('records continue the seq expected');
    if (record.hash.length !== 16 || record.entry.length !== 44) {
      throw new RangeError('a record has a hash of 16 bytes and an entry of 44');
    }
  });
}
