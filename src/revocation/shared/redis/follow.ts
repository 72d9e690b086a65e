/** Following: one script's answer, in the contract's words. */
import type { Followed, LogHead, LogRecord, LogResult } from '../shared-log.ts';
import type { Reply } from './connection.ts';
import { EPOCH_BYTES, listOf, NO_EPOCH, numberOf, type RedisContext, textOf } from './context.ts';
import { type Fault, fault } from './fault.ts';
import { FOLLOW } from './follow-script.ts';
import { LOG_SCHEMA, MAX_PER_CALL } from './script.ts';

const HASH_BYTES = 16;
const RECORD_BYTES = HASH_BYTES + 44;
/** A new epoch costs a second call. That it changes again between the two happens once, if ever. */
const TRIES = 3;

export async function follow(
  context: RedisContext,
  afterSeq: number,
  maxRecords: number,
): Promise<LogResult<Followed>> {
  const records = Math.max(1, Math.min(maxRecords, MAX_PER_CALL));
  for (let i = 0; i < TRIES; i++) {
    const { keys, believed, fingerprint, waitReplicas } = context;
    const answer = await context.follower.one({
      script: FOLLOW,
      keys: [keys.log, keys.stream(believed)],
      args: [LOG_SCHEMA, fingerprint, believed, afterSeq, records, waitReplicas],
    });
    if (!answer.ok) return answer;
    const [what, epoch] = listOf(answer.value);
    if (textOf(what) !== 'epoch') return followed(listOf(answer.value), afterSeq);
    if (!Buffer.isBuffer(epoch)) break;
    context.believed = epoch;
  }
  return fault('refused', 'EPOCH');
}

/** Makes sure that `context.believed` is the epoch of an open log, and says which it is. */
export async function presentEpoch(context: RedisContext): Promise<LogResult<Buffer>> {
  const result = await follow(context, Number.MAX_SAFE_INTEGER, 1);
  if (!result.ok) return result;
  const { value } = result;
  return value.kind === 'log' ? { ok: true, value: value.head.epoch } : fault('refused', 'NO_LOG');
}

function followed(answer: readonly Reply[], afterSeq: number): LogResult<Followed> {
  const [what, epoch] = answer;
  switch (textOf(what)) {
    case 'empty':
      return { ok: true, value: { kind: 'empty' } };
    case 'foreign': {
      const because = textOf(epoch) === 'schema' ? 'schema' : 'fingerprint';
      return { ok: true, value: { kind: 'foreign', because } };
    }
    case 'founding':
      return isEpoch(epoch) ? { ok: true, value: { kind: 'founding', epoch } } : MALFORMED;
    case 'log':
      return readLog(answer, afterSeq);
    default:
      return MALFORMED;
  }
}

const MALFORMED: Fault = fault('malformed', 'MALFORMED');

function readLog(answer: readonly Reply[], afterSeq: number): LogResult<Followed> {
  const [, epoch, seqText, state, oldest, gap, packed] = answer;
  const seq = numberOf(seqText);
  if (!isEpoch(epoch) || seq === undefined || !Buffer.isBuffer(state) || !Buffer.isBuffer(packed)) {
    return MALFORMED;
  }
  const records = readRecords(packed, afterSeq);
  let firstSeq = seqOfId(textOf(oldest)) ?? seq + 1;
  // Nothing continues what the caller has: whatever stands further on, that is the oldest of use.
  if (records.length === 0 && afterSeq < seq) firstSeq = seqOfId(textOf(gap)) ?? seq + 1;
  const head: LogHead = { epoch, seq, state, firstSeq };
  return { ok: true, value: { kind: 'log', head, records } };
}

function readRecords(packed: Buffer, afterSeq: number): LogRecord[] {
  const records: LogRecord[] = [];
  for (let at = 0; at + RECORD_BYTES <= packed.length; at += RECORD_BYTES) {
    const hash = packed.subarray(at, at + HASH_BYTES);
    const entry = packed.subarray(at + HASH_BYTES, at + RECORD_BYTES);
    records.push({ seq: afterSeq + records.length + 1, hash, entry });
  }
  return records;
}

/** Of an id `<seq>-0`; one that is not ours counts as the next. */
function seqOfId(id: string): number | undefined {
  const [, seq, rest] = /^(\d{1,16})-(\d+)$/.exec(id) ?? [];
  if (seq === undefined) return undefined;
  return Number(seq) + (rest === '0' ? 0 : 1);
}

function isEpoch(reply: Reply | undefined): reply is Buffer {
  return Buffer.isBuffer(reply) && reply.length === EPOCH_BYTES && !reply.equals(NO_EPOCH);
}
