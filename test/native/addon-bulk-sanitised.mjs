/**
 * What the addon does in bulk, compiled with sanitisers, under Node: decoding, look-up, envelopes, answers, with arrays
 * that end where the last element does, in shared memory, and wrong in every argument. Called by addon-sanitised.mjs.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { exactly, inSharedMemory, isArray, refuses, WRONG } from './addon-arguments.mjs';

const ROW_WORDS = 16;
const NONE = 0xffffffff;
const HEADER = Buffer.from('{"alg":"EdDSA","kid":"a"}').toString('base64url');
const ISSUER = 'https://issuer.example';

function credentials(count) {
  const { privateKey } = generateKeyPairSync('ed25519');
  const texts = Array.from({ length: count }, (_, i) => {
    const claims = {
      iss: ISSUER,
      jti: `card ${i}`,
      exp: i,
      ...(i % 2 === 0 ? { sub: 'ö'.repeat(i), aud: ['a'] } : {}),
    };
    const input = `${HEADER}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
    return Buffer.from(`${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`);
  });
  let end = 0;
  const ends = Uint32Array.from(texts, ({ length }) => (end += length));
  const starts = Uint32Array.from(texts, ({ length }, i) => ends[i] - length);
  const rows = new Uint32Array(ROW_WORDS * count);
  return { texts: exactly(Buffer.concat(texts)), starts, ends, rows, dates: new Float64Array(3 * count) };
}

function decodes(addon) {
  const recogniser = addon.createRecogniser();
  refuses(addon.recognise, [recogniser, Buffer.from(HEADER), Buffer.from(ISSUER)], []);
  assert.equal(addon.recognise(recogniser, exactly(Buffer.from(HEADER)), exactly(Buffer.from(ISSUER))), 0);
  assert.equal(addon.recognise(recogniser, new Uint8Array(4_096), new Uint8Array(0)), NONE);
  const count = 24;
  const { texts, starts, ends, rows, dates } = credentials(count);
  const [payloads, signatures] = [new Uint8Array(texts.length + 2), new Uint8Array(64 * count)];
  const args = [recogniser, texts, starts, ends, count, 65_536, payloads, signatures, rows, dates];
  const decode = addon.decodeCredentials;
  assert.equal(decode(...args), count);
  // Room for payloads to the byte, a byte less, none; and no characters allowed.
  for (const room of [0, 1, 2, 100, 1_000, ...Array.from({ length: 200 }, (_, i) => i)]) {
    const decoded = decode(...args.with(6, new Uint8Array(room)));
    assert.equal(decoded, rows.filter((word, i) => i % ROW_WORDS === 0 && word !== NONE).length);
  }
  assert.equal(decode(...args.with(5, 0)), 0);
  assert.equal(decode(...args.with(4, 0)), 0);
  refuses(decode, args, [2, 3, 4, 7, 8, 9]);
  for (const place of [1, 2, 3])
    assert.throws(() => decode(...args.with(place, inSharedMemory(args[place]))), RangeError);
  decode(...args.map((value, place) => (place > 5 && isArray(value) ? inSharedMemory(value) : value)));
  const last = (array, value) => Object.assign(array.slice(), { [count - 1]: value });
  assert.throws(() => decode(...args.with(3, last(ends, texts.length + 1))), RangeError);
  assert.throws(() => decode(...args.with(3, last(ends, starts[count - 1] - 1))), RangeError);
  assert.throws(() => decode(...args.with(2, last(starts, NONE))), RangeError);
  assert.equal(decode(...args), count);
  return { count, payloads, rows, dates };
}

function looksUp(addon, { count, payloads, rows }) {
  assert.throws(() => addon.createCardHasher(new Uint8Array(65)), RangeError);
  for (const wrong of WRONG) assert.throws(() => addon.createCardHasher(wrong), TypeError);
  const hasher = addon.createCardHasher(new Uint8Array(64));
  const filter = new Uint32Array(32).fill(NONE);
  const items = Uint32Array.from({ length: count }, (_, i) => i);
  const [hashes, answers] = [new Uint8Array(16 * count), new Uint8Array(count)];
  const args = [hasher, filter, 1_024, 7, payloads, rows, items, count, hashes, answers, 1];
  const lookUp = addon.lookUpCards;
  assert.equal(lookUp(...args), count);
  assert.equal(lookUp(...args.with(1, new Uint32Array(32))), 0);
  assert.equal(lookUp(...args.with(1, inSharedMemory(filter))), count);
  assert.equal(lookUp(...args.map((value) => (isArray(value) ? inSharedMemory(value) : value))), count);
  assert.equal(lookUp(...args.with(10, 4)), count);
  refuses(lookUp, args, [1, 2, 5, 6, 7, 8, 9, 10]);
  for (const domain of [0, 2, 3, 5, NONE]) assert.throws(() => lookUp(...args.with(10, domain)), RangeError);
  for (const bits of [0, 1, 513, 1_536, 2 ** 52])
    assert.throws(() => lookUp(...args.with(2, bits)), RangeError);
  assert.throws(
    () =>
      lookUp(
        ...args.with(
          6,
          items.map(() => count),
        ),
      ),
    RangeError,
  );
  assert.throws(
    () =>
      lookUp(
        ...args.with(
          6,
          items.map(() => NONE),
        ),
      ),
    RangeError,
  );
  assert.throws(() => lookUp(...args.with(4, payloads.slice(0, 9))), RangeError);
  // The handle of another kind is none.
  assert.throws(() => lookUp(...args.with(0, addon.createRecogniser())), TypeError);
}

function writes(addon, { count, payloads, rows, dates }) {
  const [reasons, holds] = [new Uint8Array(count), Uint8Array.from({ length: count }, (_, i) => i % 2)];
  const texts = (text) => [exactly(Buffer.from(text)), Uint32Array.of(text.length)];
  const tail = exactly(Buffer.from('}'));
  const [out, ends] = [new Uint8Array(16_384), new Uint32Array(count)];
  const args = [
    payloads,
    rows,
    dates,
    reasons,
    holds,
    ...texts('{"a":1'),
    ...texts('"kid":"a"'),
    tail,
    0,
    count,
    out,
    0,
    ends,
  ];
  const write = addon.writeAnswers;
  const used = write(...args);
  assert.equal(used, ends[count - 1]);
  for (let i = 0; i < count; i++)
    JSON.parse(Buffer.from(out.subarray(i === 0 ? 0 : ends[i - 1], ends[i])).toString());
  assert.equal(write(...args.with(10, count)), 0);
  for (const room of [0, 1, 100, 300, 500, used - 1, used]) {
    assert.throws(() => write(...args.with(12, new Uint8Array(room))), RangeError, `${room} bytes`);
  }
  for (const at of [out.length, out.length + 1, 2 ** 53 - 1])
    assert.throws(() => write(...args.with(13, at)), RangeError);
  refuses(write, args, [1, 2, 3, 4, 6, 8, 10, 11, 13, 14]);
  for (const [place, value] of [
    [0, 9],
    [5, 1],
    [7, 1],
  ])
    assert.throws(() => write(...args.with(place, args[place].slice(0, value))), RangeError);
  for (const code of [1, 255])
    assert.throws(
      () =>
        write(
          ...args.with(
            3,
            reasons.map(() => code),
          ),
        ),
      RangeError,
    );
  for (const exp of [-1, Number.NaN, 2 ** 53, Infinity])
    assert.throws(
      () =>
        write(
          ...args.with(
            2,
            dates.map(() => exp),
          ),
        ),
      RangeError,
    );
  assert.equal(write(...args.map((value) => (isArray(value) ? inSharedMemory(value) : value))), used);
}

function scans(addon) {
  const bodies = [
    '{"credential":"a","audience":"b","holderProof":"p","nonce":"n"}',
    'bare',
    '{"credential":1}',
    '{}',
    '',
  ].map((text) => Buffer.from(text));
  const count = bodies.length;
  let end = 0;
  const ends = Uint32Array.from(bodies, ({ length }) => (end += length));
  const starts = Uint32Array.from(bodies, ({ length }, i) => ends[i] - length);
  const all = exactly(Buffer.concat(bodies));
  const fresh = () => [
    all,
    starts.slice(),
    ends.slice(),
    Uint8Array.of(1, 0, 1, 1, 1),
    count,
    ...Array.from({ length: 6 }, () => new Uint32Array(count)),
  ];
  assert.equal(addon.scanSingles(...fresh()), 2);
  assert.equal(
    addon.scanSingles(...fresh().map((value) => (isArray(value) ? inSharedMemory(value) : value))),
    2,
  );
  refuses(
    (...args) => addon.scanSingles(...args.map((value) => (isArray(value) ? value.slice() : value))),
    fresh(),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
  assert.throws(
    () =>
      addon.scanSingles(
        ...fresh().with(
          2,
          ends.map(() => all.length + 1),
        ),
      ),
    RangeError,
  );
  assert.throws(
    () =>
      addon.scanSingles(
        ...fresh().with(
          1,
          starts.map(() => NONE),
        ),
      ),
    RangeError,
  );

  for (const [place, text, rest] of [
    [2, 'x"a","b"]', 1],
    [0, 'xa\nb\nc', 1],
  ]) {
    const bytes = exactly(Buffer.from(text));
    const words = (room) => new Uint32Array(room);
    const args = (room) => [
      bytes,
      1,
      text.length,
      place,
      ...Array.from({ length: 4 }, () => words(room)),
      room,
      100,
      words(3),
    ];
    for (const [room, count] of [
      [2, 2],
      [1, 1],
      [0, 0],
    ]) {
      assert.equal(addon.scanBatch(...args(room)), count);
    }
    const stand = words(3);
    assert.equal(addon.scanBatch(...args(2).with(10, stand)), 2);
    assert.equal(stand[0], text.length - rest);
    assert.equal(
      addon.scanBatch(...args(2).map((value) => (isArray(value) ? inSharedMemory(value) : value))),
      2,
    );
    for (const [at, wrong] of [
      [1, text.length + 1],
      [2, text.length + 1],
      [3, 5],
      [4, words(1)],
      [5, words(1)],
      [6, words(1)],
      [7, words(1)],
      [10, words(2)],
    ]) {
      assert.throws(() => addon.scanBatch(...args(2).with(at, wrong)), RangeError);
    }
    refuses(addon.scanBatch, args(2), []);
  }
  // Nothing but a chunk of the parser's has anything behind it to be looked at: of all others nobody can tell.
  for (const wrong of [...WRONG, new Uint8Array(4), new ArrayBuffer(0), new SharedArrayBuffer(4)]) {
    assert.equal(addon.standsBehind(wrong), 2);
  }
}

export function testBulk(addon) {
  const decoded = decodes(addon);
  looksUp(addon, decoded);
  writes(addon, decoded);
  scans(addon);
}
