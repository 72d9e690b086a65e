/** Cards that must not pass: for each reason that a card can give, some of them, each with its one verdict. */
import { randomBytes } from 'node:crypto';
import { signCredential } from '../../../src/issuer/sign-credential.ts';
import { signProof } from '../../../src/issuer/sign-proof.ts';
import type { SigningKey } from '../../../src/issuer/signing-key.ts';
import type { Item } from './plan.ts';

/** A change by which a card of the corpus comes to its verdict; to be made before the load. */
export interface StatusChange {
  readonly iss: string;
  readonly jti: string;
  readonly status: 'revoked' | 'suspended';
}

export interface IssuerKeys {
  readonly live: SigningKey;
  readonly retired: SigningKey;
  /** Of the issuer that asks for holders' proofs. */
  readonly holders: SigningKey;
  readonly holder: SigningKey;
  /** On no trust list, and in no card. */
  readonly stranger: SigningKey;
}

interface Made {
  readonly credential: string;
  readonly holderProof?: string;
}

interface Kind {
  readonly kind: string;
  readonly verdict: 'invalid' | 'revoked' | 'suspended';
  readonly reason: string;
  readonly action: string;
  make(world: World): Made;
}

interface World {
  readonly keys: IssuerKeys;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly now: number;
}

export const ISSUER = 'https://issuer.bench.example';
/** Asks for holders' proofs and for open rights. */
export const HOLDER_ISSUER = 'https://holders.bench.example';
export const PHARMACY = 'https://pharmacy.bench.example';
const DAY_SECONDS = 86_400;

/** Signed as it should be, but for what is named. */
function signed({ keys, claims }: World, other: object = {}, header: object = {}, key = keys.live): Made {
  return {
    credential: signCredential({
      key,
      claims: { ...claims, ...other },
      header: header as Record<string, unknown>,
    }),
  };
}

function parts({ credential }: Made): [string, string, string] {
  return credential.split('.') as [string, string, string];
}

function held(world: World, rightsFrom: number): Made {
  const { kty, crv, x } = world.keys.holder.publicJwk;
  const day = (days: number) => new Date((world.now + days * DAY_SECONDS) * 1000).toISOString().slice(0, 10);
  const other = {
    iss: HOLDER_ISSUER,
    cnf: { jwk: { kty, crv, x } },
    rights: { from: day(rightsFrom), until: day(rightsFrom + 360) },
  };
  return signed(world, other, {}, world.keys.holders);
}

/** A proof by somebody else than the holder. */
function withFalseProof(world: World): Made {
  const { credential } = held(world, -30);
  const nonce = randomBytes(16).toString('base64url');
  const key = world.keys.stranger;
  return { credential, holderProof: signProof({ key, credential, aud: PHARMACY, nonce, iat: world.now }) };
}

function withBitTurned(world: World): Made {
  const [header, payload, signature] = parts(signed(world));
  const bytes = Buffer.from(signature, 'base64url');
  bytes.writeUInt8(bytes.readUInt8(5) ^ 1, 5);
  return { credential: `${header}.${payload}.${bytes.toString('base64url')}` };
}

function withOthersClaims(world: World): Made {
  const [header, , signature] = parts(signed(world));
  const [, payload] = parts(signed(world, { sub: 'somebody-else' }));
  return { credential: `${header}.${payload}.${signature}` };
}

const invalid = (kind: string, reason: string, action: string, make: Kind['make']): Kind => ({
  ...{ kind, verdict: 'invalid', reason, action, make },
});

/** As the wire contract has them, in the words of its table of reasons. */
const KINDS: readonly Kind[] = [
  invalid('expired', 'expired', 'refresh_app', (w) => signed(w, { exp: w.now - DAY_SECONDS })),
  invalid('unknown key', 'unknown_key', 'retry', (w) => signed(w, {}, {}, w.keys.stranger)),
  invalid('a bit turned', 'bad_signature', 'refuse', withBitTurned),
  invalid('cut off', 'malformed', 'rescan', (w) => ({ credential: parts(signed(w)).slice(0, 2).join('.') })),
  { ...invalid('revoked', 'revoked', 'use_physical_card', signed), verdict: 'revoked' },
  invalid('unknown issuer', 'unknown_issuer', 'refuse', (w) =>
    signed(w, { iss: 'https://nobody.bench.example' }),
  ),
  invalid("another's claims", 'bad_signature', 'refuse', withOthersClaims),
  invalid('no algorithm', 'alg_not_allowed', 'refuse', (w) => signed(w, {}, { alg: 'none' })),
  invalid('a shared secret', 'alg_not_allowed', 'refuse', (w) => signed(w, {}, { alg: 'HS256' })),
  { ...invalid('suspended', 'suspended', 'use_physical_card', signed), verdict: 'suspended' },
  invalid('unknown crit', 'crit_unsupported', 'refuse', (w) => signed(w, {}, { crit: ['b'], b: 1 })),
  invalid('a key of its own', 'malformed', 'rescan', (w) =>
    signed(w, {}, { jku: 'https://nobody.bench.example' }),
  ),
  invalid('retired key', 'key_not_active', 'refuse', (w) => signed(w, {}, {}, w.keys.retired)),
  invalid('not yet valid', 'not_yet_valid', 'refresh_app', (w) => signed(w, { nbf: w.now + DAY_SECONDS })),
  invalid('for another place', 'audience_mismatch', 'rescan', (w) =>
    signed(w, { aud: 'https://else.bench.example' }),
  ),
  invalid('a test card', 'test_credential', 'refuse', (w) => signed(w, { test: true })),
  invalid('rights ended', 'rights_not_open', 'check_rights', (w) => held(w, -400)),
  invalid('no holder proof', 'holder_proof_missing', 'rescan', (w) => held(w, -30)),
  invalid("another's proof", 'holder_proof_invalid', 'rescan', withFalseProof),
  invalid('padded', 'malformed', 'rescan', (w) => ({ credential: `${signed(w).credential}=` })),
  invalid('empty', 'malformed', 'rescan', () => ({ credential: '' })),
  invalid('no card', 'malformed', 'rescan', () => ({ credential: 'this is not a card' })),
  invalid('no jti', 'malformed', 'rescan', (w) => signed(w, { jti: 7 })),
];

/** `each` of every kind, the kinds by turns, and the changes by which some come to their verdicts. */
export function badCards(
  keys: IssuerKeys,
  now: number,
  each: number,
): { readonly items: readonly Item[]; readonly changes: readonly StatusChange[] } {
  const items: Item[] = [];
  const changes: StatusChange[] = [];
  for (let at = 0; at < each; at++) {
    for (const { kind, verdict, reason, action, make } of KINDS) {
      const jti = randomBytes(16).toString('base64url');
      const claims = { iss: ISSUER, jti, sub: 'synthetic', iat: now - 60, exp: now + DAY_SECONDS };
      items.push({
        kind,
        card: make({ keys, claims, now }),
        expected: { status: 200, verdict, reason, action },
      });
      if (verdict !== 'invalid') changes.push({ iss: ISSUER, jti, status: verdict });
    }
  }
  return { items, changes };
}
