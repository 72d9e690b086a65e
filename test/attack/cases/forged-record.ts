/** Attack 91: whoever can write into Redis, and has not the deployment's secret. */
import { cardHash } from '../../../src/revocation/card-hash.ts';
import { deriveSecret } from '../../../src/revocation/deployment-secret.ts';
import { encodeEntry } from '../../../src/revocation/status-entry.ts';
import { scrape } from '../../support/call.ts';
import { acknowledged, card, type Deployment, deploy, fresh, key, MASTER } from '../../support/deployment.ts';
import { FASTEST_ENGINE, type Gateway } from '../../support/gateway.ts';
import { ISS } from '../../support/synthetic-issuer.ts';
import { reasonFor } from '../asked.ts';
import type { AttackCases } from '../attack-case.ts';
import { PAYLOAD_MARK, TALKATIVE, targetOf } from '../attack-target.ts';
import { eventually } from '../deadlines.ts';

/** Cards, what an authorised caller made of each, and what the forged record says of it. */
const FORGED = [
  [`${PAYLOAD_MARK}-revoked`, 'revoked', 'active'],
  [`${PAYLOAD_MARK}-active`, undefined, 'revoked'],
] as const;

export const FORGED_RECORDS: AttackCases = [
  {
    number: 91,
    name: 'forged records written into Redis',
    sent: 'a reinstatement and a revocation, under another secret',
    expected: 'refused and counted; the cards stay revoked, ok',
    beside: 'own-gateway',
    run: async () => {
      const deployment = await deploy();
      try {
        const gateway = await deployment.start('a', { ...TALKATIVE, ...FASTEST_ENGINE });
        await fresh([gateway]);
        for (const [jti, status] of FORGED)
          if (status !== undefined) await acknowledged(gateway, jti, status);
        await forge(deployment);
        await eventually('a refusal', async () => (await refusedRecords(gateway)) > 0);
        const target = targetOf(gateway, [], 'revocation log: refused');
        const reasons = await Promise.all(FORGED.map(([jti]) => reasonFor(target, card(jti))));
        await target.stillHonest();
        return `refused and counted; the cards stay ${reasons.join(', ')}`;
      } finally {
        await deployment.dispose();
      }
    },
  },
];

/** As the gateway would write them, but for the secret. */
async function forge({ redis }: Deployment): Promise<void> {
  const [stream = ''] = await redis.admin.keys(key('stream:*'));
  const macKey = deriveSecret(Buffer.alloc(32, 1)).entryMacKey;
  let seq = Number(await redis.admin.hget(key('log'), 'seq'));
  for (const [jti, , status] of FORGED) {
    seq++;
    const hash = cardHash(deriveSecret(MASTER).cardHashKey, ISS, jti);
    const entry = encodeEntry(macKey, hash, {
      status,
      why: undefined,
      sinceMs: Date.now(),
      expiresAt: Number.POSITIVE_INFINITY,
      seq,
      extendsOnly: false,
    });
    await redis.admin.xadd(stream, `${seq}-0`, 'h', hash, 'e', entry);
  }
  await redis.admin.hset(key('log'), 'seq', seq);
}

async function refusedRecords(gateway: Gateway): Promise<number> {
  const samples = await scrape(gateway.metrics);
  return ['record', 'state', 'entry'].reduce(
    (sum, what) => sum + (samples.get(`vigie_revocation_refused_records_total{what="${what}"}`) ?? 0),
    0,
  );
}
