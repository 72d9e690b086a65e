/** Envelopes of single calls scanned by native code, against the strict parser: what is found is what the parser reads. */
import { describe, expect, it } from 'vitest';
import { parseSingle } from '../../src/ingress/envelope.ts';
import { mutateBytes } from '../credential/credential-cases.ts';
import { createRandom, type Random } from '../signature/fuzz-cases.ts';
import { nativeAddon } from '../support/path-world.ts';
import { scanSingles } from './scan-singles.ts';

const addon = nativeAddon();
const TEXTS = ['', 'eyJ.e30.AA', 'a b', '\u007f', 'Ö', '💊', '\\u0041', '\\"', '"', '\n', 'null'];
const SPACES = ['', '', '', ' ', '\n', '\r\n\t', '\v'];
const SINGLE_MEMBERS = [
  'credential',
  'credential',
  'audience',
  'channel',
  'nonce',
  'at',
  'holderProof',
  'x',
  '__proto__',
];

function drawSingle(random: Random): Buffer {
  if (random.below(4) === 0) return Buffer.from(drawPlain(random));
  const members = Array.from({ length: random.below(4) }, () => {
    const name = random.pick(SINGLE_MEMBERS);
    const value = name === 'channel' ? random.pick(['qr', 'nfc', 'remote', 'x']) : random.pick(TEXTS);
    const text = random.below(10) === 0 ? random.pick(['1', 'null', '[]', '{}']) : `"${value}"`;
    return `${random.pick(SPACES)}"${name}"${random.pick(SPACES)}:${random.pick(SPACES)}${text}`;
  });
  const body = Buffer.from(
    `${random.pick(SPACES)}{${members.join(',')}${random.pick(SPACES)}}${random.pick(SPACES)}`,
  );
  return random.below(3) === 0 ? mutateBytes(random, body) : body;
}

/** As most callers write it, in any order. */
function drawPlain(random: Random): string {
  const text = (): string => random.pick(TEXTS.slice(0, 3));
  const members = [`"credential":"${text()}"`];
  if (random.below(2) === 0) members.push(`"audience":"${text()}"`);
  if (random.below(2) === 0) members.unshift(`"holderProof":"${text()}"`);
  if (random.below(3) === 0) members.push(`"nonce":"${text()}"`);
  if (random.below(2) === 0) members.unshift(`"channel":"${random.pick(['qr', 'nfc', 'remote'])}"`);
  return `{${members.join(', ')}}`;
}

describe('the scan of', () => {
  it('single calls finds what the parser reads, or leaves it to the parser', () => {
    const random = createRandom(21);
    let found = 0;
    for (let round = 0; round < 1_500; round++) {
      const bodies = Array.from({ length: 1 + random.below(10) }, () => drawSingle(random));
      for (const [i, request] of scanSingles(addon, bodies).entries()) {
        if (request === undefined) continue;
        found++;
        expect(parseSingle(bodies[i] as Buffer, false)).toEqual({ ok: true, value: request });
      }
    }
    expect(found).toBeGreaterThan(200);
  });
});
