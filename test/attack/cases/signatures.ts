/** Attacks 74 to 79: signatures (the acceptance rule of SECURITY.md), each wrong in one way alone. */
import { GROUP_ORDER } from '../../../src/signature/rule.ts';
import { basePointTimes, scalarBytes, scalarOf, torsion } from '../../signature/forge.ts';
import { credential } from '../../support/synthetic-issuer.ts';
import { asked, claims } from '../asked.ts';
import type { AttackCase, AttackCases } from '../attack-case.ts';
import { forged } from '../forger.ts';

const BAD = 'bad_signature';

/** A good credential with another signature, as bytes or as the text that stands there. */
function signature(
  number: number,
  name: string,
  expected: string,
  change: (bytes: Buffer) => string | Uint8Array,
): AttackCase {
  return asked(number, name, expected, () => {
    const text = credential({ payload: claims() });
    const at = text.lastIndexOf('.') + 1;
    const changed = change(Buffer.from(text.slice(at), 'base64url'));
    const spelt = typeof changed === 'string' ? changed : Buffer.from(changed).toString('base64url');
    return text.slice(0, at) + spelt;
  });
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** The last character of 64 bytes carries two bits: which other 15 characters carry the same, counted from this one. */
const otherSpelling = (bytes: Buffer, index: number): string => {
  const text = bytes.toString('base64url');
  const last = ALPHABET.indexOf(text.at(-1) as string);
  return text.slice(0, -1) + ALPHABET[(last & 0x30) | index];
};

const TEXTS: AttackCases = [
  ...[0, 63, 65, 16_384].map((count) =>
    signature(74, `a signature of ${count} bytes`, 'malformed', (bytes) =>
      Buffer.concat([bytes, Buffer.alloc(16_384)]).subarray(0, count),
    ),
  ),
  signature(75, 'base64 padding', 'malformed', (bytes) => `${bytes.toString('base64url')}==`),
  signature(75, 'the alphabet + and /', 'malformed', () =>
    Buffer.alloc(64, 0xfb).toString('base64').replace(/=+$/, ''),
  ),
  ...['*', ' ', '\n', '\u00e9', '%'].map((junk) =>
    signature(75, `${JSON.stringify(junk)} in base64`, 'malformed', (bytes) =>
      bytes.toString('base64url').replace(/^./, junk),
    ),
  ),
  signature(75, 'a line end behind it', 'malformed', (bytes) => `${bytes.toString('base64url')}\n`),
  ...Array.from({ length: 15 }, (_, index) => index + 1).map((index) =>
    signature(76, `the same bytes, spelling ${index} of 15 others`, 'malformed', (bytes) =>
      otherSpelling(bytes, index),
    ),
  ),
];

/** S as a number, little-endian. */
const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
const withS = (bytes: Buffer, s: bigint): Uint8Array =>
  Buffer.concat([bytes.subarray(0, 32), scalarBytes(s % 2n ** 256n)]);

const SCALARS: AttackCases = [
  // The equation holds for each of them: S < L alone refuses.
  ...Array.from({ length: 15 }, (_, index) => index + 1).map((times) =>
    signature(77, `S + ${times}L`, BAD, (bytes) =>
      withS(bytes, numberOf(bytes.subarray(32)) + BigInt(times) * GROUP_ORDER),
    ),
  ),
  ...([-1n, 0n, 1n] as const).map((step) =>
    signature(77, `S = L${step < 0n ? ' - 1' : step > 0n ? ' + 1' : ''}`, BAD, (bytes) =>
      withS(bytes, GROUP_ORDER + step),
    ),
  ),
  ...[64n, 128n, 192n].flatMap((bit) =>
    [1n, -1n].map((step) =>
      signature(77, `S = L ${step > 0n ? '+' : '-'} 2^${bit}`, BAD, (bytes) =>
        withS(bytes, GROUP_ORDER + step * 2n ** bit),
      ),
    ),
  ),
  // The honest S, one off in each limb.
  ...[0n, 64n, 128n, 192n].flatMap((bit) =>
    [1n, -1n].map((step) =>
      signature(77, `S ${step > 0n ? '+' : '-'} 2^${bit}`, BAD, (bytes) =>
        withS(bytes, (numberOf(bytes.subarray(32)) + step * 2n ** bit + GROUP_ORDER) % GROUP_ORDER),
      ),
    ),
  ),
  signature(77, 'S = 0', BAD, (bytes) => withS(bytes, 0n)),
  signature(77, 'S = 2^256 - 1', BAD, (bytes) => withS(bytes, 2n ** 256n - 1n)),
];

/** Spellings of points that are not canonical: y is p or more, or a sign stands on x = 0. */
const SPELLINGS: readonly (readonly [string, string])[] = [
  ['the identity, y = p + 1', 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
  ['the identity with a sign', '0100000000000000000000000000000000000000000000000000000000000080'],
  ['y = p + 1 with a sign', 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'],
  ['y = p', 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
  ['y = p - 1 with a sign', 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'],
  ['no point at all', '0200000000000000000000000000000000000000000000000000000000000000'],
];
const NONCE = scalarOf('nonce');

const POINTS: AttackCases = [
  asked(78, 'a forged signature that is as it should be', 'ok', () =>
    forged(claims(), basePointTimes(NONCE).toBytes(), NONCE),
  ),
  // With S = k a the whole equation holds for the identity, and for the others when multiplied by the cofactor.
  ...Array.from({ length: 8 }, (_, index) =>
    asked(78, `R of low order (${index})`, BAD, () => forged(claims(), torsion(index).toBytes())),
  ),
  ...Array.from({ length: 7 }, (_, index) => index + 1).map((index) =>
    asked(78, `R of mixed order (${index})`, BAD, () =>
      forged(claims(), basePointTimes(NONCE).add(torsion(index)).toBytes(), NONCE),
    ),
  ),
  ...SPELLINGS.map(([name, hex]) =>
    asked(79, `R: ${name}`, BAD, () => forged(claims(), Buffer.from(hex, 'hex'))),
  ),
];

export const SIGNATURES: AttackCases = [...TEXTS, ...SCALARS, ...POINTS];
