/** What every peer is asked before it is measured: credentials good and bad, signed by a synthetic key of their own. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ISSUER, type IssuerKey, makeIssuerKey, signToken } from '../../corpus/credentials.ts';

export interface Probe {
  readonly credential: string;
  readonly isValid: boolean;
  /** What a peer that gets it wrong cannot do. */
  readonly cannot: string;
  /** Of a peer that gets this wrong nothing is measured: it does not verify. */
  readonly isEssential: boolean;
}

export interface ProbeSet {
  readonly probes: readonly Probe[];
  /** Identifiers that are revoked wherever revocation exists: those of the probes, and as many again as stated. */
  readonly revoked: readonly string[];
  /** Makes a credential that is past its expiry in so many milliseconds, for peers that tolerate thirty seconds. */
  readonly soonExpired: () => { readonly credential: string; readonly inMs: number };
}

const SKEW_SECONDS = 30;
const SOON_SECONDS = 3;
const NUMERIC_JTI = 4_711;

/** The trust list of the corpus with the probes' key in it, which must be the first issuer's. */
export function withProbeKey(trustListFile: string, key: IssuerKey): object {
  const { version, issuers } = JSON.parse(readFileSync(trustListFile, 'utf8'));
  const [first, ...others] = issuers;
  return { version, issuers: [{ ...first, keys: [...first.keys, key.jwk] }, ...others] };
}

export const makeProbeKey = (): IssuerKey => makeIssuerKey('bench-probe');

export function makeProbes(key: IssuerKey, revokedBesides: number): ProbeSet {
  const now = Math.floor(Date.now() / 1000);
  const identifier = (): string => randomBytes(16).toString('base64url');
  const claims = (changes: object = {}) => ({
    iss: ISSUER,
    jti: identifier(),
    sub: identifier(),
    iat: now - 60,
    nbf: now - 60,
    exp: now + 3_600,
    ...changes,
  });
  const good = signToken(key, claims());
  const [header, , signature] = good.split('.') as [string, string, string];
  const [, otherPayload] = signToken(key, claims()).split('.');
  const altered = Buffer.from(signature, 'base64url');
  altered.writeUInt8(altered.readUInt8(0) ^ 1);
  const revoked = identifier();
  const essential = (cannot: string, credential: string, isValid = false): Probe => ({
    credential,
    isValid,
    cannot,
    isEssential: true,
  });
  const wanted = (cannot: string, credential: string): Probe => ({
    ...essential(cannot, credential),
    isEssential: false,
  });
  const twice = JSON.stringify(claims()).replace('"sub"', `"jti":"${identifier()}","sub"`);
  return {
    probes: [
      essential('accept a good credential', good, true),
      essential('accept another good credential', signToken(key, claims()), true),
      essential('refuse an altered signature', good.replace(signature, altered.toString('base64url'))),
      essential("refuse another credential's claims", `${header}.${otherPayload}.${signature}`),
      essential('refuse an unknown key', signToken(key, claims(), { kid: 'bench-none' })),
      essential('refuse alg none', signToken(key, claims(), { alg: 'none' })),
      essential('refuse a credential without signature', good.replace(signature, '')),
      essential('refuse what is no credential', 'none'),
      essential('refuse an expired credential', signToken(key, claims({ exp: now - 3_600 }))),
      wanted('refuse a credential that is not yet valid', signToken(key, claims({ nbf: now + 3_600 }))),
      wanted('refuse a credential without exp', signToken(key, claims({ exp: undefined }))),
      wanted('refuse another issuer', signToken(key, claims({ iss: 'https://other.bench.example' }))),
      wanted('refuse a revoked credential', signToken(key, claims({ jti: revoked }))),
      wanted('refuse a credential without jti', signToken(key, claims({ jti: undefined }))),
      wanted('refuse a numeric jti', signToken(key, claims({ jti: NUMERIC_JTI }))),
      wanted('refuse a name that stands twice in the claims', signToken(key, twice)),
      wanted(
        'refuse an unknown crit (RFC 7515 4.1.11)',
        signToken(key, claims(), { crit: ['x-a'], 'x-a': 1 }),
      ),
    ],
    revoked: [revoked, String(NUMERIC_JTI), ...Array.from({ length: revokedBesides }, identifier)],
    soonExpired: () => {
      const exp = Math.floor(Date.now() / 1000) - SKEW_SECONDS + SOON_SECONDS;
      return { credential: signToken(key, claims({ exp })), inMs: SOON_SECONDS * 1000 };
    },
  };
}
