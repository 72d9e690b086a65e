/**
 * A gateway whose own copy was damaged while it was down, or whose disk is full: it notices, says so, has the log
 * give back what is missing, and at no moment clears a card that it had revoked.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cardHash } from '../../../src/revocation/card-hash.ts';
import { deriveSecret } from '../../../src/revocation/deployment-secret.ts';
import { call, type ProblemAnswer, scrape, until, type VerdictAnswer, verify } from '../../support/call.ts';
import {
  acknowledged,
  answered,
  card,
  change,
  type Deployment,
  deploy,
  fresh,
  MASTER,
} from '../../support/deployment.ts';
import { type Gateway, startGateway } from '../../support/gateway.ts';
import { type SmallDisk, smallDisk } from '../../support/small-disk.ts';
import { ISS } from '../../support/synthetic-issuer.ts';

const TIMEOUT_MS = 90_000;
const CARDS = Array.from({ length: 60 }, (_, i) => `revoked-${i}`);
const PAGE_BYTES = 4_096;

let disk: SmallDisk;
let deployment: Deployment;
let healthy: Gateway;
/** The data directory of a gateway that was ended in good order, to be copied and damaged. */
let original: string;

beforeAll(async () => {
  disk = smallDisk(8);
  deployment = await deploy();
  healthy = await deployment.start('healthy');
  const model = await deployment.start('original');
  await fresh([healthy, model]);
  for (const jti of CARDS) await acknowledged(healthy, jti);
  await answered([model], CARDS.at(-1) as string, 'revoked');
  model.signal('SIGTERM');
  expect((await model.ended).code).toBe(0);
  original = model.dataDir;
}, TIMEOUT_MS);

afterAll(async () => {
  await deployment?.dispose();
  disk?.remove();
});

type Damage = (file: string, content: Buffer) => void;
const over = (from: number, to: number, fill: number): Damage => {
  return (file, content) => writeFileSync(file, Buffer.from(content).fill(fill, from, to));
};
/** A bit of an entry turned over: every place where it stands, in whatever generation. */
const flippedEntries: Damage = (file, content) => {
  const { cardHashKey } = deriveSecret(MASTER);
  const damaged = Buffer.from(content);
  for (const jti of CARDS.slice(0, 3)) {
    const hash = cardHash(cardHashKey, ISS, jti);
    for (let at = damaged.indexOf(hash); at >= 0; at = damaged.indexOf(hash, at + 1)) {
      damaged[at + hash.length + 1] = (damaged[at + hash.length + 1] as number) ^ 1;
    }
  }
  writeFileSync(file, damaged);
};
const DAMAGES: readonly { readonly name: string; readonly damage: Damage }[] = [
  { name: 'emptied', damage: (file) => truncateSync(file, 0) },
  { name: 'cut-in-half', damage: (file, { length }) => truncateSync(file, Math.floor(length / 2)) },
  { name: 'last-page-missing', damage: (file, { length }) => truncateSync(file, length - PAGE_BYTES) },
  { name: 'torn', damage: (file, content) => over(content.length / 2, content.length, 0)(file, content) },
  { name: 'both-meta-pages-overwritten', damage: over(16, 2 * PAGE_BYTES, 0x55) },
  { name: 'entries-flipped', damage: flippedEntries },
];

/** No card of those is cleared, whatever else is said of it. */
async function clearsNone(gateway: Gateway): Promise<void> {
  const answer = await call<{ results: VerdictAnswer[] }>(`${gateway.data}/v1/verify/batch`, {
    body: { credentials: CARDS.map(card) },
  });
  for (const { reason } of answer.json.results) expect(['revoked', 'revocation_stale']).toContain(reason);
}

describe.concurrent('a copy that was', () => {
  it.for(DAMAGES)(
    '$name',
    { timeout: TIMEOUT_MS },
    async ({ name, damage }, { annotate, expect, onTestFinished }) => {
      const dataDir = join(original, '..', name);
      cpSync(original, dataDir, { recursive: true });
      const file = join(dataDir, 'status', 'data.mdb');
      damage(file, readFileSync(file));
      const env = { VIGIE_REDIS_URL: `redis://127.0.0.1:${deployment.redis.port}` };
      const start = async (): Promise<Gateway> => {
        const gateway = await startGateway({ dataDir, env });
        onTestFinished(() => gateway.dispose());
        return gateway;
      };
      const started = await start().catch((error: Error) => error);
      let gateway: Gateway;
      if (started instanceof Error) {
        // It says what is wrong in one line, or is killed by a file that lies about its pages; it never serves.
        expect(started.message).toMatch(/ended with (2|SIGBUS|SIGSEGV) before it was ready/);
        if (started.message.includes('ended with 2 '))
          // LMDB may have written before it, on the same line.
          expect(started.message).toMatch(/vigie: VIGIE_DATA_DIR: [^\n]+\n/);
        // What the operator does about it; the log has everything.
        rmSync(join(dataDir, 'status'), { recursive: true });
        gateway = await start();
      } else {
        gateway = started;
      }
      await annotate(started instanceof Error ? 'refused' : 'started');
      await clearsNone(gateway);
      await fresh([gateway], 30);
      await clearsNone(gateway);
      for (const jti of CARDS) await answered([gateway], jti, 'revoked', 20_000);
      expect((await verify(gateway.data, card('good'))).reason).toBe('ok');
    },
  );
});

it(
  'a full disk: changes are refused here, cards verified, the age told, an alarm raised; with room all is well',
  async () => {
    const dataDir = join(disk.path, 'gateway');
    mkdirSync(dataDir, { mode: 0o700 });
    writeFileSync(join(dataDir, 'secret'), `${MASTER.toString('hex')}\n`, { mode: 0o600 });
    const env = { VIGIE_REDIS_URL: `redis://127.0.0.1:${deployment.redis.port}` };
    const gateway = await startGateway({ dataDir, env });
    try {
      await fresh([gateway]);
      await answered([gateway], CARDS[0] as string, 'revoked');
      disk.fill(gateway.pid);
      // Until the pages are used up that the store has already.
      let refused = await change(gateway, 'filling-0', 'revoked');
      await until(async () => {
        refused = await change(gateway, `filling-${performance.now()}`, 'revoked');
        return refused.status !== 200;
      });
      // The trail of admin actions stands on the same disk, and is asked first: whichever of the two is full says so.
      const { type, cause } = refused.json as unknown as ProblemAnswer;
      expect(refused.status).toBe(503);
      expect(cause ?? type).toMatch(/^io-error$|audit-unavailable$/);
      const filledMs = performance.now();
      await acknowledged(healthy, 'made-elsewhere');
      await until(async () => (await verify(gateway.data, card('good'))).revocation.state === 'stale');
      expect(performance.now() - filledMs).toBeGreaterThan(3_000);
      await clearsNone(gateway);
      expect((await verify(gateway.data, card('good'))).reason).toBe('ok');
      expect((await scrape(gateway.metrics)).get('vigie_revocation_copy_faults_total')).toBeGreaterThan(0);
      expect((await verify(healthy.data, card('good'))).revocation.state).toBe('fresh');
      disk.makeRoom(gateway.pid);
      await fresh([gateway], 10);
      await answered([gateway], 'made-elsewhere', 'revoked');
      await acknowledged(gateway, 'after');
    } finally {
      await gateway.dispose();
    }
  },
  TIMEOUT_MS,
);
