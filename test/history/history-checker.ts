/**
 * Judges a history of status changes and verifications:
 *
 * - I1: a verification begun later than `boundMs` after a revocation's acknowledgement says revoked, or that it
 *   is stale, or that it cannot tell.
 * - I2: a gateway, restarts included, never goes from revoked to something else that it claims to know.
 * - I3: revoked only what somebody asked to revoke before; calls without an answer count as perhaps done.
 * - I4: an age claimed is never less than the true one: nothing acknowledged before is missing.
 * - I5: in the end acknowledged ⊆ revoked ⊆ acknowledged ∪ perhaps, other statuses are those of a call that no
 *   acknowledged later one overrides, and all copies and the log have one digest.
 */
import type { Change, Final, HistoryEvent, Unknowable, Verify } from './history.ts';

export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5';

export interface Violation {
  readonly invariant: Invariant;
  readonly message: string;
}

/** Promise 3: revoked everywhere, or stale, so long after the acknowledgement. */
export const STALENESS_BOUND_MS = 5_000;

export function checkHistory(history: readonly HistoryEvent[], boundMs = STALENESS_BOUND_MS): Violation[] {
  const changes = history.filter((event) => event.type === 'change');
  const verifies = history.filter((event) => event.type === 'verify');
  const destroyed = history.filter((event) => event.type === 'destroyed');
  const gone = destroyed.map(({ card, atMs }) => ({ card, fromMs: atMs, toMs: Infinity }));
  const unknowable = [...history.filter((event) => event.type === 'unknowable'), ...gone];
  const finals = history.filter((event) => event.type === 'final');
  const revocations = firstRevocations(changes);
  return [
    ...verifies.flatMap((verify) => checkFreshness(verify, revocations, unknowable, boundMs)),
    ...checkFinality(verifies),
    ...verifies.flatMap((verify) => checkInvention(verify, revocations)),
    ...checkFinals(finals, changes, revocations, unknowable, new Set(gone.map(({ card }) => card))),
  ];
}

/** When the truth about a card was nowhere to be had. */
type Span = Pick<Unknowable, 'card' | 'fromMs' | 'toMs'>;

interface Revocation {
  /** First time somebody asked for it, unless it was refused; Infinity: never. */
  askedMs: number;
  /** First acknowledgement; Infinity: none. */
  acknowledgedMs: number;
}

const NEVER: Revocation = { askedMs: Infinity, acknowledgedMs: Infinity };

function firstRevocations(changes: readonly Change[]): Map<string, Revocation> {
  const revocations = new Map<string, Revocation>();
  for (const { changes: cards, outcome, beganMs, endedMs } of changes) {
    if (outcome === 'refused') continue;
    for (const { card, status } of cards) {
      if (status !== 'revoked') continue;
      const known = revocations.get(card) ?? { ...NEVER };
      known.askedMs = Math.min(known.askedMs, beganMs);
      if (outcome === 'ok') known.acknowledgedMs = Math.min(known.acknowledgedMs, endedMs);
      revocations.set(card, known);
    }
  }
  return revocations;
}

/** I1 and I4: what a claimed age means for this card. */
function checkFreshness(
  verify: Verify,
  revocations: ReadonlyMap<string, Revocation>,
  unknowable: readonly Span[],
  boundMs: number,
): Violation[] {
  const { card, atMs, answer, state, ageMs, gateway } = verify;
  const { acknowledgedMs } = revocations.get(card) ?? NEVER;
  if (answer === 'revoked' || answer === 'unknown' || acknowledgedMs >= atMs) return [];
  const excused = unknowable.some(
    (span) => span.card === card && span.fromMs <= atMs && atMs <= span.toMs + boundMs,
  );
  if (excused) return [];
  const said = `${gateway} said ${answer} (${state}, ${ageMs} ms) of ${card} at ${atMs}`;
  const known = `revocation acknowledged at ${acknowledgedMs}`;
  const violations: Violation[] = [];
  if (state === 'fresh' && atMs - acknowledgedMs > boundMs) {
    violations.push({ invariant: 'I1', message: `${said}; ${known}` });
  }
  if (ageMs !== null && acknowledgedMs < atMs - ageMs) {
    violations.push({ invariant: 'I4', message: `${said}; ${known}, so the age is more` });
  }
  return violations;
}

/** I2: what began after a gateway's first answer `revoked` about a card; two under way at once may differ. */
function checkFinality(verifies: readonly Verify[]): Violation[] {
  const revokedAt = new Map<string, number>();
  for (const verify of verifies) {
    if (verify.answer !== 'revoked') continue;
    const name = `${verify.gateway} ${verify.card}`;
    revokedAt.set(name, Math.min(endOf(verify), revokedAt.get(name) ?? Infinity));
  }
  const violations: Violation[] = [];
  for (const { gateway, card, answer, atMs } of verifies) {
    const sinceMs = revokedAt.get(`${gateway} ${card}`) ?? Infinity;
    if (sinceMs >= atMs || answer === 'revoked' || answer === 'unknown') continue;
    const message = `${gateway} said revoked of ${card} at ${sinceMs} and ${answer} at ${atMs}`;
    violations.push({ invariant: 'I2', message });
  }
  return violations;
}

/** I3. */
function checkInvention(verify: Verify, revocations: ReadonlyMap<string, Revocation>): Violation[] {
  const { gateway, card, answer } = verify;
  const { askedMs } = revocations.get(card) ?? NEVER;
  const endedMs = endOf(verify);
  if (answer !== 'revoked' || askedMs <= endedMs) return [];
  const message = `${gateway} said revoked of ${card} by ${endedMs}, asked for at ${askedMs}`;
  return [{ invariant: 'I3', message }];
}

function endOf({ atMs, endedMs = atMs }: Verify): number {
  return endedMs;
}

/** I5. */
function checkFinals(
  finals: readonly Final[],
  changes: readonly Change[],
  revocations: ReadonlyMap<string, Revocation>,
  unknowable: readonly Span[],
  destroyed: ReadonlySet<string>,
): Violation[] {
  const violations: Violation[] = [];
  const fail = (message: string) => violations.push({ invariant: 'I5', message });
  const [first] = finals;
  for (const { holder, digest } of finals) {
    if (digest !== first?.digest) fail(`${holder} and ${first?.holder} differ in the end`);
  }
  const cards = new Set([
    ...changes.flatMap((change) => change.changes.map(({ card }) => card)),
    ...finals.flatMap((final) => Object.keys(final.cards)),
  ]);
  for (const { holder, cards: statuses } of finals) {
    for (const card of cards) {
      const status = statuses[card];
      const { askedMs, acknowledgedMs } = revocations.get(card) ?? NEVER;
      if (acknowledgedMs < Infinity && status !== 'revoked' && !destroyed.has(card))
        fail(`${holder} lost the revocation of ${card}`);
      if (askedMs === Infinity && status === 'revoked') fail(`${holder} invented the revocation of ${card}`);
      if (status === 'revoked' || acknowledgedMs < Infinity) continue;
      // Who changed it after a loss that nobody could see did so on the older status.
      if (unknowable.some((span) => span.card === card)) continue;
      if (!possible(changes, card).has(status ?? 'active')) {
        fail(`${holder} says ${status ?? 'active'} of ${card}, against the last acknowledged change`);
      }
    }
  }
  return violations;
}

/** The statuses that calls not overridden by an acknowledged later one leave behind. */
function possible(changes: readonly Change[], card: string): Set<string> {
  const calls = changes.flatMap(({ changes: cards, outcome, beganMs, endedMs }) => {
    const status = cards.findLast((change) => change.card === card)?.status;
    if (status === undefined || outcome === 'refused') return [];
    return [{ status, outcome, beganMs, endedMs: outcome === 'ok' ? endedMs : Infinity }];
  });
  const acknowledged = calls.filter(({ outcome }) => outcome === 'ok');
  const last = calls.filter((call) => !acknowledged.some(({ beganMs }) => beganMs > call.endedMs));
  const statuses = new Set<string>(last.map(({ status }) => status));
  if (acknowledged.length === 0) statuses.add('active');
  return statuses;
}
