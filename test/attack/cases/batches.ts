/** Attacks 62 to 65, and what of 52 to 60 stands in credentials: neighbours, and texts that two readers read differently. */
import { changeStatus } from '../../support/call.ts';
import { credential, ISS, tampered } from '../../support/synthetic-issuer.ts';
import { ask, asked, claims, payload, reasonFor, reasonsOf, spelt } from '../asked.ts';
import type { AttackCase, AttackCases } from '../attack-case.ts';
import { type AttackTarget, PAYLOAD_MARK } from '../attack-target.ts';
import { describedAnswer } from '../described.ts';

function batch(
  number: number,
  name: string,
  expected: string,
  content: (target: AttackTarget) => unknown,
  type = 'application/json',
): AttackCase {
  const run = async (target: AttackTarget): Promise<string> =>
    describedAnswer(await ask(target, content(target), { path: '/v1/verify/batch', type }));
  return { number, name, sent: name, expected, run };
}

const LINES = 'text/plain';
const SIZES: AttackCases = [
  batch(62, 'a batch of nothing', '200 {}', () => ({ credentials: [] })),
  batch(62, 'a batch of 10,000', '200 {"invalid":10000}', () => ({ credentials: Array(10_000).fill('') })),
  batch(62, 'a batch of 10,001', '413 too-many-items', () => ({ credentials: Array(10_001).fill('') })),
  batch(62, 'a batch of 10,000 lines', '200 {"invalid":10000}', () => 'x\n'.repeat(10_000), LINES),
  batch(62, 'a batch of 10,001 lines', '413 too-many-items', () => 'x\n'.repeat(10_001), LINES),
  batch(63, 'one credential a thousand times', '200 {"valid":1000}', ({ good }) => ({
    credentials: Array(1_000).fill(good),
  })),
];

/** Every kind of bad item at places where batches are cut in eight lanes, sixty-four signatures or a slice. */
const POISON: AttackCases = [0, 7, 8, 63, 64, 150, 255, 256, 299].map((place) => ({
  number: 64,
  name: `one bad item among good ones, at ${place}`,
  sent: `300 items, number ${place} with a bit turned over`,
  expected: `bad_signature at ${place}, ok at 299 others`,
  run: async (target: AttackTarget): Promise<string> => {
    const credentials = Array(300).fill(target.good);
    credentials[place] = tampered(target.good);
    const reasons = await reasonsOf(target, credentials);
    const others = reasons.filter((_, i) => i !== place);
    const counts = [...new Set(others)].map(
      (one) => `${one} at ${others.filter((reason) => reason === one).length} others`,
    );
    return [`${reasons[place]} at ${place}`, ...counts].join(', ');
  },
}));

const nested = (depth: number): string => `"a":${'['.repeat(depth)}${']'.repeat(depth)}`;
/** A payload of which one byte is none of UTF-8. */
const broken = (): string => {
  const text = JSON.stringify(claims());
  const bytes = Buffer.from(text.replace(PAYLOAD_MARK, `${PAYLOAD_MARK}#`));
  bytes[bytes.indexOf('#')] = 0xff;
  return credential({ payload: bytes });
};

const PAYLOADS: AttackCases = [
  payload(50, 'a byte order mark before the claims', 'malformed', () => `\ufeff${JSON.stringify(claims())}`),
  asked(52, 'invalid UTF-8 in the claims', 'malformed', broken),
  payload(54, 'claims 32 deep', 'ok', spelt(nested(31))),
  payload(54, 'claims 33 deep', 'malformed', spelt(nested(32))),
  payload(54, 'claims 20,000 deep', 'malformed', spelt(nested(20_000))),
  payload(55, 'jti twice', 'malformed', spelt('"jti":"other"')),
  payload(55, 'jti twice, once by an escape', 'malformed', spelt('"\\u006ati":"other"')),
  payload(55, 'a name twice, far down in the claims', 'malformed', spelt('"a":[{"b":1,"b":1}]')),
  payload(56, '__proto__ among the claims', 'ok', spelt('"__proto__":{"exp":1}')),
  payload(56, 'exp in __proto__ alone', 'malformed', () => {
    const { exp, ...others } = claims();
    return `${JSON.stringify(others).slice(0, -1)},"__proto__":{"exp":${exp}}}`;
  }),
  payload(57, 'constructor.prototype among the claims', 'ok', spelt('"constructor":{"prototype":{"exp":1}}')),
  payload(60, 'NaN among the claims', 'malformed', spelt('"a":NaN')),
];

/** One card is revoked; the others, which look like it, are not. */
function twins(name: string, jti: string, others: readonly string[], number = 65): AttackCase {
  return {
    number,
    name,
    sent: `${JSON.stringify(jti)} revoked, its twins asked for`,
    expected: ['revoked', ...others.map(() => 'ok')].join(', '),
    run: async (target) => {
      await changeStatus(target.gateway.admin, { iss: ISS, jti, status: 'revoked' });
      const reasons: string[] = [];
      for (const twin of [jti, ...others]) {
        reasons.push(await reasonFor(target, credential({ payload: claims({ jti: twin }) })));
      }
      return reasons.join(', ');
    },
  };
}

const COMPOSED = `${PAYLOAD_MARK}-caf\u00e9`;
const TWINS: AttackCases = [
  // Each of them would be U+FFFD in UTF-8, and so the same card.
  twins(
    'the twins of a jti with a lone surrogate',
    `${PAYLOAD_MARK}-\ud800`,
    [`${PAYLOAD_MARK}-\ud801`, `${PAYLOAD_MARK}-\udc00`, `${PAYLOAD_MARK}-\ufffd`],
    53,
  ),
  twins('the twin of a jti in NFD', COMPOSED, [COMPOSED.normalize('NFD')]),
  twins('the twin of a jti in NFC', COMPOSED.normalize('NFD').replace('-', '_'), [
    COMPOSED.replace('-', '_'),
  ]),
  twins('twins by case', `${PAYLOAD_MARK}-Case`, [`${PAYLOAD_MARK}-case`, `${PAYLOAD_MARK}-CASE`]),
  twins('twins by white space', `${PAYLOAD_MARK}-space`, [
    `${PAYLOAD_MARK}-space `,
    ` ${PAYLOAD_MARK}-space`,
  ]),
];

export const BATCHES: AttackCases = [...SIZES, ...POISON, ...PAYLOADS, ...TWINS];
