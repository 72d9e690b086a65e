/** Status changes on a shared log, one gateway's answers one by one: real replicator and admission, virtual time. */
import { describe, expect, it } from 'vitest';
import type { ChangeOutcome, ChangeRequest } from '../../../src/revocation/change-call.ts';
import { newEpoch } from '../../../src/revocation/shared/epoch.ts';
import { hashOf, ISS } from '../../simulation/model-cards.ts';
import { createCluster } from '../../simulation/model-cluster.ts';
import { newDisk } from '../../simulation/model-copy.ts';
import { createGateway, type Gateway } from '../../simulation/model-gateway.ts';
import { createScheduler } from '../../simulation/scheduler.ts';

/** Two gateways on one log, founded and settled. */
async function deployment(waitsForReplica = false) {
  const scheduler = createScheduler(1);
  const cluster = createCluster(waitsForReplica);
  const make = (name: string): Gateway =>
    createGateway({
      name,
      disk: newDisk(newEpoch(1n, scheduler.bytes(8))),
      link: { up: true, loss: 0, slowMs: 0, server: cluster.primary },
      scheduler,
      cluster,
      onEvent: () => undefined,
      onCrash: (error) => {
        throw error;
      },
    });
  const a = make('a');
  const b = make('b');
  a.start();
  b.start();
  await scheduler.run(10_000);
  /** The answer, after as much virtual time as it takes. */
  const settle = async <T>(answer: Promise<T>): Promise<T> => {
    let done = false;
    void answer.finally(() => {
      done = true;
    });
    await scheduler.run(scheduler.nowMs() + 60_000, () => done);
    return answer;
  };
  const begin = (gateway: Gateway, request: ChangeRequest): Promise<ChangeOutcome> =>
    (gateway.process as NonNullable<Gateway['process']>).admission.applyChanges(request);
  const ask = (gateway: Gateway, request: ChangeRequest) => settle(begin(gateway, request));
  return { scheduler, cluster, a, b, begin, ask, settle };
}

function call(
  jti: string,
  status: 'active' | 'suspended' | 'revoked',
  idempotencyKey?: string,
): ChangeRequest {
  return { changes: [{ iss: ISS, jti, status }], ...(idempotencyKey && { idempotencyKey }) };
}

describe('status changes on a shared log', () => {
  it('are enforced here when acknowledged and elsewhere after a poll', async () => {
    const { scheduler, a, b, ask } = await deployment();
    expect(await ask(a, call('x', 'revoked'))).toEqual({ outcome: 'applied', seq: 1 });
    expect(a.verify('x').answer).toBe('revoked');
    await scheduler.run(scheduler.nowMs() + 250);
    expect(b.verify('x')).toMatchObject({ answer: 'revoked', state: 'fresh' });
    expect(await ask(b, call('x', 'active'))).toEqual({ outcome: 'revocation-final', index: 0 });
  });

  it('of two gateways at once are put in an order, none lost', async () => {
    const { a, b, begin, settle } = await deployment();
    const calls = Array.from({ length: 10 }, (_, i) => begin(i % 2 ? a : b, call(`card-${i}`, 'suspended')));
    const answers = await settle(Promise.all(calls));
    const seqs = answers.map((answer) => (answer.outcome === 'applied' ? answer.seq : answer.outcome));
    expect([...seqs].sort()).toEqual([1, 10, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('are answered alike when repeated under their key, at another gateway too', async () => {
    const { a, b, ask } = await deployment();
    const suspend = call('x', 'suspended', 'key');
    expect(await ask(a, suspend)).toEqual({ outcome: 'applied', seq: 1 });
    expect(await ask(a, call('x', 'revoked'))).toEqual({ outcome: 'applied', seq: 2 });
    // By itself it would be refused now; it was applied before, which is the answer.
    expect(await ask(b, suspend)).toEqual({ outcome: 'applied', seq: 1 });
    expect(await ask(b, call('x', 'suspended', 'other'))).toEqual({ outcome: 'revocation-final', index: 0 });
    expect(await ask(b, call('y', 'suspended', 'key'))).toEqual({ outcome: 'idempotency-key-reused' });
  });

  it('are not acknowledged on an answer that nobody of this deployment gave', async () => {
    const { cluster, a, b, ask } = await deployment();
    await ask(a, call('x', 'suspended', 'key'));
    const { answers } = cluster.primary.data;
    for (const name of answers.keys()) answers.set(name, Buffer.alloc(56, 1));
    const refused = { outcome: 'unavailable', cause: 'answer-not-authentic' };
    expect(await ask(b, call('x', 'suspended', 'key'))).toEqual(refused);
    expect(b.process?.replicator.status().refused.answer).toBe(1);
  });

  it('wait for the replicas, also when there is nothing left to change', async () => {
    const { cluster, a, ask } = await deployment(true);
    cluster.primary.lagging = true;
    const unconfirmed = { outcome: 'unavailable', cause: 'not-replicated' };
    expect(await ask(a, call('x', 'revoked', 'key'))).toEqual(unconfirmed);
    expect(await ask(a, call('x', 'revoked', 'key'))).toEqual(unconfirmed);
    expect(await ask(a, call('x', 'revoked'))).toEqual(unconfirmed);
    cluster.primary.lagging = false;
    expect(await ask(a, call('x', 'revoked'))).toEqual({ outcome: 'applied', seq: 1 });
    expect(await ask(a, call('x', 'revoked', 'key'))).toEqual({ outcome: 'applied', seq: 1 });
  });

  it('are not acknowledged without a log, with a full disk, or while the log settles', async () => {
    const { scheduler, cluster, a, b, ask } = await deployment();
    a.link.up = false;
    expect(await ask(a, call('x', 'revoked'))).toMatchObject({ cause: 'log-unreachable' });
    a.link.up = true;
    a.disk.failing = true;
    expect(await ask(a, call('x', 'revoked'))).toMatchObject({ cause: 'io-error' });
    a.disk.failing = false;
    cluster.primary.readOnly = true;
    expect(await ask(b, call('y', 'revoked'))).toMatchObject({ cause: 'log-refused' });
    cluster.primary.readOnly = false;
    // Another server: what it lost, only somebody else may know.
    cluster.primary.id = 'another';
    expect(await ask(b, call('y', 'revoked'))).toMatchObject({ cause: 'log-settling' });
    await scheduler.run(scheduler.nowMs() + 3_500);
    // What the full disk kept from being acknowledged holds: the log had it.
    expect(await ask(b, call('x', 'active'))).toEqual({ outcome: 'revocation-final', index: 0 });
  });

  it('beyond the queue are turned away at once', async () => {
    const { a, begin, settle } = await deployment();
    const calls = Array.from({ length: 300 }, (_, i) => begin(a, call(`card-${i}`, 'suspended')));
    const answers = await settle(Promise.all(calls));
    expect(answers.filter(({ outcome }) => outcome === 'applied')).toHaveLength(256);
    expect(answers.at(-1)).toEqual({ outcome: 'unavailable', cause: 'queue-full' });
  });

  it('count for the mass-change guard wherever they were admitted', async () => {
    const { a, b, ask } = await deployment();
    for (let i = 0; i < 10; i++) {
      const changes = Array.from({ length: 1_000 }, (_, k) => ({
        iss: ISS,
        jti: `${i}-${k}`,
        status: 'suspended',
      }));
      const answer = await ask(a, { changes } as ChangeRequest);
      expect(answer.outcome).toBe('applied');
    }
    const held = await ask(b, call('one-more', 'suspended'));
    expect(held.outcome).toBe('mass-change-held');
    const confirm = held.outcome === 'mass-change-held' ? held.token : '';
    expect((await ask(b, { ...call('one-more', 'suspended'), confirm })).outcome).toBe('applied');
  });

  it('leave a key retired for good, repeated or not', async () => {
    const { scheduler, a, b, settle } = await deployment();
    const retire = (gateway: Gateway) =>
      settle(gateway.process?.admission.retireKey(ISS, 'kid') as Promise<unknown>);
    expect(await retire(a)).toEqual({ outcome: 'applied', seq: 1 });
    expect(await retire(b)).toEqual({ outcome: 'applied', seq: 1 });
    await scheduler.run(scheduler.nowMs() + 250);
    expect(b.disk.state.retiredKeys).toBe(1);
  });

  it('hold an entry that rotted for unreadable, not for absent', async () => {
    const { a, ask } = await deployment();
    await ask(a, call('x', 'suspended'));
    const name = hashOf('x').toString('hex');
    const stored = a.disk.entries.get(name) as { hash: Buffer; entry: Buffer };
    a.disk.entries.set(name, { ...stored, entry: Buffer.alloc(44) });
    expect(a.verify('x').answer).toBe('unknown');
    expect(await ask(a, call('x', 'active'))).toEqual({ outcome: 'unavailable', cause: 'unreadable-entry' });
  });
});
