/**
 * The generator of part `enforcement`, a process of its own with one clock for all that is compared: verifications
 * at a steady rate at every gateway, and revocations at the first. While a card is being revoked, every
 * verification at every gateway is of that card; else of cards that stay good.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ISSUER } from '../../corpus/credentials.ts';
import { jsonRequest, type Lanes, openLanes } from '../../load/http-lanes.ts';
import { startPaced } from '../../load/paced.ts';
import { ownTask, reportResult } from '../../process/measuring-child.ts';
import { createWatch, type Watch } from './enforcement-watch.ts';

export interface EnforcementTask {
  readonly dataPorts: readonly number[];
  /** Of the gateway that admits the revocations, the first one. */
  readonly adminPort: number;
  /** Credentials that stay good; and the cards to revoke, one after the other. */
  readonly good: readonly string[];
  readonly cards: readonly { readonly jti: string; readonly credential: string }[];
  readonly verifiesPerSecond: number;
  readonly revocationsPerSecond: number;
}

export interface Enforcement {
  /** From the revocation's sending to its acknowledgement. */
  readonly acknowledgedMs: number;
  /** From the acknowledgement to the first `revoked` begun, by gateway; 0 if it was enforced before. */
  readonly enforcedMs: readonly number[];
  readonly resolutionMs: readonly number[];
}

export interface EnforcementResult {
  readonly enforcements: readonly Enforcement[];
  /** Verifications answered a second, by gateway. */
  readonly perSecond: readonly number[];
  readonly seconds: number;
  readonly generatorCores: number;
  /** The most that a burst was behind its time, and the most requests that waited for a connection. */
  readonly latestMs: number;
  readonly mostWaiting: number;
  readonly wrong: readonly string[];
}

const LANES = 24;
const WARM_UP_MS = 2_000;
/** A revocation that is not enforced by then never will be. */
const LIMIT_MS = 10_000;
/** For the answers that are still under way when the last gateway has answered `revoked`. */
const DRAIN_MS = 10;
const MAX_WRONG = 20;

const task = await ownTask<EnforcementTask>();
const wrong: string[] = [];
const note = (text: string) => {
  if (wrong.length < MAX_WRONG) wrong.push(text);
};
const broken = (error: Error) => note(error.message);
const admin = await openLanes(task.adminPort, 1, broken);
const gateways = await Promise.all(task.dataPorts.map((port, i) => openGateway(port, i)));
let watched: readonly Watch[] | undefined;
let measuring = false;

const pacers = gateways.map(({ verifyNext }) => startPaced(task.verifiesPerSecond, verifyNext));
await sleep(WARM_UP_MS);
measuring = true;
const beganMs = performance.now();
const cpuBefore = process.cpuUsage();
const enforcements: Enforcement[] = [];
for (const card of task.cards) {
  // Around the mean, so that revocations keep no step with the gateways' polls.
  const pauseMs = (1000 / task.revocationsPerSecond) * (0.5 + Math.random());
  const cardBeganMs = performance.now();
  const enforcement = await revoke(card);
  if (enforcement === undefined) break;
  enforcements.push(enforcement);
  await sleep(Math.max(0, pauseMs - (performance.now() - cardBeganMs)));
}
const seconds = (performance.now() - beganMs) / 1000;
measuring = false;
const { user, system } = process.cpuUsage(cpuBefore);
const latestMs = Math.max(...pacers.map((stop) => stop().latestMs));
const result: EnforcementResult = {
  enforcements,
  perSecond: gateways.map(({ answered }) => answered() / seconds),
  seconds,
  generatorCores: (user + system) / 1e6 / seconds,
  latestMs,
  mostWaiting: Math.max(...gateways.map(({ mostWaiting }) => mostWaiting())),
  wrong,
};
for (const { lanes } of gateways) lanes.close();
admin.close();
reportResult(result);

async function openGateway(port: number, index: number) {
  const lanes: Lanes = await openLanes(port, LANES, broken);
  const requestOf = (credential: string) => jsonRequest(port, '/v1/verify', { credential });
  const good = task.good.map(requestOf);
  let answered = 0;
  let mostWaiting = 0;
  let turn = 0;
  let target: Buffer | undefined;
  const verifyNext = () => {
    const watch = target === undefined ? undefined : watched?.[index];
    const request = watch === undefined ? (good[turn++ % good.length] as Buffer) : (target as Buffer);
    const beganMs = performance.now();
    lanes.send(request, (status, body) => {
      if (measuring) answered++;
      const reason = /"reason":"([a-z_]+)"/.exec(body)?.[1] ?? `status ${status}`;
      if (watch !== undefined) watch.saw(reason, beganMs, performance.now());
      else if (reason !== 'ok') note(`a good card was answered ${reason}`);
    });
    mostWaiting = Math.max(mostWaiting, lanes.waiting());
  };
  return {
    lanes,
    verifyNext,
    answered: () => answered,
    mostWaiting: () => mostWaiting,
    target: (credential: string | undefined) => {
      target = credential === undefined ? undefined : requestOf(credential);
    },
  };
}

async function revoke(card: { readonly jti: string; readonly credential: string }) {
  const watches = gateways.map(() => createWatch());
  watched = watches;
  for (const gateway of gateways) gateway.target(card.credential);
  const change = { iss: ISSUER, jti: card.jti, status: 'revoked' };
  const request = jsonRequest(task.adminPort, '/admin/v1/status-changes', { changes: [change] });
  const sentMs = performance.now();
  const answer = await new Promise<{ status: number; body: string }>((resolve) => {
    admin.send(request, (status, body) => resolve({ status, body }));
  });
  const ackMs = performance.now();
  if (answer.status !== 200) {
    note(`a revocation was answered ${answer.status}: ${answer.body.slice(0, 200)}`);
    return undefined;
  }
  while (watches.some((watch) => watch.enforcedMs() === undefined)) {
    if (performance.now() - ackMs > LIMIT_MS) {
      note(`a revocation was not enforced everywhere within ${LIMIT_MS} ms`);
      return undefined;
    }
    await sleep(2);
  }
  for (const gateway of gateways) gateway.target(undefined);
  await sleep(DRAIN_MS);
  watched = undefined;
  for (const [i, watch] of watches.entries()) {
    if (watch.wrong() !== '') note(`gateway ${i + 1}: ${watch.wrong()}`);
  }
  return {
    acknowledgedMs: ackMs - sentMs,
    enforcedMs: watches.map((watch) => Math.max(0, (watch.enforcedMs() as number) - ackMs)),
    resolutionMs: watches.map((watch) => watch.resolutionMs() ?? 0),
  };
}
