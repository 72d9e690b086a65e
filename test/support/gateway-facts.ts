/** What a main thread might know: enough for every metric to have a sample. */
import { createDelays } from '../../src/metrics/delays.ts';
import type { GatewayFacts } from '../../src/metrics/exposition.ts';

/** Of one call: what was never called has no sample, and so no labels. */
const oneCall = createDelays();
oneCall.observe(0.002);

/** Stands for the filter in force. */
const FILTER = {};

export const FACTS: GatewayFacts = {
  version: '1.2.3',
  engine: { requested: 'auto', name: 'openssl', implementation: 'OpenSSL "3"' },
  acceptanceRule: 'a-rule-1',
  callers: {
    names: () => [
      [0, 'alpha'],
      [1, 'beta'],
    ],
    files: () => [{ listener: 'data', isFaulty: false }],
  },
  tls: { certificateMs: 1_830_000_000_000, clientCaMs: 1_840_000_000_000 },
  audit: () => ({ last: 12, written: 3, failed: { asked: 1, done: 2, look: 3 } }),
  workers: () => ({ serving: 2, restarts: { silent: 1, uncaught: 0 } }),
  unreadyReasons: () => [],
  trustList: () => ({
    version: 7,
    ageSeconds: 1.5,
    maxAgeSeconds: 604_800,
    issuers: 2,
    keys: 5,
    retiredKeys: 1,
    loads: { new: 3, unchanged: 4, malformed: 1 },
  }),
  revocation: () => ({
    seq: 812,
    ageSeconds: 0.25,
    maxAgeSeconds: 86_400,
    entries: { revoked: 10, suspended: 2, superseded: 1 },
    changes: { applied: 12, held: 1 },
    enforcement: createDelays().view(),
  }),
  replication: () => ({
    state: 'following',
    states: ['following', 'unreachable'],
    lag: 3,
    refused: { record: 2 },
    healings: 1,
    reconciliations: 1,
    reconnects: 4,
    restored: 1,
    copyFaults: 1,
    holding: false,
    snapshotAgeSeconds: 300,
    calls: [{ call: 'follow', results: new Map([['ok', 1]]), durations: oneCall.view() }],
  }),
  canary: () => ({
    healthy: true,
    runs: { ok: 20, unarmed: 1, wrong: 0, late: 0 },
    durations: createDelays().view(),
  }),
  replay: () => ({ entries: 5, capacity: 100, journalFailures: 0 }),
  filter: () => ({
    inForce: FILTER,
    capacity: 1_000,
    entries: 12,
    fillRatio: 0.01,
    memoryBytes: 4_096,
    targetRate: 1e-6,
    expectedRate: 1e-9,
  }),
};
