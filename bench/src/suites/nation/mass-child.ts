/**
 * The operator of part `mass`, a process of its own with one clock for all that is compared: revokes cards in calls of
 * 1,000, some under way together, and confirms what is held as a mass change. One card in some calls is shown to every
 * gateway from the call's acknowledgement on, until all of them answer `revoked`; in the end all of these once more.
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
const MAX_WRONG = 20;
/** A revocation that is not enforced by then never will be. */
const ENFORCED_LIMIT_MS = 30_000;

const task = await ownTask<MassTask>();
const wrong: string[] = [];
const note = (text: string) => {
  if (wrong.length < MAX_WRONG) wrong.push(text);
};
const broken = (error: Error) => note(error.message);
const deadlineMs = performance.now() + task.limitSeconds * 1000;
const admin = await openLanes(task.adminPort, TOGETHER, broken);
const gateways = await Promise.all(task.dataPorts.map((port) => openLanes(port, TOGETHER, broken)));
const entriesBefore = await entriesAt();

await showAll('ok', 'before it was revoked');
const beganMs = performance.now();
const calls = Math.ceil(task.changes / CHANGES_A_CALL);
const enforcedMs: number[] = [];
const watching: Promise<void>[] = [];
let next = 0;
let again = 0;
await Promise.all(Array.from({ length: TOGETHER }, sendCalls));
const acknowledgedMs = performance.now() - beganMs;
await Promise.all(watching);
await untilAllHaveThem();
const allEnforcedMs = performance.now() - beganMs;
await showAll('revoked', 'long after its revocation was acknowledged');
for (const lanes of [admin, ...gateways]) lanes.close();
reportResult({ acknowledgedMs, allEnforcedMs, enforcedMs, again, wrong } satisfies MassResult);

/** One of those under way together: the next call, when its last one was acknowledged. */
async function sendCalls(): Promise<void> {
  while (next < calls && wrong.length < MAX_WRONG) {
    const call = next++;
    const card = call % task.callsACard === 0 ? task.cards[call / task.callsACard] : undefined;
    if (!(await revoke(changesOf(call, card?.jti)))) return;
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

/** From the acknowledgement on, so what was enforced before it counts as at once. */
async function watchCard(credential: string): Promise<void> {
  const ackMs = performance.now();
  const slowest = await Promise.all(
    gateways.map(async (_, gateway) => {
      for (;;) {
        const askedMs = performance.now();
        const reason = await reasonAt(gateway, credential);
        if (reason === 'revoked') return askedMs - ackMs;
        if (reason !== 'ok' && reason !== 'status 503') note(`a card being revoked was answered ${reason}`);
        if (askedMs - ackMs > ENFORCED_LIMIT_MS) {
          note(`gateway ${gateway + 1} did not enforce a revocation within ${ENFORCED_LIMIT_MS} ms`);
          return askedMs - ackMs;
        }
        await sleep(2);
      }
    }),
  );
  enforcedMs.push(Math.max(...slowest));
}

/** Every card that is watched, at every gateway, once; a refusal for want of capacity is no verdict. */
async function showAll(expected: string, when: string): Promise<void> {
  for (const { jti, credential } of task.cards) {
    const reasons = await Promise.all(gateways.map((_, gateway) => reasonAt(gateway, credential)));
    for (const [gateway, reason] of reasons.entries()) {
      if (reason === expected || reason === 'status 503') continue;
      note(`${jti} was answered ${reason} by gateway ${gateway + 1}, ${when}`);
    }
  }
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
