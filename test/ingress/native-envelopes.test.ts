/** Envelopes scanned by native code, against the strict parser: what is found is what the parser reads. */
import { describe, expect, it } from 'vitest';
import { parseBatch, parseSingle } from '../../src/ingress/envelope.ts';
import { NO_PLACE } from '../../src/native/addon.ts';
import { mutateBytes } from '../credential/credential-cases.ts';
import { createRandom, type Random } from '../signature/fuzz-cases.ts';
import { nativeAddon } from '../support/path-world.ts';

const addon = nativeAddon();
const ROOM = 10_000;
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
  if (random.below(2) === 0) members.unshift(`"channel":"${random.pick(['qr', 'nfc'])}"`);
  return `{${members.join(', ')}}`;
}

function drawBatch(random: Random, type: string): Buffer {
  const items = Array.from({ length: random.below(6) }, () => random.pick(TEXTS));
  const lines = (): string =>
    items.map((item) => `${item}${random.pick(['\n', '\n', '\r\n', '\r', ''])}`).join('');
  const json = (): string => {
    const strings = items.map((item) =>
      random.below(20) === 0 ? '{"credential":"a"}' : `"${item}"${random.pick(SPACES)}`,
    );
    return `{${random.pick(SPACES)}"credentials":[${strings.join(`,${random.pick(SPACES)}`)}]${random.pick(SPACES)}}`;
  };
  const body = Buffer.from(type === 'text/plain' ? lines() : json());
  return random.below(3) === 0 ? mutateBytes(random, body) : body;
}

/** Several bodies one behind the other: what stands before and behind one is not its own. */
function scanSingles(bodies: readonly Buffer[]) {
  const all = Buffer.concat(bodies);
  const words = () => new Uint32Array(bodies.length);
  const [starts, ends, audienceStarts, audienceEnds] = [words(), words(), words(), words()] as const;
  let at = 0;
  for (const [i, { length }] of bodies.entries()) {
    starts[i] = at;
    at += length;
    ends[i] = at;
  }
  const isJson = new Uint8Array(bodies.length).fill(1);
  addon.scanSingles(all, starts, ends, isJson, bodies.length, audienceStarts, audienceEnds);
  return bodies.map((_, i) => {
    if (starts[i] === NO_PLACE) return undefined;
    const audience =
      audienceStarts[i] === NO_PLACE ? undefined : all.toString('latin1', audienceStarts[i], audienceEnds[i]);
    return { credential: all.toString('latin1', starts[i], ends[i]), audience };
  });
}

describe('the scan of', () => {
  it('single calls finds what the parser reads, or leaves it to the parser', () => {
    const random = createRandom(21);
    let found = 0;
    for (let round = 0; round < 1_500; round++) {
      const bodies = Array.from({ length: 1 + random.below(10) }, () => drawSingle(random));
      for (const [i, request] of scanSingles(bodies).entries()) {
        if (request === undefined) continue;
        found++;
        expect(parseSingle('application/json', bodies[i] as Buffer)).toEqual({ ok: true, value: request });
      }
    }
    expect(found).toBeGreaterThan(200);
  });

  it.each(['application/json', 'text/plain'])(
    'batches (%s) finds what the parser reads, or leaves it',
    (type) => {
      const random = createRandom(22);
      const starts = new Uint32Array(ROOM);
      const ends = new Uint32Array(ROOM);
      let found = 0;
      for (let round = 0; round < 5_000; round++) {
        const body = drawBatch(random, type);
        const count = addon.scanBatch(body, type === 'application/json', starts, ends);
        if (count < 0) continue;
        found++;
        const value = Array.from({ length: count }, (_, i) => ({
          credential: body.toString('latin1', starts[i], ends[i]),
        }));
        expect(parseBatch(type, body)).toEqual({ ok: true, value });
      }
      expect(found).toBeGreaterThan(500);
    },
  );

  it('lines leaves a batch with a line too many to the parser, which refuses it', () => {
    const room = [new Uint32Array(ROOM), new Uint32Array(ROOM)] as const;
    expect(addon.scanBatch(Buffer.from('a\n'.repeat(ROOM)), false, ...room)).toBe(ROOM);
    const more = Buffer.from('a\n'.repeat(ROOM + 1));
    expect(addon.scanBatch(more, false, ...room)).toBe(-1);
    expect(parseBatch('text/plain', more).ok).toBe(false);
  });
});
