/**
 * What one call of a scenario does: a single verification, a lot, or a revocation between two looks at its card. The
 * runner brings the HTTP client. Runs in Node.js and in k6.
 */
import { itemAt } from './choose.ts';
import { type Answer, faultOf, faultsOfCodes, faultsOfResults, isRefusal } from './judge.ts';
import type { Item, Scenario, ScenarioCorpus } from './plan.ts';

export interface Request {
  readonly to: 'data' | 'admin';
  readonly path: string;
  readonly contentType: string;
  readonly accept: string;
  readonly body: string;
}

/** Never rejects: a call without an answer has status 0. */
export type Send = (request: Request) => Promise<Answer>;

export interface Finding {
  /** Credentials looked at. */
  readonly checked: number;
  /** Of a single call that was looked at: what it sent. */
  readonly kind?: string;
  readonly refused: boolean;
  /** What was not as expected; at most one for each credential. */
  readonly faults: readonly string[];
}

const JSON_TYPE = 'application/json';

/** The call of this number. */
export async function verify(
  scenario: Scenario,
  corpus: ScenarioCorpus,
  call: number,
  send: Send,
): Promise<Finding> {
  const { lot } = scenario;
  if (lot !== undefined) return verifyLot(scenario, corpus, { call, size: lot }, send);
  const item = itemAt(scenario, corpus, call);
  const answer = await send(singleRequest(item));
  if (scenario.mayRefuse === true && isRefusal(answer)) return { checked: 0, refused: true, faults: [] };
  const fault = faultOf(item, answer);
  return { checked: 1, kind: item.kind, refused: false, faults: fault === undefined ? [] : [fault] };
}

/** In turn as JSON answered with JSON, and as lines answered with a byte for each. */
async function verifyLot(
  scenario: Scenario,
  corpus: ScenarioCorpus,
  { call, size }: { readonly call: number; readonly size: number },
  send: Send,
): Promise<Finding> {
  const items = Array.from({ length: size }, (_, at) => itemAt(scenario, corpus, call * size + at));
  // A line has no room for a proof.
  const asLines = call % 2 === 1;
  const sent = asLines ? items.filter(({ card }) => card?.holderProof === undefined) : items;
  const cards = sent.map(({ card }) => card ?? { credential: '' });
  const answer = await send({
    to: 'data',
    path: '/v1/verify/batch',
    contentType: asLines ? 'text/plain' : JSON_TYPE,
    accept: asLines ? 'application/octet-stream' : JSON_TYPE,
    body: asLines
      ? cards.map(({ credential }) => `${credential}\n`).join('')
      : JSON.stringify({ credentials: cards }),
  });
  if (scenario.mayRefuse === true && isRefusal(answer)) return { checked: 0, refused: true, faults: [] };
  const faults = asLines ? faultsOfCodes(sent, answer) : faultsOfResults(sent, answer);
  return { checked: sent.length, refused: false, faults };
}

const REVOKED = { status: 200, verdict: 'revoked', reason: 'revoked', action: 'use_physical_card' } as const;

/**
 * Revokes the card of this number: valid before, revoked in whatever is begun after the acknowledgement. `earlier` are
 * cards whose acknowledgements this caller has: one of them is looked at again, and this one joins them.
 */
export async function revoke(
  corpus: ScenarioCorpus,
  number: number,
  earlier: Item[],
  send: Send,
): Promise<Finding> {
  const item = corpus.churn[number];
  if (item?.identity === undefined) throw new Error('the corpus has no more cards to revoke');
  const before = faultOf(item, await send(singleRequest(item)));
  const changes = [{ ...item.identity, status: 'revoked', why: 'lost' }];
  const acknowledged = await send({
    to: 'admin',
    path: '/admin/v1/status-changes',
    contentType: JSON_TYPE,
    accept: JSON_TYPE,
    body: JSON.stringify({ changes }),
  });
  const looks = [before];
  if (acknowledged.status !== 200) looks.push(`revocation: expected HTTP 200, got ${acknowledged.status}`);
  else earlier.push({ ...item, kind: 'revoked under load', expected: REVOKED });
  const again = [earlier.at(-1), earlier[number % Math.max(1, earlier.length)]];
  for (const look of again) if (look) looks.push(faultOf(look, await send(singleRequest(look))));
  return { checked: looks.length, refused: false, faults: looks.filter((fault) => fault !== undefined) };
}

function singleRequest({ card, body, contentType }: Item): Request {
  return {
    to: 'data',
    path: '/v1/verify',
    contentType: contentType ?? JSON_TYPE,
    accept: JSON_TYPE,
    body: body ?? JSON.stringify(card),
  };
}
