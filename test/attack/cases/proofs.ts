/** Attacks 78 and 79 on holders' keys, and 88: proofs of the holder. */
import { LOW_ORDER_ENCODINGS } from '../../../src/encoding/ed25519-point.ts';
import { call } from '../../support/call.ts';
import { cnfOf, HOLDER, holderProof, PHARMACY } from '../../support/presentation.ts';
import { credential, signerOf } from '../../support/synthetic-issuer.ts';
import { claims, gistFor, nowSeconds } from '../asked.ts';
import type { AttackCase, AttackCases } from '../attack-case.ts';
import { HELD_ISS } from '../attack-target.ts';

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

/** Keys of holders that sign for everybody: of low order, in every spelling that there is. */
const HOLDERS: AttackCases = LOW_ORDER_ENCODINGS.map((encoding, index) =>
  presented(index < 8 ? 78 : 79, `a holder's key of low order (${index})`, 'holder_proof_invalid', () => {
    const x = Buffer.from(encoding, 'hex').toString('base64url');
    const text = card(`low-${index}`, { jwk: { kty: 'OKP', crv: 'Ed25519', x } });
    return [{ credential: text, holderProof: proofOf(text) }];
  }),
);

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
    run: async ({ gateway }) => {
      const type = 'application/dc+sd-jwt';
      const answer = await call<{ type: string }>(`${gateway.data}/v1/verify`, {
        body: `${card('typed')}~`,
        type,
      });
      return `${answer.status} ${answer.json.type}`;
    },
  },
];
