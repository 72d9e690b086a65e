/** Attacks 78 and 79 on holders' keys, and 88: proofs of the holder. */
import { isCanonicalEncoding, LOW_ORDER_ENCODINGS } from '../../../src/encoding/ed25519-point.ts';
import { cnfOf, HOLDER, holderProof, PHARMACY } from '../../support/presentation.ts';
import { credential, signerOf } from '../../support/synthetic-issuer.ts';
import { ask, claims, gistFor, nowSeconds } from '../asked.ts';
import type { AttackCase, AttackCases } from '../attack-case.ts';
import { HELD_ISS } from '../attack-target.ts';
import { describedAnswer } from '../described.ts';
import { FORGER_KEY, FORGER_SCALAR, forgedProof } from '../forger.ts';

const card = (jti: string, cnf: unknown = cnfOf()): string =>
  credential({ payload: claims({ iss: HELD_ISS, jti, cnf }) });
const proofOf = (text: string, more: Record<string, unknown> = {}): string =>
  holderProof(text, { claims: { iat: Date.now() / 1000, nonce: 'n', ...more } });

function presented(
  number: number,
  name: string,
  expected: string,
  envelopes: () => readonly object[],
): AttackCase {
  return {
    number,
    name,
    sent: name,
    expected,
    run: async (target) => {
      const reasons: string[] = [];
      for (const envelope of envelopes()) reasons.push(await gistFor(target, envelope));
      return reasons.join(', then ');
    },
  };
}

/** A proof whose signature holds under a holder's key, for which no secret is needed unless one is given. */
function heldBy(jti: string, x: string, scalar?: bigint): object {
  const text = card(jti, { jwk: { kty: 'OKP', crv: 'Ed25519', x } });
  return { credential: text, holderProof: forgedProof(text, Buffer.from(x, 'base64url'), scalar) };
}

/** Keys of holders under which anybody can sign: of low order, in every spelling that there is. */
const HOLDERS: AttackCases = [
  presented(78, "a forged proof that is as it should be, by the holder's key", 'ok', () => [
    heldBy('forged', FORGER_KEY.x, FORGER_SCALAR),
  ]),
  ...LOW_ORDER_ENCODINGS.map((encoding, index) => {
    const key = Buffer.from(encoding, 'hex');
    const [number, spelt] = isCanonicalEncoding(key) ? [78, ''] : [79, ', not canonical'];
    const name = `a holder's key of low order${spelt} (${index})`;
    return presented(number, name, 'holder_proof_invalid', () => [
      heldBy(`low-${index}`, key.toString('base64url')),
    ]);
  }),
];

export const PROOFS: AttackCases = [
  ...HOLDERS,
  presented(88, 'no proof where one is required', 'holder_proof_missing', () => [
    { credential: card('bare') },
  ]),
  presented(88, 'a proof shown again', 'ok, then replayed', () => {
    const text = card('again');
    const envelope = { credential: text, holderProof: proofOf(text) };
    return [envelope, envelope];
  }),
  presented(88, 'a proof shown again at another pharmacy', 'ok, then holder_proof_invalid', () => {
    const text = card('elsewhere');
    const envelope = { credential: text, holderProof: proofOf(text) };
    return [
      { ...envelope, audience: PHARMACY },
      { ...envelope, audience: 'https://other-pharmacy.example' },
    ];
  }),
  presented(88, 'the sd_hash of another presentation', 'holder_proof_invalid', () => {
    const text = card('mine');
    return [{ credential: text, holderProof: proofOf(card('theirs')) }];
  }),
  presented(88, 'the proof of another holder', 'holder_proof_invalid', () => {
    const text = card('stolen');
    const thief = signerOf('thief', HOLDER.kid);
    const made = { iat: Date.now() / 1000, nonce: 'n' };
    return [{ credential: text, holderProof: holderProof(text, { holder: thief, claims: made }) }];
  }),
  presented(88, 'a proof of yesterday', 'holder_proof_invalid', () => {
    const text = card('yesterday');
    return [{ credential: text, holderProof: proofOf(text, { iat: nowSeconds() - 86_400 }) }];
  }),
  ...[
    ['a repeated disclosure', '~WyJhIl0~WyJhIl0~'],
    ['an unused disclosure', '~WyJhIl0~'],
    ['a disclosure whose digest is another', '~AAAA~'],
  ].map(([name = '', disclosures]) =>
    presented(88, `${name}, in the form of an SD-JWT`, 'malformed', () => [
      { credential: `${card('sd-jwt')}${disclosures}` },
    ]),
  ),
  {
    number: 88,
    name: 'an SD-JWT by its media type',
    sent: 'Content-Type: application/dc+sd-jwt',
    expected: '415 unsupported-media-type',
    run: async (target) =>
      describedAnswer(await ask(target, `${card('typed')}~`, { type: 'application/dc+sd-jwt' })),
  },
];
