import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeJws } from '../../src/credential/jws.ts';
import {
  localTail,
  renderRevocation,
  renderTail,
  renderVerification,
  summarize,
} from '../../src/ingress/verdict-reply.ts';
import { CODES, REASONS, type Reason } from '../../src/verdict.ts';
import type { Verification } from '../../src/verification/verification.ts';
import { credential, goodClaims, ISS, KID, SIGNER, trustedKey } from '../support/synthetic-issuer.ts';

const FRESH = { state: 'fresh', seq: 812, ageMs: 139.2 } as const;
const TAIL = renderTail({ revocation: FRESH, checkedAt: new Date('2026-11-23T10:15:30.123Z') });

function verification(payload: unknown, more: Partial<Verification> = {}): Verification {
  const decoded = decodeJws(credential({ payload }), 65_536);
  if (!decoded.ok) throw new Error(decoded.reason);
  const { credential: decodedCredential } = decoded;
  return {
    reason: 'ok',
    credential: decodedCredential,
    signatureHolds: true,
    proofHolds: false,
    key: trustedKey(SIGNER),
    trustListVersion: 7,
    ...more,
  };
}

function rendered(subject: Verification): Record<string, unknown> {
  return JSON.parse(renderVerification(subject, TAIL));
}

describe('an answer', () => {
  it('is the whole document of the contract, to the letter', () => {
    expect(renderVerification(verification(goodClaims({ exp: 1_798_761_600 })), TAIL)).toBe(
      `{"verdict":"valid","reason":"ok","action":"bill",` +
        `"credential":{"iss":"${ISS}","jti":"card-1","sub":"holder-1","exp":1798761600,` +
        `"claims":{"iss":"${ISS}","jti":"card-1","sub":"holder-1","exp":1798761600}},` +
        `"verified":["issuer"],"key":{"kid":"${KID}","set":7},` +
        `"revocation":{"state":"fresh","seq":812,"ageMs":140},"checkedAt":"2026-11-23T10:15:30.123Z"}`,
    );
  });

  it('names the holder beside the issuer where the proof holds', () => {
    expect(rendered(verification(goodClaims(), { proofHolds: true })).verified).toEqual(['issuer', 'holder']);
  });

  it('says where other gateways could not be asked for the proof, behind the revocation state', () => {
    const text = renderVerification(verification(goodClaims(), { proofHolds: true }), localTail(TAIL));
    expect(text.endsWith(`"ageMs":140},"replay":"local","checkedAt":"2026-11-23T10:15:30.123Z"}`)).toBe(true);
    expect(Object.keys(JSON.parse(text)).slice(-3)).toEqual(['revocation', 'replay', 'checkedAt']);
  });

  it.each(REASONS)('with $reason carries its verdict and action', ({ reason, verdict, action }) => {
    expect(rendered({ reason, signatureHolds: false, proofHolds: false })).toEqual({
      verdict,
      reason,
      action,
      credential: { claims: {} },
      verified: [],
      key: {},
      revocation: { state: 'fresh', seq: 812, ageMs: 140 },
      checkedAt: '2026-11-23T10:15:30.123Z',
    });
  });

  it('shows what was read but no claims while the signature does not hold', () => {
    const claims = goodClaims({ given_name: 'Camille' });
    const unsigned = verification(claims, {
      reason: 'bad_signature',
      signatureHolds: false,
      proofHolds: false,
    });
    const { credential: shown, verified } = rendered(unsigned);
    expect(shown).toEqual({ iss: ISS, jti: 'card-1', sub: 'holder-1', exp: claims.exp, claims: {} });
    expect(verified).toEqual([]);
    expect(renderVerification(unsigned, TAIL)).not.toContain('Camille');
  });

  it.each([
    ['no key found', { key: undefined }, { set: 7 }],
    ['no list', { key: undefined, trustListVersion: undefined }, {}],
    ['a key', {}, { kid: KID, set: 7 }],
  ])('names of key and list what there is: %s', (_what, more, key) => {
    expect(rendered(verification(goodClaims(), more)).key).toEqual(key);
  });

  it.each([
    ['a jti that is no text', { jti: 7 }],
    ['a sub that is no text', { sub: ['x'] }],
    ['an exp that is no number', { exp: '9' }],
    ['an exp beyond doubles', { exp: null }],
  ])('leaves out %s', (_what, more) => {
    const name = Object.keys(more)[0] as string;
    const { credential: shown } = rendered(verification(goodClaims(more), { reason: 'malformed' }));
    expect(shown).not.toHaveProperty(name);
  });

  it.each([
    ['1e3', 1000],
    ['-0', 0],
    ['1e21', 1e21],
    ['0.1', 0.1],
    ['1.7976931348623157e308', Number.MAX_VALUE],
  ])('states exp %s as a JSON number', (text, exp) => {
    const payload = `{"iss":"i","jti":"j","exp":${text}}`;
    expect(rendered(verification(payload)).credential).toMatchObject({ exp });
  });

  it('leaves out an exp that overflows, which JSON cannot say', () => {
    const shown = rendered(verification('{"iss":"i","jti":"j","exp":1e400}', { reason: 'malformed' }));
    expect(shown.credential).not.toHaveProperty('exp');
  });
});

describe('claims', () => {
  const claimsText = (payload: string): string => {
    const text = renderVerification(verification(payload), TAIL);
    return text.slice(text.indexOf('"claims":') + '"claims":'.length, text.indexOf('},"verified"'));
  };

  it.each([
    '{"iss":"i","n":1e400,"big":9007199254740993,"zero":-0,"tiny":1e-400,"exact":1.10}',
    '{"iss":"i","e":"\\u00e9\\/\\ud83d\\ude00","raw":"é😀","lone":"\\ud800"}',
    '{"iss":"i","__proto__":{"x":1},"constructor":{"prototype":{}}}',
    '{ "iss" : "i" ,\t"x" : [ ] }',
    '{"iss":"i","html":"</script>","line":"\u2028\u2029"}',
    '{"iss":"i","escaped":"a\\nb\\r\\nc"}',
  ])('are repeated to the letter: %j', (payload) => {
    expect(claimsText(payload)).toBe(payload);
  });

  it('never break the line, and mean the same', () => {
    const payload = '{\r\n"iss":"i",\n\n"a":"b\\nc"\r}';
    const text = renderVerification(verification(payload), TAIL);
    expect(text).not.toMatch(/[\r\n]/);
    expect(JSON.parse(text).credential.claims).toEqual({ iss: 'i', a: 'b\nc' });
  });

  it('of any payload make one line of JSON that reads back to the same claims (property)', () => {
    const others = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' }));
    const indent = fc.constantFrom(undefined, 1, '\t', '\n', '\r\n ');
    fc.assert(
      fc.property(others, fc.string({ unit: 'binary' }), indent, (more, jti, space) => {
        const payload = JSON.stringify({ ...more, iss: 'i', jti }, null, space);
        const text = renderVerification(verification(payload), TAIL);
        expect(text).not.toMatch(/[\r\n]/);
        const { credential: shown } = JSON.parse(text);
        expect(shown.claims).toEqual(JSON.parse(payload));
        expect(shown.jti).toBe(jti);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('what a reply shares', () => {
  it('never understates the age', () => {
    expect(renderRevocation({ ...FRESH, ageMs: 0.001 })).toBe('{"state":"fresh","seq":812,"ageMs":1}');
    expect(renderRevocation({ ...FRESH, ageMs: 0 })).toBe('{"state":"fresh","seq":812,"ageMs":0}');
  });

  it('says null for the age of what was never confirmed: JSON has no infinity', () => {
    const never = { state: 'expired', seq: 0, ageMs: Number.POSITIVE_INFINITY } as const;
    expect(JSON.parse(renderRevocation(never))).toEqual({ state: 'expired', seq: 0, ageMs: null });
    const tail = renderTail({ revocation: never, checkedAt: new Date(0) });
    const text = renderVerification(
      { reason: 'revocation_stale', signatureHolds: false, proofHolds: false },
      tail,
    );
    expect(JSON.parse(text).revocation.ageMs).toBeNull();
  });

  const codes = (...reasons: Reason[]): Uint8Array => Uint8Array.from(reasons, (reason) => CODES[reason]);

  it('counts verdicts, and leaves out what did not occur', () => {
    expect(
      summarize(codes('ok', 'expired', 'malformed', 'revoked', 'ok', 'keys_stale', 'suspended')),
    ).toEqual({
      valid: 2,
      invalid: 2,
      revoked: 1,
      indeterminate: 1,
      suspended: 1,
    });
    expect(summarize(codes())).toEqual({});
  });
});
