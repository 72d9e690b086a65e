/** The canary as a worker judges it: by the real path, with the real openssl engine, in every state of knowledge. */
import { describe, expect, it } from 'vitest';
import { CANARY_ISS, createCanaryCredentials, REVOKED_JTI } from '../../src/control/canary-credentials.ts';
import { type GatewayParts, verifyCredentials } from '../../src/gateway.ts';
import { createOpensslEngine } from '../../src/signature/openssl-engine.ts';
import { answerCanary } from '../../src/workers/canary.ts';
import { replayGuard } from '../support/replay-guard.ts';
import { NOW_SECONDS, trustIndex } from '../support/synthetic-issuer.ts';

const clock = { wallMs: () => NOW_SECONDS * 1000, monotonicMs: () => 0 };
const engine = createOpensslEngine({ keyCacheBytes: 2 ** 20 });
const sign = createCanaryCredentials();
const PROBE = sign(clock.wallMs(), true);
const RIGHT = { good: 'ok', forged: 'bad_signature', revoked: 'revoked' };

const soundParts: GatewayParts = {
  clock,
  engine,
  trust: () => trustIndex(),
  trustIsStale: () => false,
  noteUnknownKey: () => {
    throw new Error('an unknown key was reported');
  },
  cardStatus: (iss, jti) => (iss === CANARY_ISS && jti === REVOKED_JTI ? 'revoked' : 'active'),
  revocationIsExpired: () => false,
  acceptTestCredentials: false,
  proofWindowSeconds: 60,
  replay: replayGuard(),
};

function answer(more: Partial<GatewayParts> = {}, { probe = PROBE, isComplete = true } = {}) {
  return answerCanary(probe, { parts: { ...soundParts, ...more }, isComplete: () => isComplete });
}

const allAccepted = {
  ...engine,
  verify: (checks: readonly unknown[]) => new Uint8Array(checks.length).fill(1),
};
const allRefused = { ...engine, verify: (checks: readonly unknown[]) => new Uint8Array(checks.length) };

describe('the canary is answered rightly', () => {
  it.each<[string, Partial<GatewayParts>, object]>([
    ['at rest', {}, RIGHT],
    ['of expired knowledge', { revocationIsExpired: () => true }, { ...RIGHT, good: 'revocation_stale' }],
    [
      'by a trust list that is too old',
      { trustIsStale: () => true },
      { good: 'keys_stale', forged: 'keys_stale', revoked: 'keys_stale' },
    ],
    [
      'without any trust list',
      { trust: () => undefined },
      { good: 'keys_stale', forged: 'keys_stale', revoked: 'keys_stale' },
    ],
  ])('%s', (_state, parts, fields) => {
    expect(answer(parts)).toEqual({ right: true, fields });
  });

  it('by a copy that is not whole and cannot clear a card that the filter takes for a known one', () => {
    const unsure = {
      cardStatus: (_iss: string, jti: string) => (jti === REVOKED_JTI ? 'revoked' : 'unreadable'),
    };
    const fields = { ...RIGHT, good: 'revocation_stale' };
    expect(answer(unsure as Partial<GatewayParts>, { isComplete: false })).toEqual({ right: true, fields });
    expect(answer(unsure as Partial<GatewayParts>)).toEqual({ right: false, fields });
  });

  it('when the knowledge comes of age in the middle of the call', () => {
    let asked = 0;
    const aging = () => asked++ > 0;
    expect(answer({ revocationIsExpired: aging })).toMatchObject({ right: true });
  });

  it('without its revoked card, which is then not asked for', () => {
    expect(answer({}, { probe: sign(clock.wallMs(), false) })).toEqual({
      right: true,
      fields: { good: 'ok', forged: 'bad_signature' },
    });
  });
});

describe('the canary finds', () => {
  it.each<[string, Partial<GatewayParts>, object]>([
    ['a revocation that is not enforced', { cardStatus: () => 'active' }, { ...RIGHT, revoked: 'ok' }],
    [
      'an entry that cannot be read',
      { cardStatus: (_iss, jti) => (jti === REVOKED_JTI ? 'unreadable' : 'active') },
      { ...RIGHT, revoked: 'revocation_stale' },
    ],
    ['a good card called revoked', { cardStatus: () => 'revoked' }, { ...RIGHT, good: 'revoked' }],
    ['an engine that accepts everything', { engine: allAccepted }, { ...RIGHT, forged: 'ok' }],
    [
      'an engine that refuses everything',
      { engine: allRefused },
      { good: 'bad_signature', forged: 'bad_signature', revoked: 'bad_signature' },
    ],
    [
      'a clock that is a day ahead',
      { clock: { ...clock, wallMs: () => (NOW_SECONDS + 86_400) * 1000 } },
      { ...RIGHT, good: 'expired', revoked: 'expired' },
    ],
  ])('%s', (_fault, parts, fields) => {
    expect(answer(parts)).toEqual({ right: false, fields });
  });

  it('an error, of which nothing is told but its place', () => {
    const failing = () => {
      throw new RangeError('MARKED');
    };
    const found = answer({ cardStatus: failing });
    expect(found).toMatchObject({ right: false, fields: { error: 'RangeError' } });
    expect(JSON.stringify(found)).not.toContain('MARKED');
  });
});

it('its credentials are nobody else’s: the same parts know no such issuer, and their mark is refused', () => {
  const { good, revoked = '', issuer } = PROBE;
  expect(answer()).toMatchObject({ right: true });
  const requests = [good, revoked].map((credential) => ({ credential }));
  expect(verifyCredentials(requests, soundParts).map(({ reason }) => reason)).toEqual([
    'unknown_issuer',
    'unknown_issuer',
  ]);
  const trusting = { ...soundParts, trust: () => trustIndex([issuer]) };
  expect(verifyCredentials(requests, trusting).map(({ reason }) => reason)).toEqual([
    'test_credential',
    'test_credential',
  ]);
});

it('its credentials are new in every round, and its keys in every process', () => {
  const again = sign(clock.wallMs(), true);
  const texts = [PROBE, again].flatMap(({ good, forged, revoked }) => [good, forged, revoked]);
  expect(new Set(texts).size).toBe(6);
  expect(createCanaryCredentials()(0, false).issuer.keys[0]?.kid).not.toBe(PROBE.issuer.keys[0]?.kid);
});
