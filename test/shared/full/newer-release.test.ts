/** What a newer release writes is refused, counted and said, and left alone: real gateways, a real Redis. */
import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { cardHash } from '../../../src/revocation/card-hash.ts';
import { deriveSecret } from '../../../src/revocation/deployment-secret.ts';
import { encodeEntry } from '../../../src/revocation/status-entry.ts';
import { accountEntry } from '../../../src/revocation/store-account.ts';
import { decodeState, encodeState } from '../../../src/revocation/store-state.ts';
import { call, changeStatus, reasonOf, scrape, until } from '../../support/call.ts';
import { card, deploy, MASTER } from '../../support/deployment.ts';
import { openLogOn } from '../../support/redis-log.ts';
import { ISS } from '../../support/synthetic-issuer.ts';

const SECRET = deriveSecret(MASTER);

/** Appends one entry of schema version 3, authentic, as a newer gateway would, and says in which life of the log. */
async function appendOfNewerRelease(port: number, jti: string): Promise<string> {
  const log = openLogOn(port, SECRET);
  try {
    const followed = await log.follow(Number.MAX_SAFE_INTEGER, 1);
    if (!followed.ok || followed.value.kind !== 'log') throw new Error('no log');
    const { head } = followed.value;
    const state = decodeState(SECRET.entryMacKey, head.epoch, head.state);
    if (state === undefined) throw new Error('no state');
    const hash = cardHash(SECRET.cardHashKey, ISS, jti);
    const seq = head.seq + 1;
    const fields = { status: 'revoked', why: undefined, sinceMs: Date.now(), expiresAt: Infinity } as const;
    const entry = encodeEntry(SECRET.entryMacKey, hash, { ...fields, seq, extendsOnly: false });
    entry[0] = 3;
    const mac = createHmac('sha256', SECRET.entryMacKey).update(hash).update(entry.subarray(0, 28)).digest();
    mac.copy(entry, 28, 0, 16);
    accountEntry(state, hash, entry, 1);
    state.seq = seq;
    const appended = await log.append({
      epoch: head.epoch,
      expectedSeq: head.seq,
      expectedState: head.state,
      records: [{ seq, hash, entry }],
      state: encodeState(SECRET.entryMacKey, head.epoch, state),
    });
    expect(appended).toEqual({ ok: true, value: { kind: 'appended' } });
    return head.epoch.toString('hex');
  } finally {
    log.close();
  }
}

it('a record of a later schema stops the following, not the verifying, and nothing is founded without it', async (test) => {
  const deployment = await deploy();
  test.onTestFinished(() => deployment.dispose());
  const gateway = await deployment.start('a');
  const summary = async () =>
    (
      await call<{ epoch: string; replication: { state: string; healings: number } }>(
        `${gateway.admin}/admin/v1/status/summary`,
      )
    ).json;
  await until(async () => (await summary()).replication.state === 'following');
  await until(async () => {
    const answer = await call(`${gateway.admin}/admin/v1/status-changes`, {
      body: { changes: [{ iss: ISS, jti: 'before', status: 'revoked' }] },
    });
    return answer.status === 200;
  });
  const { healings } = (await summary()).replication;
  const epoch = await appendOfNewerRelease(deployment.redis.port, 'newer');
  await until(async () => (await summary()).replication.state === 'foreign');
  // It goes on verifying by its copy.
  expect(await reasonOf(gateway.data, card('before'))).toBe('revoked');
  expect(await reasonOf(gateway.data, card('unheard-of'))).toBe('ok');
  await expect(changeStatus(gateway.admin, { iss: ISS, jti: 'later', status: 'revoked' })).rejects.toThrow();
  const metrics = await scrape(gateway.metrics);
  expect(metrics.get('vigie_revocation_refused_records_total{what="schema"}')).toBeGreaterThan(0);
  expect(gateway.stderr()).toContain('"what":"schema"');
  // Longer than a founding would be waited for.
  await new Promise((resolve) => setTimeout(resolve, 6_000));
  expect(await summary()).toMatchObject({ epoch, replication: { state: 'foreign', healings } });

  // A gateway without a copy does not make one without what it cannot read.
  const second = await deployment.start('b', { VIGIE_REVOCATION_MAX_AGE_SECONDS: '3600' });
  await until(
    async () =>
      ((await scrape(second.metrics)).get('vigie_revocation_refused_records_total{what="schema"}') ?? 0) > 0,
  );
  expect(await reasonOf(second.data, card('before'))).toBe('revocation_stale');
  const head = await deployment.redis.admin.hget('{vigie}:log', 'seq');
  expect(head).toBe('2');
});
