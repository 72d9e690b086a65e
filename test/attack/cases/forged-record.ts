/** Attack 91: whoever can write into Redis, and has not the deployment's secret. */
import { cardHash } from '../../../src/revocation/card-hash.ts';
import { deriveSecret } from '../../../src/revocation/deployment-secret.ts';
import { encodeEntry } from '../../../src/revocation/status-entry.ts';
import { reasonOf, scrape, until } from '../../support/call.ts';
import { acknowledged, card, type Deployment, deploy, fresh, key, MASTER } from '../../support/deployment.ts';
import type { Gateway } from '../../support/gateway.ts';
import { ISS } from '../../support/synthetic-issuer.ts';
import type { AttackCase, AttackCases } from '../attack-case.ts';

type Status = 'active' | 'revoked';

/** A record for a card that stands otherwise; `before` is what an authorised caller made of it. */
function forgedRecord(name: string, forgedStatus: Status, before: Status): AttackCase {
  const stays = before === 'revoked' ? 'revoked' : 'ok';
  return {
    number: 91,
    name: `a forged record written into Redis: ${name}`,
    sent: `${forgedStatus}, under another secret`,
    expected: `refused and counted; the card stays ${stays}`,
    isBeside: true,
    run: async () => {
      const deployment = await deploy();
      try {
        const gateway = await deployment.start('a');
        await fresh([gateway]);
        // The log has a stream from its first entry on.
        await acknowledged(gateway, before === 'revoked' ? 'victim' : 'another');
        await forge(deployment, forgedStatus);
        await until(async () => (await refusedRecords(gateway)) > 0);
        return `refused and counted; the card stays ${await reasonOf(gateway.data, card('victim'))}`;
      } finally {
        await deployment.dispose();
      }
    },
  };
}

export const FORGED_RECORDS: AttackCases = [
  forgedRecord('a reinstatement', 'active', 'revoked'),
  forgedRecord('a revocation that nobody ordered', 'revoked', 'active'),
];

/** As the gateway would write it, but for the secret. */
async function forge({ redis }: Deployment, status: Status): Promise<void> {
  const hash = cardHash(deriveSecret(MASTER).cardHashKey, ISS, 'victim');
  const [stream = ''] = await redis.admin.keys(key('stream:*'));
  const seq = Number(await redis.admin.hget(key('log'), 'seq')) + 1;
  const entry = encodeEntry(deriveSecret(Buffer.alloc(32, 1)).entryMacKey, hash, {
    status,
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
