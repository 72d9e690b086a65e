/** What a main thread might know: enough for every metric to have a sample. */
import type { GatewayFacts } from '../../src/metrics/exposition.ts';

export const FACTS: GatewayFacts = {
  version: '1.2.3',
  engine: { requested: 'auto', name: 'openssl', implementation: 'OpenSSL "3"' },
  acceptanceRule: 'a-rule-1',
  workers: 2,
  unreadyReasons: () => [],
  trustList: () => ({
    version: 7,
    ageSeconds: 1.5,
    issuers: 2,
    keys: 5,
    retiredKeys: 1,
    loads: { new: 3, unchanged: 4, malformed: 1 },
  }),
  revocation: () => ({
    seq: 812,
    ageSeconds: 0.25,
    entries: { revoked: 10, suspended: 2 },
    changes: { applied: 12, held: 1 },
  }),
  filter: () => ({
    capacity: 1_000,
    entries: 12,
    fillRatio: 0.01,
    memoryBytes: 4_096,
    targetRate: 1e-6,
    expectedRate: 1e-9,
  }),
};
