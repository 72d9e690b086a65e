/** The verdicts on a batch's items, slice by slice as its body arrives, looked at again when the answer is given late. */
import { LIMITS } from '../config.ts';
import { type GatewayParts, verifySlice } from '../gateway.ts';
import { CODES } from '../verdict.ts';
import { namedProofs } from '../verification/replays.ts';
import { beginSlice, type Slice } from '../verification/slice.ts';
import type { SlicePool } from '../verification/slice-pool.ts';
import type { Admission } from './admission/admission.ts';
import type { AnswerWriter } from './answer-writer.ts';
import { type BatchAnswer, createBatchAnswer } from './batch-answer.ts';
import type { BufferPool } from './byte-window.ts';
import type { Exchange } from './exchange.ts';
import { createKeptProofs, type KeptProofs } from './kept-proofs.ts';
import { type ProveRevoked, proveStale } from './prove-stale.ts';
import { type Change, createSecondLook, type KnownCards, type SecondLook } from './second-look.ts';
import type { RevocationView } from './verdict-reply.ts';
import { type AuditedCards, createAuditedCards, type VerificationAudit } from './verification-audit.ts';

export interface BatchVerdictsOptions {
  readonly parts: GatewayParts;
  /** The revocation state as of now. */
  revocation(): RevocationView;
  readonly knownCards: KnownCards;
  proveRevoked(): ProveRevoked | undefined;
  /** Most items verified before the event loop turns. */
  readonly batchSlice: number;
  readonly writer: AnswerWriter;
  /** Told of each verification; absent where none is kept. */
  readonly audit?: VerificationAudit | undefined;
  /** Tells whose turn it is. */
  readonly admission: Admission;
  /** Told of the reasons given, by their codes, for the metrics. */
  onVerified(codes: Uint8Array): void;
  onBatch(items: number): void;
}

/** What all batches of a thread have in common. */
export interface SharedByBatches {
  readonly slices: SlicePool;
  readonly pace: Pace;
  readonly pool: BufferPool;
}

export interface BatchVerdicts {
  /** Verifies what was read into the slice, which nobody else may use until this has resolved. */
  verify(slice: Slice, texts: Buffer, count: number): Promise<void> | undefined;
  items(): number;
  /** Bytes of memory kept. */
  heldBytes(): number;
  /** Settles what is settled last, and answers. Other gateways may have to be asked, in bounded time. */
  give(): Promise<void>;
  /** The answer will not be given. */
  drop(): void;
}

/** Work on one batch between two turns of the event loop, about: slices shrink where an engine is slow. */
const SLICE_MS = 2;
/**
 * A verdict this old may be given as it is. Most batches begin and end within it; the others are looked at again, so
 * that the time a body takes does not add to the time in which a revocation takes effect.
 */
const MOMENT_MS = 100;

/** A batch whose first slice was begun. */
interface Begun {
  readonly answer: BatchAnswer;
  readonly trust: ReturnType<GatewayParts['trust']>;
  readonly look: SecondLook;
  readonly proofs: KeptProofs;
  /** Absent where no audit is kept. */
  readonly audited: AuditedCards | undefined;
  readonly sinceMs: number;
  /** By which dates are judged, of all items: what `checkedAt` says. */
  readonly wallMs: number;
}

export function createBatchVerdicts(
  exchange: Exchange,
  { pace, pool }: SharedByBatches,
  options: BatchVerdictsOptions,
): BatchVerdicts {
  const { parts, writer } = options;
  let begun: Begun | undefined;
  let items = 0;

  const begin = (): Begun => {
    // One list for all slices of a call, even if a newer one takes effect meanwhile: what is said of one item
    // must not depend on how many stood before it, and the answer names one version. The age of what is known of
    // revocations is taken before the first card is looked up.
    if (begun !== undefined) return begun;
    const wallMs = parts.clock.wallMs();
    begun = {
      sinceMs: parts.clock.monotonicMs(),
      wallMs,
      answer: createBatchAnswer(exchange, {
        revocation: options.revocation(),
        checkedAt: new Date(wallMs),
        writer,
        pool,
      }),
      trust: parts.trust(),
      look: createSecondLook(options.knownCards),
      proofs: createKeptProofs(parts.replay, parts.clock.wallMs),
      audited: options.audit && createAuditedCards(options.audit),
    };
    return begun;
  };
  const lookAgain = ({ answer, look, proofs, trust }: Begun): void => {
    // In this order: what is looked up is never older than the age that is said of it.
    const revocation = options.revocation();
    // Another list may have retired a key of these: what was good by the one in force before nobody can tell now.
    const keysMoved = parts.trust() !== trust || parts.trustIsStale();
    const changes = keysMoved
      ? goodItems(answer.codes()).map((item): Change => ({ item, code: CODES.keys_stale }))
      : look.changes(answer.codes(), parts.revocationIsExpired());
    answer.renew(changes, { revocation });
    const open = new Set(proofs.items());
    options.onVerified(codesOf(changes.filter(({ item }) => !open.has(item))));
  };
  /** Last of all, when the batch is right as a whole and its answer certain. */
  const takeProofs = async ({ answer, proofs }: Begun): Promise<void> => {
    const open = proofs.items();
    const refused = proofs.take(answer.codes());
    if (refused.length > 0) answer.renew(refused, {});
    const sharing = proofs.share();
    if (sharing !== undefined) {
      const { changes, local } = await sharing;
      if (changes.length > 0 || local.length > 0) answer.renew(changes, { local });
    }
    const codes = answer.codes();
    options.onVerified(codesAt(codes, open));
  };
  return {
    verify: (slice, texts, count) => {
      const first = items;
      items += count;
      // Too many: refused when the body has ended.
      if (items > LIMITS.batchItems) return undefined;
      const { answer, trust, look, proofs, audited, wallMs } = begin();
      beginSlice(slice, texts, count, slice.proofCount);
      const prove = options.proveRevoked();
      const beganMs = pace.begin();
      const scope = verifySlice(slice, parts, trust, wallMs);
      pace.end(beganMs, count);
      options.admission.batches.sliced(exchange, count, parts.clock.monotonicMs() - beganMs);
      look.keep(slice, first);
      proofs.keep(slice, first);
      audited?.keep(slice, first);
      const add = (): void => {
        options.onVerified(settledCodes(slice));
        answer.add(slice, scope);
      };
      const proving = proveStale(slice, answer.revocation, prove);
      if (proving === undefined) add();
      return proving?.then(add);
    },
    items: () => items,
    heldBytes: () => {
      if (begun === undefined) return 0;
      const { answer, look, proofs, audited } = begun;
      return answer.heldBytes() + look.heldBytes() + proofs.heldBytes() + (audited?.heldBytes() ?? 0);
    },
    give: async () => {
      const now = begin();
      if (parts.clock.monotonicMs() - now.sinceMs > MOMENT_MS) lookAgain(now);
      await takeProofs(now);
      options.onBatch(items);
      now.audited?.tell(now.wallMs, now.answer.codes(), () => exchange);
      now.answer.give(now.trust?.version);
    },
    drop: () => begun?.answer.drop(),
  };
}

/** The reasons of a slice but for those that replay may still change: they are told when that is settled. */
function settledCodes(slice: Slice): Uint8Array {
  const codes = slice.reasons.subarray(0, slice.count);
  const named = namedProofs(slice);
  if (named === undefined || named.count === 0) return codes;
  const settled = new Uint8Array(codes.length - named.count);
  let next = 0;
  // In the order of their items, as they were named.
  for (let item = 0; item < codes.length; item++) {
    if (next < named.count && named.items[next] === item) next++;
    else settled[item - next] = codes[item] as number;
  }
  return settled;
}

function codesAt(codes: Uint8Array, items: Uint16Array): Uint8Array {
  const found = new Uint8Array(items.length);
  for (let i = 0; i < items.length; i++) found[i] = codes[items[i] as number] as number;
  return found;
}

function codesOf(changes: readonly Change[]): Uint8Array {
  return Uint8Array.from(changes, ({ code }) => code);
}

function goodItems(codes: Uint8Array): number[] {
  const items: number[] = [];
  for (let item = 0; item < codes.length; item++) if (codes[item] === CODES.ok) items.push(item);
  return items;
}

/** How many items a slice may have, by how long the last ones took. */
export interface Pace {
  items(): number;
  /** When a slice begins: the time, which its end is told. */
  begin(): number;
  end(beganMs: number, done: number): void;
}

export function createPace(most: number, monotonicMs: () => number): Pace {
  let items = Math.min(most, 16);
  return {
    items: () => items,
    begin: monotonicMs,
    end: (beganMs, done) => {
      const tookMs = monotonicMs() - beganMs;
      const wanted = tookMs > 0 ? Math.floor((done * SLICE_MS) / tookMs) : most;
      // Twice as many at the most: one quick slice of malformed items says little of the next.
      items = Math.max(1, Math.min(most, wanted, 2 * items));
    },
  };
}
