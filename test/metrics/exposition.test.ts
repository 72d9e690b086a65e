import { execFileSync } from 'node:child_process';
import { beforeEach, describe, expect, it } from 'vitest';
import { allocateCounters, type Counters, openCounters } from '../../src/metrics/counters.ts';
import { createDelays } from '../../src/metrics/delays.ts';
import { buildRegistry } from '../../src/metrics/exposition.ts';
import type { ReplicationFacts } from '../../src/metrics/replication-metrics.ts';
import { REASONS } from '../../src/verdict.ts';
import { FACTS } from '../support/gateway-facts.ts';

let slabs: Counters[];

beforeEach(() => {
  slabs = [0, 1, 2].map(() => openCounters(allocateCounters()));
});

async function scrape(facts = FACTS): Promise<string> {
  return buildRegistry(facts, () => slabs).metrics();
}

/** Value of the one sample with this name and labels, in any order of labels. */
function sample(text: string, name: string, labels: Record<string, string> = {}): number | undefined {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const lines = text.split('\n').filter((line) => {
    const [head = ''] = line.split(' ');
    const [found, rest = ''] = head.split('{');
    const parts = rest.replace(/}$/, '').split(',').filter(Boolean);
    return found === name && parts.length === wanted.length && wanted.every((part) => parts.includes(part));
  });
  if (lines.length > 1) throw new Error(`${name} stands there ${lines.length} times`);
  return lines[0] === undefined ? undefined : Number(lines[0].split(' ').at(-1));
}

describe('the exposition', () => {
  it('passes promtool check metrics', async () => {
    const [one] = slabs as [Counters];
    one.beginRequest(1);
    one.endRequest('verify', 200, 0.001);
    one.countBatch(7);
    // Exit code 3 and a line for each problem; silence means none.
    expect(execFileSync('promtool', ['check', 'metrics'], { input: await scrape() }).toString()).toBe('');
  });

  it('adds the slabs up', async () => {
    const [one, two, three] = slabs as [Counters, Counters, Counters];
    one.countVerdicts(Uint8Array.of(0));
    two.countVerdicts(Uint8Array.of(0));
    two.countVerdicts(Uint8Array.of(14));
    for (const [index, slab] of slabs.entries()) {
      slab.beginRequest(1);
      slab.beginRequest(1);
      slab.endRequest('verify', 200, index === 0 ? 0.0001 : 20);
      slab.countBatch(100);
      slab.setKeyCache({ hits: 5, misses: 2, evictions: 1, keys: 1, bytes: 1_000 });
    }
    three.endRequest('verify_batch', 0, 0.3);
    three.countUnexpectedError();
    const text = await scrape();
    expect(sample(text, 'vigie_verdicts_total', { reason: 'ok', verdict: 'valid' })).toBe(2);
    expect(sample(text, 'vigie_verdicts_total', { reason: 'revoked', verdict: 'revoked' })).toBe(1);
    expect(sample(text, 'vigie_requests_total', { route: 'verify', status: '200' })).toBe(3);
    expect(sample(text, 'vigie_requests_aborted_total', { route: 'verify_batch' })).toBe(1);
    expect(sample(text, 'vigie_requests_in_flight')).toBe(2);
    const latency = 'vigie_request_duration_seconds';
    expect(sample(text, `${latency}_bucket`, { route: 'verify', le: '0.0001' })).toBe(1);
    expect(sample(text, `${latency}_bucket`, { route: 'verify', le: '10' })).toBe(1);
    expect(sample(text, `${latency}_bucket`, { route: 'verify', le: '+Inf' })).toBe(3);
    expect(sample(text, `${latency}_count`, { route: 'verify' })).toBe(3);
    expect(sample(text, `${latency}_sum`, { route: 'verify' })).toBeCloseTo(40.0001, 9);
    expect(sample(text, 'vigie_batch_items_sum')).toBe(300);
    expect(sample(text, 'vigie_batch_items_bucket', { le: '50' })).toBe(0);
    expect(sample(text, 'vigie_batch_items_bucket', { le: '100' })).toBe(3);
    expect(sample(text, 'vigie_key_cache_requests_total', { result: 'hit' })).toBe(15);
    expect(sample(text, 'vigie_key_cache_requests_total', { result: 'miss' })).toBe(6);
    expect(sample(text, 'vigie_key_cache_evictions_total')).toBe(3);
    expect(sample(text, 'vigie_key_cache_bytes')).toBe(3_000);
    expect(sample(text, 'vigie_unexpected_errors_total')).toBe(1);
  });

  it('counts on over scrapes instead of from zero', async () => {
    const registry = buildRegistry(FACTS, () => slabs);
    const [one] = slabs as [Counters];
    one.countVerdicts(Uint8Array.of(9));
    await registry.metrics();
    one.countVerdicts(Uint8Array.of(9));
    expect(
      sample(await registry.metrics(), 'vigie_verdicts_total', { reason: 'expired', verdict: 'invalid' }),
    ).toBe(2);
  });

  it('has every reason from the start, so that a rate can be told from an absence', async () => {
    const text = await scrape();
    for (const { reason, verdict } of REASONS) {
      expect(sample(text, 'vigie_verdicts_total', { reason, verdict })).toBe(0);
    }
    expect(text.match(/^vigie_verdicts_total\{/gm)).toHaveLength(REASONS.length);
  });

  it('has failures of verifications from the start, since a rate misses what a series begins with', async () => {
    const text = await scrape();
    for (const route of ['verify', 'verify_batch']) {
      for (const status of ['200', '500', '503']) {
        expect(sample(text, 'vigie_requests_total', { route, status })).toBe(0);
      }
    }
    expect(text.match(/^vigie_requests_total{/gm)).toHaveLength(6);
    const [one] = slabs as [Counters];
    one.endRequest('verify', 415, 0.001);
    expect(sample(await scrape(), 'vigie_requests_total', { route: 'verify', status: '415' })).toBe(1);
  });

  it('states the limits of ages, and when the filter was published if it was', async () => {
    const text = await scrape();
    expect(sample(text, 'vigie_trust_list_max_age_seconds')).toBe(604_800);
    expect(sample(text, 'vigie_revocation_max_age_seconds')).toBe(86_400);
    expect(sample(text, 'vigie_filter_snapshot_age_seconds')).toBe(300);
    const replication = () => ({
      ...(FACTS.replication() as ReplicationFacts),
      snapshotAgeSeconds: undefined,
    });
    expect(await scrape({ ...FACTS, replication })).not.toMatch(/^vigie_filter_snapshot_age_seconds /m);
  });

  it('measures false positives among cards without an entry', async () => {
    const [one, two] = slabs as [Counters, Counters];
    for (let i = 0; i < 97; i++) one.countFilterChecks('negative', 1);
    for (let i = 0; i < 3; i++) two.countFilterChecks('false_positive', 1);
    for (let i = 0; i < 50; i++) two.countFilterChecks('confirmed', 1);
    const text = await scrape();
    const ratio = (kind: string) => sample(text, 'vigie_filter_false_positive_ratio', { kind });
    expect([ratio('target'), ratio('expected'), ratio('measured')]).toEqual([1e-6, 1e-9, 0.03]);
    expect(sample(text, 'vigie_filter_checks_total', { result: 'confirmed' })).toBe(50);
  });

  it('shows the engine in force by thread, and what checking it again found', async () => {
    const [one, two, three] = slabs as [Counters, Counters, Counters];
    one.setEngineInForce({ name: 'native', kernel: 'ifma' });
    two.setEngineInForce({ name: 'native', kernel: 'portable' });
    two.setEngineInForce({ name: 'openssl' });
    three.countCrossCheck('sample', 4);
    one.countCrossCheck('refused', 2);
    one.countDisagreement();
    const text = await scrape();
    const inForce = 'vigie_engine_in_force_info';
    expect(sample(text, inForce, { thread: '0', engine: 'native', kernel: 'ifma' })).toBe(1);
    expect(sample(text, inForce, { thread: '1', engine: 'openssl', kernel: '' })).toBe(1);
    expect(text.match(new RegExp(`^${inForce}{`, 'gm'))).toHaveLength(2);
    expect(sample(text, 'vigie_engine_cross_checks_total', { why: 'sample' })).toBe(4);
    expect(sample(text, 'vigie_engine_cross_checks_total', { why: 'refused' })).toBe(2);
    expect(sample(text, 'vigie_engine_disagreements_total')).toBe(1);
  });

  it('states facts about the gateway', async () => {
    const text = await scrape();
    const { node, openssl } = process.versions;
    const info = { version: '1.2.3', node, openssl, rule: 'a-rule-1' };
    expect(sample(text, 'vigie_build_info', info)).toBe(1);
    expect(text).toContain(
      'vigie_engine_info{engine="openssl",implementation="OpenSSL \\"3\\"",requested="auto"} 1',
    );
    expect(sample(text, 'vigie_ready')).toBe(1);
    expect(sample(text, 'vigie_workers')).toBe(2);
    expect(sample(text, 'vigie_trust_list_version')).toBe(7);
    expect(sample(text, 'vigie_trust_list_age_seconds')).toBe(1.5);
    expect(sample(text, 'vigie_trust_list_keys', { state: 'listed' })).toBe(4);
    expect(sample(text, 'vigie_trust_list_keys', { state: 'retired' })).toBe(1);
    expect(sample(text, 'vigie_trust_list_loads_total', { outcome: 'malformed' })).toBe(1);
    expect(sample(text, 'vigie_revocation_seq')).toBe(812);
    expect(sample(text, 'vigie_revocation_entries', { status: 'suspended' })).toBe(2);
    expect(sample(text, 'vigie_status_change_calls_total', { outcome: 'held' })).toBe(1);
    expect(sample(text, 'vigie_filter_fill_ratio')).toBe(0.01);
  });

  it('is silent about a trust list that is not there, and says not ready', async () => {
    const text = await scrape({
      ...FACTS,
      unreadyReasons: () => ['trust_list_missing'],
      trustList: () => ({ ...FACTS.trustList(), version: undefined, ageSeconds: undefined }),
    });
    expect(sample(text, 'vigie_ready')).toBe(0);
    expect(sample(text, 'vigie_trust_list_version')).toBeUndefined();
    expect(sample(text, 'vigie_trust_list_age_seconds')).toBeUndefined();
  });

  it('shows the canary, and is silent about one that is off', async () => {
    const runs = { ok: 3, unarmed: 0, wrong: 1, late: 0 };
    const canary = () => ({ healthy: false, runs, durations: createDelays().view() });
    const text = await scrape({ ...FACTS, canary });
    expect(sample(text, 'vigie_canary_healthy')).toBe(0);
    expect(sample(text, 'vigie_canary_runs_total', { result: 'wrong' })).toBe(1);
    expect(await scrape({ ...FACTS, canary: () => undefined })).not.toMatch(/^vigie_canary/m);
  });

  it('tells of the replay guard: room, what was known here and elsewhere, and who is cut off', async () => {
    const [one, two] = slabs as [Counters, Counters];
    one.countTakenProof('first');
    two.countTakenProof('first');
    two.countTakenProof('seen');
    two.countTakenProof('full');
    one.countSharedProofs('unreachable', 7);
    two.countSharedProofs('seen', 2);
    one.observeShare(0.003);
    one.setLevel('replayCutOff', 1);
    const text = await scrape();
    expect(sample(text, 'vigie_replay_entries')).toBe(5);
    expect(sample(text, 'vigie_replay_capacity_entries')).toBe(100);
    for (const [result, count] of Object.entries({ first: 2, seen: 1, full: 1 })) {
      expect(sample(text, 'vigie_replay_proofs_total', { result })).toBe(count);
    }
    for (const [result, count] of Object.entries({ first: 0, seen: 2, unreachable: 7 })) {
      expect(sample(text, 'vigie_replay_shared_proofs_total', { result })).toBe(count);
    }
    expect(sample(text, 'vigie_replay_share_duration_seconds_bucket', { le: '0.005' })).toBe(1);
    expect(sample(text, 'vigie_replay_cut_off_workers')).toBe(1);
    one.forgetThread();
    expect(sample(await scrape(), 'vigie_replay_cut_off_workers')).toBe(0);
    expect(sample(text, 'vigie_replay_journal_failures_total')).toBe(0);
  });

  it('counts as many delays as are said to be the same', async () => {
    const delays = createDelays();
    delays.observe(0.004);
    delays.observe(0.03, 1_000);
    delays.observe(1, 0);
    const revocation = () => ({ ...FACTS.revocation(), enforcement: delays.view() });
    const text = await scrape({ ...FACTS, revocation });
    const name = 'vigie_revocation_enforcement_seconds';
    expect(sample(text, `${name}_bucket`, { le: '0.01' })).toBe(1);
    expect(sample(text, `${name}_bucket`, { le: '0.05' })).toBe(1_001);
    expect(sample(text, `${name}_count`)).toBe(1_001);
    expect(sample(text, `${name}_sum`)).toBeCloseTo(30.004, 9);
  });

  it('gives every metric the prefix vigie_', async () => {
    const names = [...(await scrape()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(names.filter((name) => !name?.startsWith('vigie_'))).toEqual([]);
    expect(names.length).toBeGreaterThan(30);
  });
});
