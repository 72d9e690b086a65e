/** Who owns a slot, as nodes of several versions tell it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { latestClaim, readClaim, slotOf } from '../../src/redis/cluster-nodes.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

const [A, B, C, D] = ['a', 'b', 'c', 'd'].map((digit) => digit.repeat(40));
const ASKED = { host: 'asked', port: 7_000 };
const read = (lines: readonly string[], slot = 100, byName = false) =>
  readClaim(`${lines.join('\n')}\n`, slot, ASKED, byName);

describe('the slot of a hash tag', () => {
  let node: RedisServer;
  beforeAll(async () => {
    node = await startRedis({ args: ['--cluster-enabled', 'yes'] });
  });
  afterAll(() => node.stop());

  it.each(['vigie', 'essai.2', 'A', '0'.repeat(64), '_-.'])('%s, as Redis says', async (tag) => {
    expect(slotOf(tag)).toBe(await node.admin.call('CLUSTER', 'KEYSLOT', `{${tag}}:log`));
  });
});

describe("a node's answer", () => {
  it('names the owner, its replicas and its epoch', () => {
    const claim = read([
      `${A} 10.0.0.1:7001@17001 myself,master - 0 1700000000000 1 connected 0-50 200-300`,
      `${B} 10.0.0.2:7002@17002 master - 0 1700000000000 7 connected 51-199`,
      `${C} 10.0.0.3:7003@17003 slave ${B} 0 1700000000000 7 connected`,
      `${D} 10.0.0.4:7004@17004 slave ${A} 0 1700000000000 1 connected`,
    ]);
    const owner = { host: '10.0.0.2', port: 7_002 };
    expect(claim).toEqual({ owner, members: [owner, { host: '10.0.0.3', port: 7_003 }], configEpoch: 7n });
  });

  it('is of single slots and ranges, their ends included', () => {
    const lines = [`${A} h:1@2 master - 0 0 1 connected 7 10-20`];
    const owned = [6, 7, 8, 9, 10, 15, 20, 21].filter((slot) => read(lines, slot) !== undefined);
    expect(owned).toEqual([7, 10, 15, 20]);
  });

  it('leaves a slot to its owner while it is migrated', () => {
    const claim = read([
      `${A} 10.0.0.1:7001@17001 myself,master - 0 0 1 connected 0-200 [100->-${B}]`,
      `${B} 10.0.0.2:7002@17002 master - 0 0 2 connected 201-300 [100-<-${A}]`,
    ]);
    expect(claim?.owner).toEqual({ host: '10.0.0.1', port: 7_001 });
  });

  it('of a node that does not know its own address is of where it was asked', () => {
    const claim = read([`${A} :7001@17001 myself,master - 0 0 0 connected 0-16383`]);
    expect(claim?.owner).toEqual({ host: 'asked', port: 7_001 });
    expect(read([`${A} :7001@17001 master - 0 0 0 connected 0-16383`])).toBeUndefined();
  });

  it.each([
    ['10.0.0.1:7001', '10.0.0.1', '10.0.0.1'],
    ['fe80::1:7001@17001', 'fe80::1', 'fe80::1'],
    ['10.0.0.1:7001@17001,node.example', '10.0.0.1', 'node.example'],
    ['10.0.0.1:7001@17001,', '10.0.0.1', '10.0.0.1'],
    ['10.0.0.1:7001@17001,,tls-port=0,shard-id=ff', '10.0.0.1', '10.0.0.1'],
    ['10.0.0.1:7001@17001,node.example,shard-id=ff', '10.0.0.1', 'node.example'],
  ])('%s: by address, or by the name announced', (address, byAddress, byName) => {
    const lines = [`${A} ${address} master - 0 0 3 connected 0-16383`];
    expect(read(lines)?.owner).toEqual({ host: byAddress, port: 7_001 });
    expect(read(lines, 100, true)?.owner).toEqual({ host: byName, port: 7_001 });
  });

  it.each([
    ['nothing', ['']],
    ['no owner', [`${A} h:1@2 master - 0 0 1 connected 0-99 101-300`]],
    ['an owner without an address', [`${A} h:0@0 master,noaddr - 0 0 1 disconnected 0-300`]],
    ['an owner half met', [`${A} h:1@2 handshake - 0 0 1 connected 0-300`]],
    ['an epoch that is none', [`${A} h:1@2 master - 0 0 x connected 0-300`]],
    ['something else', ['-ERR', 'a b c', '\0']],
  ])('with %s knows of no owner', (_what, lines) => {
    expect(read(lines)).toBeUndefined();
  });

  it('names no more members than a shard has', () => {
    const replicas = Array.from({ length: 100 }, (_, i) => `${i} h${i}:1@2 slave ${A} 0 0 1 connected`);
    expect(read([`${A} h:1@2 master - 0 0 1 connected 0-300`, ...replicas])?.members).toHaveLength(16);
  });
});

it('of several claims that of the highest epoch counts, beyond what a double can hold', () => {
  const claim = (host: string, configEpoch: bigint) => ({
    owner: { host, port: 1 },
    members: [],
    configEpoch,
  });
  const claims = [claim('old', 1n), claim('new', 2n ** 60n + 1n), claim('older', 2n ** 60n)];
  expect(latestClaim(claims)?.owner.host).toBe('new');
  expect(latestClaim([claim('first', 1n), claim('second', 1n)])?.owner.host).toBe('first');
  expect(latestClaim([])).toBeUndefined();
});
