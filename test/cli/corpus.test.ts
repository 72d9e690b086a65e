import { describe, expect, it } from 'vitest';
import { isSupersede } from '../../src/card-status.ts';
import { demoTrustList, kindOf, makeCredential, makeDemoKeys } from '../../src/cli/demo/corpus.ts';
import { type GatewayParts, verifyCredentials } from '../../src/gateway.ts';
import { buildTrustIndex } from '../../src/keys/trust-index.ts';
import { parseTrustList } from '../../src/keys/trust-list-schema.ts';
import { createOpensslEngine } from '../../src/signature/openssl-engine.ts';
import { replayGuard } from '../support/replay-guard.ts';

/** The clock's own: proofs are signed when they are shown. */
const NOW_SECONDS = Math.floor(Date.now() / 1000);

describe('the demo’s credentials', () => {
  it('hold every kind once at least in each hundred, the first one valid', () => {
    const first = Array.from({ length: 100 }, (_, index) => kindOf(index));
    const second = Array.from({ length: 100 }, (_, index) => kindOf(100 + index));
    expect(second).toEqual(first);
    expect(first[0]).toBe('ok');
    expect(new Set(first).size).toBe(17);
    expect(first.filter((kind) => kind === 'ok')).toHaveLength(56);
  });

  it('are shown by their holders now and then, and revoked or superseded in equal parts', () => {
    const keys = makeDemoKeys();
    const hundred = Array.from({ length: 100 }, (_, index) => makeCredential(index, keys, NOW_SECONDS));
    expect(hundred[0]?.prove).toBeUndefined();
    const proven = hundred.filter(({ expected, prove }) => expected === 'ok' && prove !== undefined);
    expect(proven).toHaveLength(14);
    const [first] = proven;
    expect(first?.prove?.()).not.toBe(first?.prove?.());
    const changes = hundred.flatMap(({ change }) => (change === undefined ? [] : [change]));
    expect(changes).toHaveLength(13);
    expect(changes.filter(isSupersede)).toHaveLength(5);
  });

  it('get from the gateway’s own path the answer that the demo expects', () => {
    const keys = makeDemoKeys();
    const parsed = parseTrustList(Buffer.from(JSON.stringify(demoTrustList(keys))));
    if (!parsed.ok) throw new Error(parsed.fault);
    const trust = buildTrustIndex(parsed.list);
    const credentials = Array.from({ length: 500 }, (_, index) => makeCredential(index, keys, NOW_SECONDS));
    const statuses = new Map(credentials.map(({ jti, expected }) => [jti, expected]));
    const parts: GatewayParts = {
      clock: { wallMs: () => Date.now(), monotonicMs: () => 0 },
      engine: createOpensslEngine({ keyCacheBytes: 64 * 1024 }),
      trust: () => trust,
      trustIsStale: () => false,
      noteUnknownKey: () => {},
      cardStatus: (_iss, jti) => {
        const expected = statuses.get(jti);
        return expected === 'revoked' || expected === 'suspended' ? expected : 'active';
      },
      revocationIsExpired: () => false,
      acceptTestCredentials: false,
      proofWindowSeconds: 60,
      replay: replayGuard(),
    };
    const answers = verifyCredentials(
      credentials.map(({ text, prove }) => ({ credential: text, holderProof: prove?.() })),
      parts,
    );
    expect(answers.map(({ reason }) => reason)).toEqual(credentials.map(({ expected }) => expected));
  });
});
