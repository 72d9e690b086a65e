/** Who asks for changes and withdraws keys in a simulated run, and repeats what was not answered. */
import type { StatusChange, Supersede } from '../../src/card-status.ts';
import type { ChangeOutcome } from '../../src/revocation/change-call.ts';
import { holderOf, ISS, issuedAt, supersededBy } from './model-cards.ts';
import type { Gateway } from './model-gateway.ts';
import type { Run } from './simulated-run.ts';

export function scheduleClients(run: Run, untilMs: number): void {
  const { scheduler } = run;
  const meanMs = 100 + scheduler.random() * 700;
  const next = () => {
    if (scheduler.nowMs() > untilMs) return;
    void (scheduler.chance(0.05) ? retireOnce(run) : callOnce(run));
    scheduler.after(scheduler.random() * 2 * meanMs, next);
  };
  scheduler.after(scheduler.random() * meanMs, next);
}

/** One logical call: repeated under its key, perhaps at other gateways, until it is answered or given up. */
async function callOnce(run: Run): Promise<void> {
  const { scheduler, history } = run;
  const id = run.calls++;
  const { changes, status, picked } =
    run.supersedes && scheduler.chance(0.3) ? superseding(run) : changing(run);
  const request = { changes, ...(scheduler.chance(0.7) && { idempotencyKey: `call-${id}` }) };
  const beganMs = scheduler.nowMs();
  const asked = picked.map((card) => ({ card, status }));
  const unanswered = {
    type: 'change',
    id,
    changes: asked,
    beganMs,
    endedMs: beganMs,
    outcome: 'maybe',
  } as const;
  run.underWay.set(id, unanswered);
  let outcome: 'ok' | 'refused' | 'maybe' = 'refused';
  for (let tries = 0; tries < 4; tries++) {
    const answer = await askSomebody(run, request);
    if (answer === undefined) {
      // Without a gateway nothing was asked.
    } else if (answer === 'lost' || answer.outcome === 'unavailable') outcome = 'maybe';
    else if (answer.outcome === 'applied') {
      outcome = 'ok';
      break;
    } else break;
    await scheduler.sleep(scheduler.random() * 1_500);
  }
  const endedMs = scheduler.nowMs();
  run.underWay.delete(id);
  history.push({ ...unanswered, endedMs, outcome });
  run.trace(`call ${id} ${status} ${picked.join(' ')}: ${outcome}, asked at ${beganMs.toFixed(1)}`);
  if (outcome !== 'ok' || status !== 'revoked') return;
  for (const card of picked) if (!run.acknowledged.has(card)) run.acknowledged.set(card, endedMs);
}

interface Asked {
  readonly changes: readonly (StatusChange | Supersede)[];
  readonly status: 'active' | 'suspended' | 'revoked';
  /** The cards that are to have this status. */
  readonly picked: readonly string[];
}

function changing({ scheduler, cards }: Run): Asked {
  const status = scheduler.pick(['revoked', 'revoked', 'suspended', 'active'] as const);
  const picked = Array.from({ length: scheduler.chance(0.2) ? 3 : 1 }, () => scheduler.pick(cards));
  return { changes: picked.map((jti) => ({ iss: ISS, jti, status })), status, picked };
}

/** Up to a card's instant, which spares it, or beyond it, perhaps by another instant than others ask for. */
function superseding({ scheduler, cards }: Run): Asked {
  const card = scheduler.pick(cards);
  const sub = holderOf(card);
  const issuedBefore = issuedAt(card) + scheduler.pick([0, 0.25, 0.5]);
  return {
    changes: [{ iss: ISS, sub, issuedBefore }],
    status: 'revoked',
    picked: supersededBy(sub, issuedBefore),
  };
}

/** A key withdrawn, perhaps again; that all copies end alike shows whether it arrived. */
async function retireOnce(run: Run): Promise<void> {
  const { process, name } = run.scheduler.pick(run.gateways);
  if (process === undefined) return;
  const kid = `key-${run.scheduler.below(4)}`;
  const answer = await process.admission.retireKey(ISS, kid).catch(() => 'lost');
  run.trace(`${name} answers ${JSON.stringify(answer)} to the retirement of ${kid}`);
  if (typeof answer === 'object' && answer.outcome === 'applied') run.retired.add(kid);
}

/** `lost`: the gateway died over it or took longer than a client waits. */
async function askSomebody(
  { scheduler, gateways, trace }: Run,
  request: Parameters<NonNullable<Gateway['process']>['admission']['applyChanges']>[0],
): Promise<ChangeOutcome | 'lost' | undefined> {
  const gateway = scheduler.pick(gateways);
  if (gateway.process === undefined) return undefined;
  const answered = gateway.process.admission.applyChanges(request).catch(() => 'lost' as const);
  const answer = await Promise.race([answered, scheduler.sleep(4_000).then(() => 'lost' as const)]);
  const said = answer === 'lost' || answer.outcome !== 'unavailable' ? answer : answer.cause;
  trace(
    `${gateway.name} answers ${JSON.stringify(said)} to ${JSON.stringify(request.idempotencyKey ?? '-')}`,
  );
  return answer;
}
