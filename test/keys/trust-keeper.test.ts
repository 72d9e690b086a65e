import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createTrustKeeper } from '../../src/keys/trust-keeper.ts';
import type { TrustKeeper, TrustKeeperOptions } from '../../src/keys/trust-keeper-contract.ts';
import { parseTrustSource } from '../../src/keys/trust-source.ts';
import type { TrustList } from '../../src/keys/trusted-key.ts';
import {
  bytes,
  document,
  encodeY,
  ISS,
  jwk,
  keyPair,
  P,
  serve,
  signedList,
  temporaryDirectory,
  verifyWithNode,
} from './trust-fixtures.ts';

/** A machine: its clocks, its data directory, its log. Keepers made on it are gateways started on it. */
function machine() {
  const directory = temporaryDirectory();
  const clock = { wall: 1_750_000_000_000, monotonic: 50_000 };
  const events: { event: string; [field: string]: unknown }[] = [];
  const retired = new Set<string>();
  return {
    clock,
    events,
    retired,
    eventNames: () => events.map(({ event }) => event),
    listFile: join(directory, 'list.json'),
    keptFile: join(directory, 'kept'),
    publish(value: unknown) {
      writeFileSync(join(directory, 'list.json'), bytes(value));
    },
    advance(ms: number) {
      clock.wall += ms;
      clock.monotonic += ms;
    },
    keeper(setting = join(directory, 'list.json'), more: Partial<TrustKeeperOptions> = {}) {
      const parsed = parseTrustSource(setting);
      if (!parsed.ok) throw new Error(parsed.error);
      const keeper = createTrustKeeper({
        source: parsed.source,
        lastKnownGoodFile: join(directory, 'kept'),
        maxBytes: 100_000,
        deadlineMs: 2_000,
        refreshMs: 3_600_000,
        retryMinMs: 3_600_000,
        retryMaxMs: 3_600_000,
        unknownKeyRefreshMs: 30_000,
        clock: { wallMs: () => clock.wall, monotonicMs: () => clock.monotonic },
        random: () => 0.5,
        log: (event, fields) => events.push({ event, ...fields }),
        isRetired: (iss, kid) => retired.has(`${iss} ${kid}`),
        ...more,
      });
      onTestFinished(() => keeper.stop());
      return keeper;
    },
  };
}

function retiredKids(list: TrustList | undefined): string[] {
  return (list?.issuers ?? []).flatMap((issuer) =>
    issuer.keys.filter((key) => key.retired).map((key) => key.kid),
  );
}

/** Monotonic instants of the confirmations that it tells of from now on. */
function confirmations(keeper: TrustKeeper): number[] {
  const confirmed: number[] = [];
  keeper.onConfirmed((atMs) => confirmed.push(atMs));
  return confirmed;
}

const RELOAD = { allowShrink: false };

describe('start', () => {
  test('from a file', async () => {
    const m = machine();
    m.publish(document(7, ['a', 'b']));
    const keeper = m.keeper();
    const confirmed = confirmations(keeper);
    expect(await keeper.start()).toEqual({ ok: true, from: 'source' });
    expect(keeper.current).toMatchObject({ version: 7 });
    expect(confirmed).toEqual([50_000]);
    m.advance(1_500);
    expect(keeper.status()).toMatchObject({
      sourceKind: 'file',
      sourceName: m.listFile,
      version: 7,
      issuers: 1,
      keys: 2,
      retiredKeys: 0,
      ageMs: 1_500,
      lastOutcome: { outcome: 'new', atWallMs: 1_750_000_000_000 },
      outcomes: { new: 1, unchanged: 0, schema: 0 },
    });
    await expect(keeper.start()).rejects.toThrow('starts once');
  });

  test.each([
    ['no file', undefined, 'unreachable: no such file'],
    ['an empty file', '', 'not_json: not JSON'],
    ['a file over the cap', ' '.repeat(100_001), 'too_large: larger than 100000 bytes'],
    ['an unknown member', { ...document(1), more: 1 }, 'schema: document: unknown member "more"'],
  ])('%s and nothing kept ends it with one line', async (_, content, fault) => {
    const m = machine();
    if (content !== undefined) m.publish(content);
    const keeper = m.keeper();
    expect(await keeper.start()).toEqual({ ok: false, error: `trust list ${m.listFile}: ${fault}` });
    expect(keeper.current).toBeUndefined();
    expect(keeper.status()).not.toHaveProperty('version');
  });

  test('a reload before it is a programmer’s error', async () => {
    await expect(machine().keeper().reload(RELOAD)).rejects.toThrow('not started');
  });
});

describe('the last known good list', () => {
  async function kept() {
    const m = machine();
    m.publish(document(7, ['a', 'b', 'c']));
    const before = m.keeper();
    await before.start();
    await before.stop();
    return m;
  }

  test.each<[string, unknown, string]>([
    ['gone', undefined, 'unreachable'],
    ['empty', '', 'not_json'],
    ['garbage', '\u0000\u0001', 'not_json'],
    ['without issuers', { version: 8, issuers: [] }, 'schema'],
    ['older', document(6, ['a', 'b', 'c']), 'version_not_higher'],
    ['changed under its version', document(7, ['a', 'b']), 'version_not_higher'],
    ['shrunken', document(8, ['a']), 'shrunk'],
    [
      'with a weak key',
      { version: 8, issuers: [{ iss: ISS, keys: [...weak(), jwk('a'), jwk('b'), jwk('c')] }] },
      'key_refused',
    ],
    ['with a kid twice', document(8, ['a', 'b', 'c', 'c']), 'schema'],
  ])('stands in when the source is %s', async (_, content, reason) => {
    const m = await kept();
    if (content === undefined) rmSync(m.listFile);
    else m.publish(content);
    m.advance(60_000);
    m.clock.monotonic = 10;
    const keeper = m.keeper();
    const confirmed = confirmations(keeper);
    expect(await keeper.start()).toMatchObject({ ok: true, from: 'last_known_good', refusal: { reason } });
    expect(keeper.current).toMatchObject({ version: 7 });
    // A minute old, though this process is younger than that.
    expect(confirmed).toEqual([10 - 60_000]);
    expect(keeper.status()).toMatchObject({ ageMs: 60_000, lastOutcome: { outcome: reason } });
    expect(m.events.at(-1)).toMatchObject({
      event: 'last_known_good_used',
      version: 7,
      ageMs: 60_000,
      reason,
    });
  });

  test.each([1, 3_600_000])('from %i ms in the future has no known age until it is confirmed', async (ms) => {
    const m = await kept();
    const list = readFileSync(m.listFile);
    rmSync(m.listFile);
    m.clock.wall -= ms;
    const keeper = m.keeper();
    const confirmed = confirmations(keeper);
    expect(await keeper.start()).toMatchObject({ ok: true, from: 'last_known_good' });
    // In effect, so that verdicts that need no age stand; but nothing vouches for it.
    expect(keeper.current).toMatchObject({ version: 7 });
    expect([confirmed, keeper.status().ageMs]).toEqual([[], undefined]);
    expect(m.events.at(-1)).toMatchObject({ event: 'last_known_good_used', ageMs: null });
    writeFileSync(m.listFile, list);
    expect(await keeper.reload(RELOAD)).toMatchObject({ change: 'unchanged', enforced: true });
    expect([confirmed, keeper.status().ageMs]).toEqual([[50_000], 0]);
  });

  test('gives way to the source, and counts as its predecessor', async () => {
    const m = await kept();
    const again = m.keeper();
    expect(await again.start()).toEqual({ ok: true, from: 'source' });
    expect(again.status()).toMatchObject({ version: 7, ageMs: 0, outcomes: { new: 0, unchanged: 1 } });
    m.publish(document(8, ['a', 'b']));
    const next = m.keeper();
    await next.start();
    expect(next.current).toMatchObject({ version: 8 });
  });

  test('is renewed by each confirmation, so that its age counts from the last', async () => {
    const m = await kept();
    const keeper = m.keeper();
    await keeper.start();
    m.advance(50_000);
    expect(await keeper.reload(RELOAD)).toMatchObject({ change: 'unchanged', kept: true });
    rmSync(m.listFile);
    m.advance(1_000);
    const next = m.keeper();
    await next.start();
    expect(next.status()).toMatchObject({ ageMs: 1_000 });
  });

  test('of another source is neither stand-in nor predecessor', async () => {
    const m = await kept();
    const other = `${m.listFile}.other`;
    const refused = m.keeper(other);
    expect(await refused.start()).toMatchObject({
      ok: false,
      error: `trust list ${other}: unreachable: no such file`,
    });
    expect(m.events.find(({ event }) => event === 'last_known_good_ignored')).toMatchObject({
      reason: 'other_source',
    });
    // Lower version, none of the old keys: the operator chose this source.
    writeFileSync(other, bytes(document(1, ['z'])));
    const keeper = m.keeper(other);
    expect(await keeper.start()).toEqual({ ok: true, from: 'source', lastKnownGoodIgnored: 'other_source' });
    expect(keeper.current).toMatchObject({ version: 1 });
  });

  test('damaged is ignored and said', async () => {
    const m = await kept();
    writeFileSync(m.keptFile, readFileSync(m.keptFile).subarray(0, 100));
    expect(await m.keeper().start()).toEqual({ ok: true, from: 'source', lastKnownGoodIgnored: 'damaged' });
    expect(await m.keeper().start()).toEqual({ ok: true, from: 'source' });
  });

  test('that cannot be written does not hold back the list', async () => {
    const m = machine();
    m.publish(document(1));
    mkdirSync(m.keptFile);
    const keeper = m.keeper();
    expect(await keeper.start()).toMatchObject({ ok: true, from: 'source' });
    m.publish(document(2));
    expect(await keeper.reload(RELOAD)).toMatchObject({
      ok: true,
      change: 'new',
      kept: false,
      enforced: true,
    });
    expect(m.eventNames()).toContain('trust_list_not_kept');
  });
});

describe('a bad list never replaces a good one', () => {
  const off = [jwk('weak', { x: base64url(encodeY(2n)) })];
  const nonCanonical = [jwk('weak', { x: base64url(encodeY(P + 3n)) })];
  const lists: [string, unknown, string][] = [
    ['empty', '', 'not_json'],
    ['HTML', '<html></html>', 'not_json'],
    ['shrunken', document(8, ['a']), 'shrunk'],
    ['a replayed version', document(6, ['a', 'b', 'c']), 'version_not_higher'],
    ['a kid twice', document(8, ['a', 'b', 'c', 'a']), 'schema'],
    ['a weak key', withKeys(weak()), 'key_refused'],
    ['a key off the curve', withKeys(off), 'key_refused'],
    ['a non-canonical key', withKeys(nonCanonical), 'key_refused'],
    ['too large', `${JSON.stringify(document(8))}${' '.repeat(100_000)}`, 'too_large'],
    ['unknown members', { ...document(8, ['a', 'b', 'c']), x: 1 }, 'schema'],
  ];
  const answers: [string, RequestListener, string][] = [
    ...lists.map(([name, content, reason]): [string, RequestListener, string] => [
      name,
      (_, response) => response.end(bytes(content)),
      reason,
    ]),
    [
      'status 500',
      (_, response) => response.writeHead(500).end(bytes(document(8, ['a', 'b', 'c']))),
      'unreachable',
    ],
    ['a redirect', (_, response) => response.writeHead(302, { location: '/other' }).end(), 'unreachable'],
    ['a reset', (request) => request.socket.destroy(), 'unreachable'],
  ];

  test.each(answers)('%s', async (_, answer, reason) => {
    let listener: RequestListener = (_, response) => response.end(bytes(document(7, ['a', 'b', 'c'])));
    const { url } = await serve((request, response) => listener(request, response));
    const m = machine();
    const keeper = m.keeper(url);
    await keeper.start();
    const good = keeper.current;
    const keptBefore = readFileSync(m.keptFile);
    const changes = vi.fn(async () => {});
    keeper.onChange(changes);
    m.advance(10_000);
    listener = answer;
    expect(await keeper.reload(RELOAD)).toMatchObject({ ok: false, reason });
    expect(keeper.current).toBe(good);
    expect(readFileSync(m.keptFile)).toEqual(keptBefore);
    expect(changes).not.toHaveBeenCalled();
    // A refusal confirms nothing: the age goes on.
    expect(keeper.status()).toMatchObject({ ageMs: 10_000, outcomes: { new: 1, [reason]: 1 } });
  });

  test('allowShrink passes the guard, once', async () => {
    const m = machine();
    m.publish(document(1, ['a', 'b', 'c']));
    const keeper = m.keeper();
    await keeper.start();
    m.publish(document(2, ['a']));
    expect(await keeper.reload(RELOAD)).toMatchObject({ reason: 'shrunk', fault: '1 of 3 keys remain' });
    const [plain, allowed] = await Promise.all([keeper.reload(RELOAD), keeper.reload({ allowShrink: true })]);
    expect(allowed).toEqual({ ok: true, change: 'new', version: 2, enforced: true, kept: true });
    expect(plain).toEqual(allowed);
    m.publish(document(3, ['x']));
    expect(await keeper.reload(RELOAD)).toMatchObject({ reason: 'shrunk' });
  });
});

describe('a URL that cannot be reached', () => {
  test('at the start, with nothing kept, is retried until it can', async () => {
    let up = false;
    const { url, requests } = await serve((_, response) => {
      response.writeHead(up ? 200 : 503).end(bytes(document(4)));
    });
    const m = machine();
    const keeper = m.keeper(url, { retryMinMs: 5, retryMaxMs: 20 });
    const loaded = new Promise<TrustList>((resolve) => keeper.onChange(async (list) => resolve(list)));
    expect(await keeper.start()).toMatchObject({
      ok: true,
      from: 'none',
      refusal: { fault: 'HTTP status 503' },
    });
    expect(keeper.current).toBeUndefined();
    expect(keeper.status().ageMs).toBeUndefined();
    await vi.waitUntil(() => requests() >= 4);
    up = true;
    expect(await loaded).toMatchObject({ version: 4 });
  });

  test('a refused list from it ends the start all the same', async () => {
    const { url } = await serve((_, response) => response.end('<html>'));
    expect(await machine().keeper(`${url}?token=s3cret`).start()).toEqual({
      ok: false,
      error: `trust list ${url}: not_json: not JSON`,
    });
  });

  test('a hanging one does not hold up stop', async () => {
    let asked: () => void = () => {};
    const arrived = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const { url } = await serve(() => asked());
    const keeper = machine().keeper(url, { deadlineMs: 600_000 });
    const starting = keeper.start();
    await arrived;
    await keeper.stop();
    expect(await starting).toMatchObject({ ok: false, error: `trust list ${url}: stopped: stopped` });
  });
});

describe('signed lists', () => {
  const { raw, privateKey } = keyPair('pinned');
  const pinned = { pinned: { publicKey: raw, verify: verifyWithNode } };

  test('with a pinned key only its lists are taken', async () => {
    const m = machine();
    m.publish(signedList(document(1), privateKey));
    const keeper = m.keeper(m.listFile, pinned);
    expect(await keeper.start()).toMatchObject({ ok: true, from: 'source' });
    m.publish(document(2));
    expect(await keeper.reload(RELOAD)).toMatchObject({ reason: 'bad_signature' });
    m.publish(signedList(document(2), keyPair('other').privateKey));
    expect(await keeper.reload(RELOAD)).toMatchObject({ reason: 'bad_signature' });
    m.publish(signedList(document(2), privateKey));
    expect(await keeper.reload(RELOAD)).toMatchObject({ ok: true, version: 2 });
  });

  test('a list kept unsigned does not stand in once a key is pinned', async () => {
    const m = machine();
    m.publish(document(1));
    await m.keeper().start();
    expect(await m.keeper(m.listFile, pinned).start()).toMatchObject({ ok: false });
    expect(m.events.find(({ event }) => event === 'last_known_good_ignored')).toMatchObject({
      reason: 'refused',
    });
  });
});

describe('changes', () => {
  test('reload resolves after every listener took the list, which sees it once', async () => {
    const m = machine();
    m.publish(document(1));
    const keeper = m.keeper();
    await keeper.start();
    let release: () => void = () => {};
    const seen: number[] = [];
    keeper.onChange(async (list) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      seen.push(list.version);
    });
    const removed = keeper.onChange(async () => Promise.reject(new Error('removed')));
    removed();
    const confirmed: number[] = [];
    keeper.onConfirmed((at) => confirmed.push(at));
    m.publish(document(2));
    m.advance(100);
    let resolved = false;
    const reloading = keeper.reload(RELOAD).then((outcome) => {
      resolved = true;
      return outcome;
    });
    await vi.waitUntil(() => keeper.current?.version === 2);
    await new Promise((done) => setTimeout(done, 20));
    expect([resolved, seen, confirmed]).toEqual([false, [], []]);
    release();
    expect(await reloading).toMatchObject({ change: 'new', enforced: true });
    expect([seen, confirmed]).toEqual([[2], [50_100]]);
  });

  test('a listener that fails is said, confirms nothing, and is asked again', async () => {
    const m = machine();
    m.publish(document(1));
    const keeper = m.keeper();
    const confirmed = confirmations(keeper);
    await keeper.start();
    let broken = true;
    const listener = vi.fn(async () => {
      if (broken) throw new Error('worker is gone');
    });
    keeper.onChange(listener);
    m.publish(document(2));
    m.advance(1_000);
    expect(await keeper.reload(RELOAD)).toMatchObject({ change: 'new', enforced: false });
    expect(confirmed).toEqual([50_000]);
    expect(m.eventNames()).toContain('trust_list_not_enforced');
    broken = false;
    expect(await keeper.reload(RELOAD)).toMatchObject({ change: 'unchanged', enforced: true });
    expect(confirmed).toEqual([50_000, 51_000]);
    expect(listener).toHaveBeenCalledTimes(2);
  });

  test('concurrent reloads share runs: forty calls, at most two exchanges', async () => {
    const { url, requests } = await serve((_, response) => response.end(bytes(document(1))));
    const keeper = machine().keeper(url);
    await keeper.start();
    const first = Array.from({ length: 20 }, () => keeper.reload(RELOAD));
    await vi.waitUntil(() => requests() === 2);
    const second = Array.from({ length: 20 }, () => keeper.reload(RELOAD));
    for (const outcome of await Promise.all([...first, ...second]))
      expect(outcome).toMatchObject({ change: 'unchanged' });
    expect(requests()).toBe(3);
  });

  test('the interval refreshes, and a failing exchange does not end it', async () => {
    let answer = 1;
    const { url } = await serve((request, response) => {
      if (answer === 2) request.socket.destroy();
      else response.end(bytes(document(answer)));
    });
    const keeper = machine().keeper(url, { refreshMs: 10, retryMinMs: 5, retryMaxMs: 5 });
    await keeper.start();
    answer = 2;
    await vi.waitUntil(() => keeper.status().outcomes.unreachable >= 2);
    answer = 3;
    await vi.waitUntil(() => keeper.current?.version === 3);
  });

  test('an unreadable file is refused and its return taken', async () => {
    const m = machine();
    m.publish(document(1));
    const keeper = m.keeper();
    await keeper.start();
    rmSync(m.listFile);
    mkdirSync(m.listFile);
    expect(await keeper.reload(RELOAD)).toMatchObject({ reason: 'unreachable', fault: 'not a regular file' });
    rmSync(m.listFile, { recursive: true });
    m.publish(document(2));
    chmodSync(m.listFile, 0o400);
    expect(await keeper.reload(RELOAD)).toMatchObject({ change: 'new' });
  });
});

describe('retirements', () => {
  /** As the gateway does it: on record first, then enforced. */
  function retire(m: ReturnType<typeof machine>, keeper: TrustKeeper, kid: string, iss = ISS) {
    m.retired.add(`${iss} ${kid}`);
    return keeper.retireKey(iss, kid);
  }

  test('take effect before they resolve and survive reloads', async () => {
    const m = machine();
    m.publish(document(1, ['a', 'b']));
    const keeper = m.keeper();
    await keeper.start();
    const seen: string[][] = [];
    keeper.onChange(async (list) => void seen.push(retiredKids(list)));
    expect(await retire(m, keeper, 'a')).toEqual({ known: true, enforced: true });
    expect(seen).toEqual([['a']]);
    m.publish({
      version: 2,
      issuers: [{ iss: ISS, keys: [jwk('a', { x: keyPair('renewed').x }), jwk('b')] }],
    });
    expect(await keeper.reload(RELOAD)).toMatchObject({ change: 'new' });
    expect(retiredKids(keeper.current)).toEqual(['a']);
    expect(keeper.status()).toMatchObject({ version: 2, keys: 2, retiredKeys: 1 });
    // The same again changes nothing, so nobody is told.
    await retire(m, keeper, 'a');
    expect(seen.length).toBe(2);
  });

  test('of a key not yet listed hold when it comes, and only for its issuer', async () => {
    const m = machine();
    m.publish(document(1, ['a']));
    const keeper = m.keeper();
    await keeper.start();
    expect(await retire(m, keeper, 'later')).toEqual({ known: false, enforced: true });
    expect(await retire(m, keeper, 'a', 'https://other.example')).toEqual({ known: false, enforced: true });
    m.publish(document(2, ['a', 'later']));
    await keeper.reload(RELOAD);
    expect(retiredKids(keeper.current)).toEqual(['later']);
  });

  test('on record hold from the start, on the last known good list too', async () => {
    const m = machine();
    m.publish(document(1, ['a', 'b']));
    await m.keeper().start();
    m.retired.add(`${ISS} b`);
    rmSync(m.listFile);
    const keeper = m.keeper();
    expect(await keeper.start()).toMatchObject({ from: 'last_known_good' });
    expect(retiredKids(keeper.current)).toEqual(['b']);
    expect(await retire(m, keeper, 'a')).toEqual({ known: true, enforced: true });
    expect(retiredKids(keeper.current)).toEqual(['a', 'b']);
  });

  test('do not count as a change of the published list', async () => {
    const m = machine();
    m.publish(document(1, ['a', 'b']));
    const keeper = m.keeper();
    await keeper.start();
    await retire(m, keeper, 'a');
    expect(await keeper.reload(RELOAD)).toMatchObject({ change: 'unchanged' });
    expect(retiredKids(keeper.current)).toEqual(['a']);
  });

  test('before the first list are kept for it', async () => {
    const { url } = await serve((_, response) => response.writeHead(500).end());
    const m = machine();
    const keeper = m.keeper(url);
    await keeper.start();
    expect(await retire(m, keeper, 'a')).toEqual({ known: false, enforced: true });
  });
});

describe('unknown keys', () => {
  test('a rotated key is fetched at once, a storm costs one exchange in 30 s', async () => {
    let content = document(1, ['a']);
    const { url, requests } = await serve((_, response) => response.end(bytes(content)));
    const m = machine();
    const keeper = m.keeper(url);
    await keeper.start();
    keeper.noteUnknownKey(ISS, 'a');
    keeper.noteUnknownKey(ISS, 'k'.repeat(257));
    content = document(2, ['a', 'b']);
    keeper.noteUnknownKey(ISS, 'b');
    await vi.waitUntil(() => keeper.current?.version === 2);
    for (let i = 0; i < 5_000; i++) keeper.noteUnknownKey(ISS, `made up ${i}`);
    // Had the storm begun a run, this reload would not share it.
    await new Promise((done) => setImmediate(done));
    await keeper.reload(RELOAD);
    expect(requests()).toBe(3);
    m.advance(30_000);
    keeper.noteUnknownKey(ISS, 'made up later');
    await vi.waitUntil(() => requests() === 4);
  });

  test('an id the source does not have asks once, not every 30 s', async () => {
    const { url, requests } = await serve((_, response) => response.end(bytes(document(1))));
    const m = machine();
    const keeper = m.keeper(url);
    await keeper.start();
    m.advance(1_000);
    keeper.noteUnknownKey(ISS, 'none');
    await vi.waitUntil(() => keeper.status().outcomes.unchanged === 1);
    m.advance(31_000);
    for (let i = 0; i < 100; i++) keeper.noteUnknownKey(ISS, 'none');
    await new Promise((done) => setImmediate(done));
    await keeper.reload(RELOAD);
    expect(requests()).toBe(3);
    await keeper.stop();
    keeper.noteUnknownKey(ISS, 'after the stop');
    await new Promise((done) => setImmediate(done));
    expect(requests()).toBe(3);
  });
});

test('a new list is a new chance for an id that was unknown', async () => {
  let content = document(1);
  const { url, requests } = await serve((_, response) => response.end(bytes(content)));
  const m = machine();
  const keeper = m.keeper(url);
  await keeper.start();
  m.advance(1_000);
  keeper.noteUnknownKey(ISS, 'none');
  await vi.waitUntil(() => keeper.status().outcomes.unchanged === 1);
  content = document(2, ['a', 'b']);
  m.advance(31_000);
  await keeper.reload(RELOAD);
  expect(requests()).toBe(3);
  m.advance(1_000);
  keeper.noteUnknownKey(ISS, 'none');
  await vi.waitUntil(() => requests() === 4);
});

test('what a refresh throws is logged by its name alone, and the next one runs', async () => {
  const m = machine();
  m.publish(document(1, ['a']));
  let fails = false;
  const isRetired = (): boolean => {
    if (fails) throw new RangeError('CANARY');
    return false;
  };
  const keeper = m.keeper(undefined, { isRetired });
  await keeper.start();
  m.publish(document(2, ['a', 'b']));
  fails = true;
  keeper.noteUnknownKey(ISS, 'b');
  await vi.waitFor(() => expect(m.eventNames()).toContain('trust_list_refresh_failed'));
  expect(m.events.at(-1)).toEqual({ event: 'trust_list_refresh_failed', error: 'RangeError' });
  expect(JSON.stringify(m.events)).not.toContain('CANARY');
  fails = false;
  expect(await keeper.reload(RELOAD)).toMatchObject({ ok: true, enforced: true });
  expect(keeper.current).toMatchObject({ version: 2 });
});

test('no log line holds key material or a URL’s query', async () => {
  const { url } = await serve((_, response) => response.end(bytes(withKeys(weak()))));
  const m = machine();
  await m.keeper(`${url}?token=s3cret`).start();
  const log = JSON.stringify(m.events);
  expect(log).toContain('key_refused');
  expect(log).not.toContain('s3cret');
  expect(log).not.toContain(keyPair('a').x);
});

/** A key of small order. */
function weak() {
  return [jwk('weak', { x: base64url(encodeY(1n)) })];
}

function withKeys(more: unknown[]) {
  return { version: 8, issuers: [{ iss: ISS, keys: [jwk('a'), jwk('b'), jwk('c'), ...more] }] };
}

function base64url(raw: Uint8Array): string {
  return Buffer.from(raw).toString('base64url');
}
