/** Appending, and waiting for replicas on the connection that appended. */
import { statusCode } from '../../status-entry.ts';
import type { Append, Appended, LogRecord, LogResult } from '../shared-log.ts';
import { APPEND } from './append-script.ts';
import type { Call } from './connection.ts';
import { listOf, numberOf, type RedisContext, textOf } from './context.ts';
import { fault } from './fault.ts';
import { MAX_PER_CALL } from './script.ts';

/** As long as an Idempotency-Key is kept. */
const IDEMPOTENCY_LIFE_MS = 86_400_000;
/** Statuses that nothing else replaces: a revoked card, a withdrawn key. */
const FINAL = Buffer.from([statusCode('revoked'), statusCode('key-retired')]);

export async function append(context: RedisContext, request: Append): Promise<LogResult<Appended>> {
  checkRecords(request);
  const calls: Call[] = [appendCall(context, request)];
  if (context.waitReplicas > 0) calls.push(['WAIT', context.waitReplicas, context.waitMs]);
  // In one write, so that no reconnection comes between: WAIT speaks of its own connection's writes.
  const [answer, waited] = await context.writer.run(calls, context.waitReplicas > 0 ? context.waitMs : 0);
  if (!answer?.ok) return answer ?? fault('unreachable', 'CLOSED');

  const confirmed =
    waited === undefined || (waited.ok && (numberOf(waited.value) ?? 0) >= context.waitReplicas);
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
  const { epoch, expectedSeq, records, state, idempotency } = request;
  const names = [keys.log, keys.entries(epoch), keys.stream(epoch)];
  if (idempotency !== undefined) names.push(keys.idempotency(idempotency.hash));
  const fixed = [epoch, expectedSeq, state, FINAL, idempotency?.answer ?? '', IDEMPOTENCY_LIFE_MS];
  const args = [...fixed, ...records.flatMap(({ hash, entry }) => [hash, entry])];
  return { script: APPEND, keys: names, args };
}

/** What these refuse is a mistake of the caller's, never of the data. */
function checkRecords({ records, expectedSeq }: Append): void {
  if (records.length < 1 || records.length > MAX_PER_CALL) {
    throw new RangeError(`an append has 1 to ${MAX_PER_CALL} records`);
  }
  records.forEach((record: LogRecord, i) => {
    if (record.seq !== expectedSeq + 1 + i) throw new RangeError('records continue the seq expected');
    if (record.hash.length !== 16 || record.entry.length !== 44) {
      throw new RangeError('a record has a hash of 16 bytes and an entry of 44');
    }
  });
}
