/**
 * An issuer's keys turned over, and one withdrawn in an emergency, under load: no card is refused falsely, and a withdrawn
 * key is dead on every gateway within the bound that revocations have.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { STALENESS_BOUND_MS } from '../../history/history-checker.ts';
import { call, reasonOf } from '../../support/call.ts';
import { type Deployment, deploy, fresh } from '../../support/deployment.ts';
import { type Gateway, listedIssuer, trustListDocument } from '../../support/gateway.ts';
import {
  credential,
  goodClaims,
  ISS,
  SIGNER,
  type Signer,
  signerOf,
} from '../../support/synthetic-issuer.ts';

const TIMEOUT_MS = 120_000;
/** The first is the one that gateways start with. */
const SIGNERS = [SIGNER, ...[1, 2, 3, 4].map((i) => signerOf(`key of turn ${i}`, `turn-${i}`))];
const signer = (i: number): Signer => SIGNERS[i] as Signer;

interface Seen {
  readonly gateway: number;
  readonly kid: string;
  readonly beganMs: number;
  readonly endedMs: number;
  readonly reason: string;
}

let deployment: Deployment;
let gateways: Gateway[];
let version = 1;

/** Puts a list in force everywhere. */
async function publish(...signers: readonly Signer[]): Promise<void> {
  version++;
  for (const { trustListFile } of gateways)
    writeFileSync(
      trustListFile,
      JSON.stringify(trustListDocument(version, [listedIssuer({}, [...signers])])),
    );
  for (const { admin } of gateways) {
    const answer = await call(`${admin}/admin/v1/trust-list/reload`, { method: 'POST' });
    // Whether it changes anything now: a gateway may have read its file in between.
    expect(answer.json).toMatchObject({ version, enforced: true });
  }
}

beforeAll(async () => {
  deployment = await deploy();
  const env = { VIGIE_WORKERS: '2' };
  gateways = [await deployment.start('one', env), await deployment.start('two', env)];
  await fresh(gateways, 30);
}, TIMEOUT_MS);
afterAll(() => deployment?.dispose());

/** Asks each gateway without pause about a card of each of these keys, and keeps what came. */
function load(kids: () => readonly Signer[]) {
  const seen: Seen[] = [];
  const cards = new Map(
    SIGNERS.map((one) => [
      one.kid,
      credential({ payload: goodClaims({ exp: Math.floor(Date.now() / 1000) + 3_600 }), signer: one }),
    ]),
  );
  let isOver = false;
  const clients = gateways.map(async ({ data }, gateway) => {
    while (!isOver) {
      for (const { kid } of kids()) {
        const beganMs = performance.now();
        const reason = await reasonOf(data, cards.get(kid) as string);
        seen.push({ gateway, kid, beganMs, endedMs: performance.now(), reason });
      }
      await sleep(5);
    }
  });
  return {
    seen,
    stop: async (): Promise<void> => {
      isOver = true;
      await Promise.all(clients);
    },
  };
}

it(
  'turned over four times: every card of a key in force is good, one of a key that has left is not',
  async () => {
    let inForce: readonly Signer[] = [signer(0)];
    const { seen, stop } = load(() => inForce);
    for (let turn = 1; turn < SIGNERS.length; turn++) {
      await publish(signer(turn - 1), signer(turn));
      // Only now does the issuer sign by the new one.
      inForce = [signer(turn - 1), signer(turn)];
      const enough = seen.length + 60;
      await expect.poll(() => seen.length, { timeout: 30_000 }).toBeGreaterThan(enough);
      inForce = [signer(turn)];
      // Nobody has a card of the old one any more; calls under way are waited for.
      const quiet = seen.length + 8;
      await expect.poll(() => seen.length, { timeout: 30_000 }).toBeGreaterThan(quiet);
      await publish(signer(turn));
      const old = credential({
        payload: goodClaims({}, Math.floor(Date.now() / 1000)),
        signer: signer(turn - 1),
      });
      for (const { data } of gateways) expect(await reasonOf(data, old)).toBe('unknown_key');
    }
    await stop();
    expect(seen.length).toBeGreaterThan(300);
    expect(seen.filter(({ reason }) => reason !== 'ok')).toEqual([]);
  },
  TIMEOUT_MS,
);

it(
  'withdrawn at one gateway: dead there at once, everywhere within the bound; its neighbour in the list lives',
  async () => {
    const [leaving, staying] = [signer(0), signer(4)];
    await publish(leaving, staying);
    const { seen, stop } = load(() => [leaving, staying]);
    await expect.poll(() => seen.length, { timeout: 30_000 }).toBeGreaterThan(60);
    const [one] = gateways as [Gateway];
    const withdrawnMs = performance.now();
    const answer = await call(`${one.admin}/admin/v1/key-retirements`, {
      body: { iss: ISS, kid: leaving.kid },
    });
    const acknowledgedMs = performance.now();
    expect([answer.status, answer.json.known]).toEqual([200, true]);
    await sleep(STALENESS_BOUND_MS + 1_000);
    await stop();
    for (const { gateway, kid, beganMs, endedMs, reason } of seen) {
      if (kid === staying.kid || endedMs < withdrawnMs) expect([kid, reason]).toEqual([kid, 'ok']);
      else if (beganMs > acknowledgedMs + (gateway === 0 ? 0 : STALENESS_BOUND_MS))
        expect([gateway, reason]).toEqual([gateway, 'key_not_active']);
    }
    const last = gateways.map((_, i) => seen.findLast((one) => one.gateway === i && one.kid === leaving.kid));
    expect(last.map((one) => one?.reason)).toEqual(['key_not_active', 'key_not_active']);
  },
  TIMEOUT_MS,
);
