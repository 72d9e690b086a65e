/** What a mixed soak runs against: two gateways that ask for keys, one Redis, and callers of each kind. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ATTACKED_ISSUERS } from '../../attack/attack-target.ts';
import { changeStatus, presentKey } from '../../support/call.ts';
import { bearer, callersFile, oneKey, type TestCaller } from '../../support/callers.ts';
import { acknowledged, deploy, fresh, MASTER } from '../../support/deployment.ts';
import type { Gateway } from '../../support/gateway.ts';
import type { RedisServer } from '../../support/redis.ts';
import { ISS } from '../../support/synthetic-issuer.ts';
import { COUNTS_DESCRIPTORS } from '../at-rest.ts';

/** What `greedy` may ask for, in credentials a second. */
const GREEDY_QUOTA = { perSecond: 5, burst: 20 };
const CALLERS = {
  honest: { name: 'honest', scopes: ['verify', 'batch', 'lots'], keys: [oneKey()] },
  recorder: { name: 'recorder', scopes: ['verify', 'batch'], keys: [oneKey()] },
  hostile: { name: 'hostile', scopes: ['verify', 'batch', 'lots'], keys: [oneKey()] },
  greedy: { name: 'greedy', scopes: ['verify'], quota: GREEDY_QUOTA, keys: [oneKey()] },
} as const satisfies Record<string, TestCaller>;
export type CallerName = keyof typeof CALLERS;

export interface Fleet {
  readonly redis: RedisServer;
  readonly gateways: ReadonlyMap<string, Gateway>;
  /** The header that says who calls. */
  key(caller: CallerName): Record<string, string>;
  dispose(): Promise<void>;
}

export async function openFleet(): Promise<Fleet> {
  const dir = mkdtempSync(join(tmpdir(), 'vigie-soak-'));
  const trustList = join(dir, 'trust-list.json');
  writeFileSync(trustList, JSON.stringify({ version: 1, issuers: ATTACKED_ISSUERS }));
  const callers = callersFile(Object.values(CALLERS), 'data', { master: MASTER });
  const deployment = await deploy();
  const gateways = new Map<string, Gateway>();
  const dispose = async (): Promise<void> => {
    for (const { data } of gateways.values()) presentKey(data, undefined);
    await deployment.dispose();
    callers.dispose();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    for (const name of ['one', 'two']) {
      const env = {
        ...{ ...callers.env, VIGIE_TRUST_LIST: trustList, VIGIE_WORKERS: '2', VIGIE_CANARY: 'on' },
        ...COUNTS_DESCRIPTORS,
      };
      const gateway = await deployment.start(name, env);
      gateways.set(name, gateway);
      presentKey(gateway.data, bearer(CALLERS.hostile));
    }
    await fresh([...gateways.values()], 60);
    // The first change opens the file of the audit trail, which stays open.
    for (const [name, gateway] of gateways) await acknowledged(gateway, `before-the-soak-${name}`);
    // With the first supersede of all, what is under way becomes `revocation_stale`: once in a deployment's life.
    const admin = gateways.get('one')?.admin as string;
    await changeStatus(admin, { iss: ISS, sub: 'before-the-soak', issuedBefore: 1 });
  } catch (error) {
    await dispose();
    throw error;
  }
  return { redis: deployment.redis, gateways, key: (caller) => bearer(CALLERS[caller]), dispose };
}
