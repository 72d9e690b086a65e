/** The shared log on a real Redis: holds, leases, the filter's snapshot, and the prefix of all names. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { followLog, found, must, openLog } from './log-fixture.ts';
import { log, server, url, useOneServer } from './one-server.ts';

useOneServer();

describe('holds', () => {
  it('that are no holds count as none, and the next one replaces them', async () => {
    await found(log);
    await server.admin.zadd('{vigie}:holds', Date.now() + 3_600_000, 'longer than any gateway holds');
    expect((await followLog(log)).head.held).toBe(false);
    await server.admin.set('{vigie}:holds', 'x');
    expect((await followLog(log)).head.held).toBe(false);
    must(await log.hold(5_000));
    expect((await followLog(log)).head.held).toBe(true);
    expect(await server.admin.pttl('{vigie}:holds')).toBeGreaterThan(5_000);
  });
});

describe('leases', () => {
  it('are held by one, renewed by it, and lapse', async () => {
    const other = openLog(url);
    const held = (value: boolean) => ({ ok: true, value: { held: value } });
    expect(await log.lease('filter', 80)).toEqual(held(true));
    expect(await other.lease('filter', 80)).toEqual(held(false));
    expect(await other.lease('audit', 80)).toEqual(held(true));
    expect(await log.lease('filter', 80)).toEqual(held(true));
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(await other.lease('filter', 5_000)).toEqual(held(true));
    expect(await log.lease('filter', 5_000)).toEqual(held(false));
  });
});

describe("the filter's snapshot", () => {
  const CHUNK = 256 * 1024;

  it('is published whole, the one before kept, the one before that dropped', async () => {
    expect(must(await log.readFilter())).toBeUndefined();
    const other = openLog(url);
    for (let i = 0; i < 3; i++) {
      const snapshot = { header: Buffer.from([i, 0, 255]), bits: randomBytes(10 * CHUNK + 17) };
      expect(await log.publishFilter(snapshot)).toEqual({ ok: true, value: undefined });
      const read = must(await other.readFilter());
      // Not by deep equality, which walks megabytes byte by byte.
      expect([read?.header.equals(snapshot.header), read?.bits.equals(snapshot.bits)]).toEqual([true, true]);
    }
    expect((await server.admin.keys('{vigie}:filter:*')).length).toBe(2 * 11);
    const [chunk] = await server.admin.keys('{vigie}:filter:*');
    expect(await server.admin.pttl(chunk as string)).toBeGreaterThan(6 * 86_400_000);
  });

  it('of which a chunk is missing or of another length is none, and reserves nothing', async () => {
    await log.publishFilter({ header: Buffer.from('h'), bits: randomBytes(3 * CHUNK) });
    const [chunk] = await server.admin.keys('{vigie}:filter:*');
    await server.admin.append(chunk as string, 'x');
    expect(must(await log.readFilter())).toBeUndefined();
    await server.admin.del(chunk as string);
    expect(must(await log.readFilter())).toBeUndefined();
    await server.admin.hset('{vigie}:filter', 'bytes', '4294967296');
    expect(must(await log.readFilter())).toBeUndefined();
    await server.admin.hset('{vigie}:filter', 'bytes', '99999999999');
    expect(await log.readFilter()).toMatchObject({ ok: false, fault: 'malformed' });
  });

  it.each([
    ['a string', ['set', '{vigie}:filter', 'x']],
    ['a hash of something else', ['hset', '{vigie}:filter', 'name', '../x', 'bytes', '1', 'header', 'h']],
  ])('where %s stands it is published over, since it is only a cache', async (_what, [command, ...args]) => {
    await server.admin.call(command as string, ...args);
    expect(await log.readFilter()).toMatchObject({ ok: false, fault: 'malformed' });
    const snapshot = { header: Buffer.from('h'), bits: randomBytes(5) };
    expect(await log.publishFilter(snapshot)).toEqual({ ok: true, value: undefined });
    expect(must(await log.readFilter())).toEqual(snapshot);
  });
});

describe('a prefix', () => {
  it('keeps deployments apart', async () => {
    const other = openLog(url, { prefix: 'essai.2' });
    await found(log);
    expect(must(await other.follow(0, 1))).toEqual({ kind: 'empty' });
    await found(other, 3);
    expect((await followLog(other)).head.seq).toBe(3);
    expect((await server.admin.keys('*')).sort()).toEqual(['{essai.2}:log', '{vigie}:log']);
    expect(() => openLog(url, { prefix: 'a}b' })).toThrow(RangeError);
  });
});
