/** A kernel that goes wrong in one worker of a real gateway: seen, told of, and given up by all; no answer is wrong. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nativeImplementations } from '../../src/signature/native-engine.ts';
import { reasonOf, scrape, until } from '../support/call.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { credential, goodClaims, tampered } from '../support/synthetic-issuer.ts';

const GOOD = credential({ payload: goodClaims({ sub: 'CANARY' }, Math.floor(Date.now() / 1000)) });
const WORKERS = 2;

/** What stands below each implementation on a machine that runs these, the fastest first. */
const [fastest, slower] = nativeImplementations();

describe.each(fastest === undefined ? [] : [fastest])('%s refusing all in one worker', (kernel) => {
  let gateway: Gateway;
  let dir: string;
  const damageFile = (): string => join(dir, 'now');

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'vigie-damage-'));
    const preload = new URL('../support/damaged-kernel.mjs', import.meta.url).href;
    gateway = await startGateway({
      env: {
        VIGIE_ENGINE: 'native',
        VIGIE_WORKERS: `${WORKERS}`,
        NODE_OPTIONS: `--import=${preload}`,
        DAMAGE_FILE: damageFile(),
      },
    });
  });
  afterAll(async () => {
    await gateway.dispose();
    rmSync(dir, { recursive: true });
  });

  /** The engine in force in each worker, as the metrics tell it. */
  const enginesOf = (samples: ReadonlyMap<string, number>): string[] =>
    [...samples.keys()]
      .filter((name) => /^vigie_engine_in_force_info\{.*thread="[01]"/.test(name))
      .map((name) => /kernel="([^"]*)"/.exec(name)?.[1] || (/engine="([^"]*)"/.exec(name)?.[1] as string));
  const lookUps = (samples: ReadonlyMap<string, number>): number =>
    (samples.get('vigie_key_cache_requests_total{result="hit"}') ?? 0) +
    (samples.get('vigie_key_cache_requests_total{result="miss"}') ?? 0);

  /** Several at once, so that there are connections to every worker. */
  const answersOf = async (text: string): Promise<Set<string>> =>
    new Set(await Promise.all(Array.from({ length: 16 }, () => reasonOf(gateway.data, text))));

  it('is seen by a check of its refusals, and steps every worker down, with right answers throughout', async () => {
    await until(async () => {
      expect(await answersOf(GOOD)).toEqual(new Set(['ok']));
      return enginesOf(await scrape(gateway.metrics)).length === WORKERS;
    });
    const sound = await scrape(gateway.metrics);
    expect(enginesOf(sound)).toEqual([kernel, kernel]);
    expect(sound.get('vigie_engine_disagreements_total')).toBe(0);

    writeFileSync(damageFile(), '');
    const below = slower ?? 'openssl';
    await until(async () => {
      expect(await answersOf(GOOD)).toEqual(new Set(['ok']));
      expect(await answersOf(tampered(GOOD))).toEqual(new Set(['bad_signature']));
      const samples = await scrape(gateway.metrics);
      // Each worker tells its engine with its next beat.
      return enginesOf(samples).every((name) => name === below);
    });
    const after = await scrape(gateway.metrics);
    expect(after.get('vigie_engine_disagreements_total')).toBe(1);
    expect(lookUps(after)).toBeGreaterThan(lookUps(sound));

    const lines = gateway
      .stderr()
      .split('\n')
      .filter((line) => line.includes('engines disagreed'));
    expect(lines).toHaveLength(1);
    const { time: _time, pid: _pid, ...told } = JSON.parse(lines[0] as string);
    expect(Object.keys(told).sort()).toEqual(['implementation', 'level', 'msg', 'service', 'steppedDownTo']);
    expect(gateway.stderr()).not.toContain('CANARY');
    expect(gateway.stderr()).not.toContain(GOOD.slice(0, 40));
  });
});
