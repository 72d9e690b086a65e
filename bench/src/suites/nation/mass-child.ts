/**
 * The operator of part `mass`, a process of its own with one clock for all that is compared: revokes cards in calls of
 * 1,000, some under way together, and confirms what is held as a mass change. One card in some calls is shown to every
 * gateway from the call's acknowledgement on, until all of them answer `revoked`; in the end all of these once more.
 * It ends by its deadline, with what it has seen until then.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ISSUER } from '../../corpus/credentials.ts';
import { jsonRequest, type Lanes, openLanes } from '../../load/http-lanes.ts';
import { ownTask, reportResult } from '../../process/measuring-child.ts';
import { scrape } from '../revocation/shared-gateway.ts';
import { CHANGES_A_CALL, type MassResult, type MassTask } from './mass-task.ts';

/** As many as `vigie status import` has under way. */
const TOGETHER = 3;
const PAUSE_MS = 50;
const POLL_MS = 100;
/** Cards shown wait for no connection, or the wait would count as the gateway's. */
const SHOWN_TOGETHER = 16;
/** The gateway closes a connection on which nothing came for ten seconds. */
const AWAKE_MS = 2_000;
const PROGRESS_MS = 10_000;
const MAX_WRONG = 20;
/** A revocation that is not enforced by then never will be. */
const ENFORCED_LIMIT_MS = 30_000;
/** A gateway that is refusing for want of capacity for so long answers nobody. */
const VERDICT_LIMIT_MS = 10_000;

const task = await ownTask<MassTask>();
const wrong: string[] = [];
const note = (text: string) => {
  if (wrong.length < MAX_WRONG) wrong.push(text);
};
// A call that was under way would never be answered: nothing is left to be told.
const broken = (error: Error) => {
  throw error;
};
const deadlineMs = performance.now() + task.limitSeconds * 1000;
const gateways = await Promise.all(task.dataPorts.map((port) => openLanes(port, SHOWN_TOGETHER, broken)));
const awake = setInterval(showOnEachLane, AWAKE_MS);
const entriesBefore = await entriesAt();

await showAll('ok', 'before it was revoked');
// Opened for as long as it is used, so that it never rests.
const admin = await openLanes(task.adminPort, TOGETHER, broken);
const beganMs = performance.now();
const calls = Math.ceil(task.changes / CHANGES_A_CALL);
const enforcedMs: number[] = [];
const watching: Promise<void>[] = [];
let next = 0;
let again = 0;
let acknowledged = 0;
const progress = setInterval(sayProgress, PROGRESS_MS);
await Promise.all(Array.from({ length: TOGETHER }, sendCalls));
const acknowledgedMs = performance.now() - beganMs;
clearInterval(progress);
sayProgress();
admin.close();
await Promise.all(watching);
await untilAllHaveThem();
const allEnforcedMs = performance.now() - beganMs;
await showAll('revoked', 'long after its revocation was acknowledged');
clearInterval(awake);
for (const lanes of gateways) lanes.close();
reportResult({ acknowledgedMs, allEnforcedMs, enforcedMs, again, wrong } satisfies MassResult);

/** One of those under way together: the next call, when its last one was acknowledged. */
async function sendCalls(): Promise<void> {
  while (next < calls && wrong.length < MAX_WRONG) {
    if (performance.now() > deadlineMs)
      return note(`${acknowledged} of ${calls} calls acknowledged by the deadline`);
    const call = next++;
    const card = call % task.callsACard === 0 ? task.cards[call / task.callsACard] : undefined;
    if (!(await revoke(changesOf(call, card?.jti)))) return;
    acknowledged++;
    if (card !== undefined) watching.push(watchCard(card.credential));
  }
}

/** The changes of a call, the card that is shown as its first one; the others have no credential that anybody shows. */
function changesOf(call: number, jti: string | undefined) {
  const count = Math.min(CHANGES_A_CALL, task.changes - call * CHANGES_A_CALL);
  return Array.from({ length: count }, (_, i) => ({
    iss: ISSUER,
    jti: i === 0 && jti !== undefined ? jti : `mass-card-${call * CHANGES_A_CALL + i}`,
    status: 'revoked',
    why: 'lost',
  }));
}

/** Whether it was acknowledged; what is refused for the moment is sent again, as an operator's program would. */
async function revoke(changes: readonly object[]): Promise<boolean> {
  let confirm: string | undefined;
  for (;;) {
    const { status, body } = await askAdmin({ changes, ...(confirm !== undefined && { confirm }) });
    if (status === 200) return true;
    const token = (JSON.parse(body) as { token?: string }).token;
    if (status === 409 && token !== undefined) {
      confirm = token;
    } else if (status === 503 && performance.now() < deadlineMs) {
      again++;
      await sleep(PAUSE_MS);
    } else {
      note(`a call was answered ${status}: ${body.slice(0, 200)}`);
      return false;
    }
  }
}

function askAdmin(body: object): Promise<{ status: number; body: string }> {
  const request = jsonRequest(task.adminPort, '/admin/v1/status-changes', body);
  return new Promise((resolve) => admin.send(request, (status, text) => resolve({ status, body: text })));
}

function reasonAt(gateway: number, credential: string): Promise<string> {
  const request = jsonRequest(task.dataPorts[gateway] as number, '/v1/verify', { credential });
  return new Promise((resolve) => {
    (gateways[gateway] as Lanes).send(request, (status, body) => {
      resolve(/"reason":"([a-z_]+)"/.exec(body)?.[1] ?? `status ${status}`);
    });
  });
}

/** From the acknowledgement to the answer that says so: an upper bound, by the way of an answer and a poll at most. */
async function watchCard(credential: string): Promise<void> {
  const ackMs = performance.now();
  const slowest = await Promise.all(
    gateways.map(async (_, gateway) => {
      for (;;) {
        const reason = await reasonAt(gateway, credential);
        const sinceMs = performance.now() - ackMs;
        if (reason === 'revoked') return sinceMs;
        if (reason !== 'ok' && reason !== 'status 503') note(`a card being revoked was answered ${reason}`);
        if (sinceMs > ENFORCED_LIMIT_MS) {
          note(`gateway ${gateway + 1} did not enforce a revocation within ${ENFORCED_LIMIT_MS} ms`);
          return sinceMs;
        }
        // The more cards wait, the more rarely each is asked for, or asking would be the load that they wait for.
        await sleep(Math.max(2, sinceMs / 20));
      }
    }),
  );
  enforcedMs.push(Math.max(...slowest));
}

/** Every card that is watched, at every gateway, until there is a verdict, which one that has no capacity owes. */
async function showAll(expected: string, when: string): Promise<void> {
  for (const { jti, credential } of task.cards) {
    const reasons = await Promise.all(gateways.map((_, gateway) => verdictAt(gateway, credential)));
    for (const [gateway, reason] of reasons.entries()) {
      if (reason !== expected) note(`${jti} was answered ${reason} by gateway ${gateway + 1}, ${when}`);
    }
    if (wrong.length === MAX_WRONG) return;
  }
}

async function verdictAt(gateway: number, credential: string): Promise<string> {
  for (const untilMs = Math.min(deadlineMs, performance.now() + VERDICT_LIMIT_MS); ; await sleep(PAUSE_MS)) {
    const reason = await reasonAt(gateway, credential);
    if (reason !== 'status 503' || performance.now() > untilMs) return reason;
  }
}

/** The verdicts are no matter here; connections are used in turn. */
function showOnEachLane(): void {
  const [first] = task.cards;
  if (first === undefined) return;
  for (const gateway of gateways.keys())
    for (let lane = 0; lane < SHOWN_TOGETHER; lane++) void reasonAt(gateway, first.credential);
}

function sayProgress(): void {
  const seconds = Math.round((performance.now() - beganMs) / 1000);
  console.error(`bench: mass: ${acknowledged} of ${calls} calls acknowledged after ${seconds} s`);
}

/** What each gateway's exact copy holds, as it exports it. */
async function entriesAt(): Promise<number[]> {
  const all = await Promise.all(task.metrics.map((metrics) => scrape({ metrics })));
  return all.map((samples) => samples.get('vigie_revocation_entries{status="revoked"}') ?? 0);
}

/** Cards shown are some of many: that none of the others is missing is seen by the counts. */
async function untilAllHaveThem(): Promise<void> {
  while (wrong.length === 0) {
    const entries = await entriesAt();
    if (entries.every((count, i) => count - (entriesBefore[i] as number) >= task.changes)) return;
    if (performance.now() > deadlineMs)
      note(`the gateways have ${entries.join(', ')} entries at the deadline`);
    await sleep(POLL_MS);
  }
}
