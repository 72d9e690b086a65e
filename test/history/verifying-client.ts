/**
 * A client that verifies at one gateway without pause: cards changed a moment ago, some of long ago, one that
 * nobody ever changed, and one that is forged.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { VerdictAnswer } from '../support/call.ts';
import type { Gateway } from '../support/gateway.ts';
import { tampered } from '../support/synthetic-issuer.ts';
import type { Answer, Verify } from './history.ts';
import { credentialOf } from './history-cards.ts';

export interface VerifyingClientOptions {
  readonly name: string;
  /** `undefined` while it is down on purpose. */
  gateway(): Gateway | undefined;
  /** In the order in which they were changed first. */
  readonly cards: readonly string[];
  readonly gapMs: number;
  /** Where callers have to say who they are. */
  readonly headers?: Readonly<Record<string, string>>;
  isOver(): boolean;
  onVerify(verify: Omit<Verify, 'type'>): void;
  /** No answer, or one that no card may get, from a gateway that is up. */
  onFault(message: string): void;
}

const RECENT = 12;
const EARLIER = 4;
export const UNTOUCHED = 'untouched';
/** Generous: what takes so long on a busy machine hangs. */
const VERIFY_TIMEOUT_MS = 10_000;

const ANSWERS: Readonly<Record<string, Answer>> = {
  ok: 'valid',
  revoked: 'revoked',
  suspended: 'suspended',
  revocation_stale: 'unknown',
};

export async function runVerifyingClient(options: VerifyingClientOptions): Promise<void> {
  const { name, gateway, gapMs, headers = {}, isOver, onFault, onVerify } = options;
  for (let call = 0; !isOver(); call++, await sleep(gapMs)) {
    const asked = gateway();
    if (asked === undefined) continue;
    const cards = [UNTOUCHED, ...chosen(options.cards, call)];
    const atMs = performance.now();
    const credentials = [...cards.map(credentialOf), FORGED];
    const results = await verifyAll(asked, credentials, headers).catch((error: Error) => error);
    const endedMs = performance.now();
    if (results instanceof Error) {
      // Killed on purpose meanwhile, it owes no answer.
      if (gateway() === asked) onFault(`${name} at ${Math.round(atMs)}: ${results.message}`);
      continue;
    }
    const forged = results.pop()?.reason;
    if (forged !== 'bad_signature') onFault(`${name} said ${forged} of a forged credential`);
    for (const [i, { reason, revocation }] of results.entries()) {
      const answer = ANSWERS[reason];
      const card = cards[i] as string;
      if (answer === undefined) onFault(`${name} said ${reason} of ${card}`);
      else onVerify({ gateway: name, card, atMs, endedMs, answer, ...stated(revocation) });
    }
  }
}

/** The last ones, and others from all before them, in turn. */
function chosen(cards: readonly string[], call: number): string[] {
  const before = Math.max(0, cards.length - RECENT);
  const earlier = Array.from({ length: Math.min(EARLIER, before) }, (_, i) => (call * EARLIER + i) % before);
  return [...cards.slice(before), ...earlier.map((at) => cards[at] as string)];
}

function stated({ state, ageMs }: VerdictAnswer['revocation']): Pick<Verify, 'state' | 'ageMs'> {
  return { state: state as Verify['state'], ageMs };
}

async function verifyAll(
  gateway: Gateway,
  credentials: readonly string[],
  headers: Readonly<Record<string, string>>,
): Promise<VerdictAnswer[]> {
  const response = await fetch(`${gateway.data}/v1/verify/batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ credentials }),
    signal: AbortSignal.timeout(VERIFY_TIMEOUT_MS),
  });
  if (response.status !== 200) throw new Error(`status ${response.status}: ${await response.text()}`);
  return ((await response.json()) as { results: VerdictAnswer[] }).results;
}

const FORGED = tampered(credentialOf(UNTOUCHED));
