/** Synthetic cards whose verdicts are known, and what becomes of those that are revoked while they are shown. */
import { signCredential } from '../../src/issuer/sign-credential.ts';
import { generateSigningKey, type SigningKey } from '../../src/issuer/signing-key.ts';
import type { Reason } from '../../src/verdict.ts';

export const ISS = 'https://stack-issuer.vigie.invalid';

export interface Card {
  readonly jti: string;
  readonly text: string;
  /** What it is answered as long as nobody revokes it. */
  readonly reason: Reason;
  /** When its revocation was first asked for, and first acknowledged (monotonic); Infinity: not yet. */
  askedMs: number;
  acknowledgedMs: number;
}

export interface Cards {
  readonly trustList: object;
  /** Shown again and again. */
  readonly shown: readonly Card[];
  /** To be revoked, one after another; all of them are among the shown. */
  readonly doomed: readonly Card[];
}

/** Of so many shown cards an eighth is to be revoked meanwhile, and a fifth is not good to begin with. */
export function makeCards(count: number): Cards {
  const issuer = generateSigningKey('stack');
  const stranger = generateSigningKey('stack');
  const shown = Array.from({ length: count }, (_, i) => cardOf(i, issuer, stranger));
  return {
    trustList: { version: 1, issuers: [{ iss: ISS, keys: [issuer.publicJwk] }] },
    shown,
    doomed: shown.filter(({ reason }, i) => reason === 'ok' && i % 8 === 0),
  };
}

function cardOf(i: number, issuer: SigningKey, stranger: SigningKey): Card {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const jti = `stack-${i}`;
  const good = { iss: ISS, jti, sub: `synthetic-${i}`, exp: nowSeconds + 86_400 };
  const card = (reason: Reason, claims: object = {}, key = issuer): Card => {
    const text = signCredential({ key, claims: { ...good, ...claims } });
    return { jti, text, reason, askedMs: Infinity, acknowledgedMs: Infinity };
  };
  switch (i % 20) {
    case 3:
      return card('expired', { exp: nowSeconds - 3_600 });
    case 7:
      return card('bad_signature', {}, stranger);
    case 11:
      return card('unknown_issuer', { iss: 'https://nobody.vigie.invalid' });
    case 15:
      return card('test_credential', { test: true });
    default:
      return card('ok');
  }
}
