/** Following: one script's answer and the replicas' confirmation, in the contract's words. */

import type { Call, Connection, Reply } from '../../../redis/connection.ts';
import { type Fault, fault } from '../../../redis/fault.ts';
import type { Followed, LogHead, LogRecord, LogResult } from '../shared-log.ts';
import { EPOCH_BYTES, listOf, NO_EPOCH, numberOf, type RedisContext, textOf } from './context.ts';
import { FOLLOW, PEEK } from './follow-script.ts';
import type { KeyNames } from './keys.ts';
import { LOG_SCHEMA, MAX_PER_CALL } from './script.ts';

const HASH_BYTES = 16;
const RECORD_BYTES = HASH_BYTES + 44;
/** Of the key that is renewed to reach replicas; long against a memory that is full. */
const PULSE_LIFE_MS = 86_400_000;
/** A new epoch costs a second call. That it changes again between the two happens once, if ever. */
const TRIES = 3;

export async function follow(
  context: RedisContext,
  afterSeq: number,
  maxRecords: number,
): Promise<LogResult<Followed>> {
  const records = Math.max(1, Math.min(maxRecords, MAX_PER_CALL));
  for (let i = 0; i < TRIES; i++) {
    const { follower, keys, believed, fingerprint } = context;
    const call: Call = {
      script: FOLLOW,
      keys: [keys.log, keys.stream(believed), keys.holds],
      args: [LOG_SCHEMA, fingerprint, believed, afterSeq, records, context.pulse === 'write' ? 1 : 0],
    };
    const [answer, ...proof] = await follower.run(
      [call, ...confirmationCalls(context)],
      context.waitReplicas > 0 ? context.waitMs : 0,
    );
    if (!answer?.ok) return answer ?? fault('unreachable', 'CLOSED');
    const [what, epoch] = listOf(answer.value);
    if (textOf(what) !== 'epoch') {
      return followed(listOf(answer.value), follower.name(), isConfirmed(context, proof));
    }
    if (!Buffer.isBuffer(epoch)) break;
    context.believed = epoch;
  }
  return fault('refused', 'EPOCH');
}

/**
 * What has the replicas confirm, behind a call and in the same write, that they have all that stood when it was
 * answered and still follow this server. WAIT alone does not ask them when they had all of it before, and a primary
 * that was cut off would go on being confirmed. So something is sent to them first: a message that nobody hears.
 * It is no write, so that it costs no memory, no append-only file, and also goes where writes are refused.
 *
 * In a cluster messages go from node to node and not to replicas as such (SPUBLISH neither), so that it has to be a
 * write there: the life of a key of no content is renewed.
 */
export function confirmationCalls({ keys, pulse, waitReplicas, waitMs }: RedisContext): Call[] {
  if (waitReplicas === 0) return [];
  const wait: Call = ['WAIT', waitReplicas, waitMs];
  if (pulse === 'message') return [['PUBLISH', keys.pulse, ''], wait];
  // No script, which would have to be sent whole at times, and the append before it with it. Where memory is full,
  // the key is there as a rule, and its life may be renewed.
  const set: Call = ['SET', keys.pulse, '', 'NX', 'PX', PULSE_LIFE_MS];
  return [set, ['PEXPIRE', keys.pulse, PULSE_LIFE_MS], wait];
}

/** By the answers to `confirmationCalls`. */
export function isConfirmed(
  { pulse, waitReplicas }: RedisContext,
  answers: readonly LogResult<Reply>[],
): boolean {
  if (waitReplicas === 0) return true;
  const [sent, waited] = answers.slice(-2);
  if (!sent?.ok || !waited?.ok) return false;
  const isSent = pulse === 'message' || sent.value === 1;
  return isSent && (numberOf(waited.value) ?? 0) >= waitReplicas;
}

/** The epochs that stand in the log; whatever is no epoch names nothing, and counts as none. */
export interface Epochs {
  /** Of the life that is open, or was last. */
  readonly open: Buffer | undefined;
  readonly founding: Buffer | undefined;
}

export async function peek(connection: Connection, keys: KeyNames): Promise<LogResult<Epochs>> {
  return epochsOf(await connection.one(peekCall(keys)));
}

export function peekCall(keys: KeyNames): Call {
  return { script: PEEK, keys: [keys.log], args: [] };
}

export function epochsOf(answer: LogResult<Reply> | undefined): LogResult<Epochs> {
  if (!answer?.ok) return answer ?? fault('unreachable', 'CLOSED');
  const [open, founding] = listOf(answer.value).map((reply) => (isEpoch(reply) ? reply : undefined));
  return { ok: true, value: { open, founding } };
}

function followed(answer: readonly Reply[], connection: string, confirmed: boolean): LogResult<Followed> {
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
      return readLog(answer, connection, confirmed);
    default:
      return MALFORMED;
  }
}

const MALFORMED: Fault = fault('malformed', 'MALFORMED');

function readLog(answer: readonly Reply[], connection: string, confirmed: boolean): LogResult<Followed> {
  const [, epoch, seqText, state, oldest, runId, replicationId, held, ids, packed] = answer;
  const seq = numberOf(seqText);
  if (!isEpoch(epoch) || seq === undefined || !Buffer.isBuffer(state) || !Buffer.isBuffer(packed)) {
    return MALFORMED;
  }
  const firstSeq = textOf(oldest) === '' ? seq + 1 : seqOfId(textOf(oldest));
  const server = serverName(textOf(runId), textOf(replicationId), connection);
  const head: LogHead = { epoch, seq, state, firstSeq, server, confirmed, held: held === 1 };
  return { ok: true, value: { kind: 'log', head, records: readRecords(textOf(ids), packed) } };
}

/**
 * The run id changes when the process does, the replication id when a replica becomes a primary or takes over
 * another one's data. Where a provider hides them, a new connection may be one to another server.
 */
export function serverName(runId: string, replicationId: string, connection: string): string {
  return runId === '' || replicationId === '' ? connection : `${runId} ${replicationId}`;
}

/** Of the process that answered INFO. */
export function runIdOf(info: Reply | undefined): string | undefined {
  return /^run_id:([0-9a-f]+)\r?$/m.exec(textOf(info))?.[1];
}

function readRecords(ids: string, packed: Buffer): LogRecord[] {
  if (ids === '') return [];
  return ids.split(' ').map((id, i) => {
    const record = packed.subarray(i * RECORD_BYTES, (i + 1) * RECORD_BYTES);
    return { seq: seqOfId(id), hash: record.subarray(0, HASH_BYTES), entry: record.subarray(HASH_BYTES) };
  });
}

/** Of an id `<seq>-0`; one that is not ours still has its place in the order, beyond all seqs at worst. */
function seqOfId(id: string): number {
  return Number(id.split('-')[0]);
}

function isEpoch(reply: Reply | undefined): reply is Buffer {
  return Buffer.isBuffer(reply) && reply.length === EPOCH_BYTES && !reply.equals(NO_EPOCH);
}
