/** Attack 91: whoever can write into Redis, and has not the deployment's secret. */
import { cardHash } from '../../../src/revocation/card-hash.ts';
import { deriveSecret } from '../../../src/revocation/deployment-secret.ts';
import { encodeEntry } from '../../../src/revocation/status-entry.ts';
import { reasonOf, scrape, until } from '../../support/call.ts';
import { acknowledged, card, type Deployment, deploy, fresh, key, MASTER } from '../../support/deployment.ts';
import type { Gateway } from '../../support/gateway.ts';
import { ISS } from '../../support/synthetic-issuer.ts';
import type { AttackCase } from '../attack-case.ts';

export const FORGED_RECORD: AttackCase = {
  number: 91,
  name: 'a forged record written into Redis',
  sent: 'a reinstatement of a revoked card, under another secret',
  expected: 'refused and counted; the card: revoked',
  run: async () => {
    const deployment = await deploy();
    try {
      const gateway = await deployment.start('a');
      await fresh([gateway]);
      await acknowledged(gateway, 'revoked');
      await forge(deployment);
      await until(async () => (await refusedRecords(gateway)) > 0);
      return `refused and counted; the card: ${await reasonOf(gateway.data, card('revoked'))}`;
    } finally {
      await deployment.dispose();
    }
  },
};

/** As the gateway would write it, but for the secret. */
async function forge({ redis }: Deployment): Promise<void> {
  const hash = cardHash(deriveSecret(MASTER).cardHashKey, ISS, 'revoked');
  const [stream = ''] = await redis.admin.keys(key('stream:*'));
  const seq = Number(await redis.admin.hget(key('log'), 'seq')) + 1;
  const entry = encodeEntry(deriveSecret(Buffer.alloc(32, 1)).entryMacKey, hash, {
    status: 'active',
    why: undefined,
    sinceMs: Date.now(),
    expiresAt: Number.POSITIVE_INFINITY,
    seq,
    extendsOnly: false,
  });
  await redis.admin.xadd(stream, `${seq}-0`, 'h', hash, 'e', entry);
  await redis.admin.hset(key('log'), 'seq', seq);
}

async function refusedRecords(gateway: Gateway): Promise<number> {
  const samples = await scrape(gateway.metrics);
  return ['record', 'state', 'entry'].reduce(
    (sum, what) => sum + (samples.get(`vigie_revocation_refused_records_total{what="${what}"}`) ?? 0),
    0,
  );
}
