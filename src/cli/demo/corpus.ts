/**
 * The demo's credentials: synthetic, of every kind that a gateway meets, each with the one answer it must
 * get. Which index is of which kind is fixed, so that a run can be repeated.
 */
import type { StatusChange, Supersede } from '../../card-status.ts';
import { signCredential } from '../../issuer/sign-credential.ts';
import { generateSigningKey, type SigningKey } from '../../issuer/signing-key.ts';
import type { Reason } from '../../verdict.ts';
import { falseProof, type HolderKeys, holderCard, holderIssuerPolicy, proveHolder } from './holder-cards.ts';

export interface DemoCredential {
  readonly text: string;
  /** The holder proof beside it, signed anew for each showing: it is accepted once, and not for long. */
  readonly prove?: () => string;
  readonly expected: Reason;
  /** The status change by which it comes to the answer expected, if it takes one. */
  readonly change?: StatusChange | Supersede;
  readonly jti: string;
}

/** The demo's issuers: one ordinary, one that asks for holders (holder-cards.ts), and one that nobody lists. */
const ISS = 'https://issuer.vigie-demo.invalid';
const UNLISTED_ISS = 'https://unlisted.vigie-demo.invalid';

export const DEMO_ISSUER = ISS;

export interface DemoKeys extends HolderKeys {
  readonly active: SigningKey;
  readonly retired: SigningKey;
}

export function makeDemoKeys(): DemoKeys {
  return {
    active: generateSigningKey('demo-2026'),
    retired: generateSigningKey('demo-2020'),
    proof: generateSigningKey('demo-proof'),
    holder: generateSigningKey(),
    stranger: generateSigningKey('demo-stranger'),
  };
}

/** The trust list of the demo's gateway; the retired key's time is over. */
export function demoTrustList(keys: DemoKeys): object {
  return {
    version: 1,
    issuers: [
      {
        iss: ISS,
        keys: [keys.active.publicJwk, { ...keys.retired.publicJwk, nbf: 1_577_836_800, exp: 1_609_459_200 }],
      },
      holderIssuerPolicy(keys),
    ],
  };
}

/** How many of a hundred are of which kind. */
const SHARES: readonly (readonly [Reason, number])[] = [
  ['ok', 56],
  ['revoked', 10],
  ['suspended', 3],
  ['expired', 6],
  ['bad_signature', 6],
  ['malformed', 3],
  ['not_yet_valid', 3],
  ['unknown_issuer', 3],
  ['unknown_key', 2],
  ['key_not_active', 1],
  ['alg_not_allowed', 1],
  ['crit_unsupported', 1],
  ['audience_mismatch', 1],
  ['holder_proof_missing', 1],
  ['holder_proof_invalid', 1],
  ['rights_not_open', 1],
  ['test_credential', 1],
];

const KINDS: readonly Reason[] = SHARES.flatMap(([reason, share]) => Array<Reason>(share).fill(reason));
/** Coprime to a hundred: every hundred in a row holds each kind's share, well mixed. */
const STRIDE = 37;

export function kindOf(index: number): Reason {
  return KINDS[(index * STRIDE) % KINDS.length] as Reason;
}

const DAY_SECONDS = 86_400;

/** Makes the credential at an index; `nowSeconds` is the instant of issue. */
export function makeCredential(index: number, keys: DemoKeys, nowSeconds: number): DemoCredential {
  const expected = kindOf(index);
  const jti = `demo-${index}`;
  const claims = {
    iss: ISS,
    jti,
    sub: `demo-holder-${index}`,
    iat: nowSeconds - DAY_SECONDS,
    exp: nowSeconds + 365 * DAY_SECONDS,
    note: 'synthetic',
  };
  const shown = shownByHolder(expected, index, claims, keys, nowSeconds) ?? {
    text: textOf(expected, index, claims, keys, nowSeconds),
  };
  const change = changeOf(expected, index, claims);
  return { ...shown, expected, jti, ...(change === undefined ? {} : { change }) };
}

/** A card bound to its holder, with or without the proof; `undefined` for all that are not. */
function shownByHolder(
  kind: Reason,
  index: number,
  claims: Claims,
  keys: DemoKeys,
  nowSeconds: number,
): Pick<DemoCredential, 'text' | 'prove'> | undefined {
  const card = (rights: 'open' | 'ended') => holderCard(keys, { claims, nowSeconds, rights });
  const proven = (text: string) => ({ text, prove: () => proveHolder(keys, text) });
  switch (kind) {
    case 'ok':
      // A quarter of the valid ones, the first one not: its card is revoked by itself later.
      return index % 4 === 1 ? proven(card('open')) : undefined;
    case 'rights_not_open':
      return proven(card('ended'));
    case 'holder_proof_missing':
      return { text: card('open') };
    case 'holder_proof_invalid': {
      const text = card('open');
      return { text, prove: () => falseProof(keys, text, variantOf(index)) };
    }
    default:
      return undefined;
  }
}

/** What the issuer has to say for the card to be revoked or suspended. */
function changeOf(
  kind: Reason,
  index: number,
  { iss, jti, sub, iat }: Readonly<{ iss: string; jti: string; sub: string; iat: number }>,
): StatusChange | Supersede | undefined {
  if (kind === 'suspended') return { iss, jti, status: kind };
  if (kind !== 'revoked') return undefined;
  // Half of them because the holder has a newer one.
  return index % 2 === 0 ? { iss, jti, status: kind, why: 'lost' } : { iss, sub, issuedBefore: iat + 1 };
}

/** Counts the hundreds up, within which a rare kind has one place only. */
function variantOf(index: number): number {
  return Math.floor(index / KINDS.length) + index;
}

type Claims = Readonly<Record<string, unknown>>;

function textOf(kind: Reason, index: number, claims: Claims, keys: DemoKeys, nowSeconds: number): string {
  const key = keys.active;
  switch (kind) {
    case 'expired':
      return signCredential({ key, claims: { ...claims, exp: nowSeconds - DAY_SECONDS } });
    case 'not_yet_valid':
      return signCredential({ key, claims: { ...claims, nbf: nowSeconds + DAY_SECONDS } });
    case 'bad_signature':
      return index % 2 === 0 ? alteredAfterSigning(claims, keys) : signedByStranger(claims, keys);
    case 'malformed':
      return malformed(index, claims, keys);
    case 'unknown_issuer':
      return signCredential({ key, claims: { ...claims, iss: UNLISTED_ISS } });
    case 'unknown_key':
      return signCredential({ key: keys.stranger, claims });
    case 'key_not_active':
      return signCredential({ key: keys.retired, claims });
    case 'alg_not_allowed':
      return signCredential({ key, claims, header: { alg: index % 2 === 0 ? 'none' : 'HS256' } });
    case 'crit_unsupported':
      return signCredential({ key, claims, header: { crit: ['demo'], demo: true } });
    case 'audience_mismatch':
      return signCredential({ key, claims: { ...claims, aud: 'https://elsewhere.vigie-demo.invalid' } });
    case 'test_credential':
      return signCredential({ key, claims: { ...claims, test: true } });
    default:
      // Valid as issued; the revoked and the suspended ones become so by the admin call that follows.
      return signCredential({ key, claims });
  }
}

/** A forger changes what a genuine card says and keeps its signature. */
function alteredAfterSigning(claims: Claims, { active }: DemoKeys): string {
  const [header, , signature] = signCredential({ key: active, claims }).split('.');
  const [, payload] = signCredential({ key: active, claims: { ...claims, sub: 'demo-somebody-else' } }).split(
    '.',
  );
  return `${header}.${payload}.${signature}`;
}

/** A forger signs with a key of their own and names the issuer's. */
function signedByStranger(claims: Claims, { active, stranger }: DemoKeys): string {
  return signCredential({ key: { kid: active.kid, privateKey: stranger.privateKey }, claims });
}

function malformed(index: number, claims: Claims, { active }: DemoKeys): string {
  const good = signCredential({ key: active, claims });
  switch (variantOf(index) % 5) {
    case 0:
      return '';
    case 1:
      return good.slice(0, good.lastIndexOf('.'));
    case 2:
      return `${good}=`;
    case 3:
      return 'this is not a credential';
    default:
      return signCredential({
        key: active,
        claims,
        header: { jku: 'https://forger.vigie-demo.invalid/keys' },
      });
  }
}
