/**
 * Holder proofs in bulk, by the addon compiled with sanitisers, under Node: decoded and named rightly, with arrays that
 * end where the last element does, in shared memory, and wrong in every argument. Called by addon-sanitised.mjs.
 */
import assert from 'node:assert/strict';
import { createHash, createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { exactly, inSharedMemory, isArray, refuses, WRONG } from './addon-arguments.mjs';

const ROW_WORDS = 16;
const PROOF_ROW_WORDS = 8;
const [CNF_START, OBJECT_LENGTHS] = [13, 15];
const NONE = 0xffffffff;
const ISSUER = 'https://issuer.example';
const COUNT = 12;

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const HEADER = encode({ alg: 'EdDSA', kid: 'a' });

function signed(header, claims, privateKey) {
  const input = `${header}.${encode(claims)}`;
  return Buffer.from(`${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`);
}

/** A card and its holder's proof; every third proof is of another card, and the proof of the last but one is not plain. */
function presentation(i) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const cnf = { jwk: { kty: 'OKP', crv: 'Ed25519', x: publicKey.export({ format: 'jwk' }).x } };
  const credential = signed(HEADER, { iss: ISSUER, jti: `card ${i}`, exp: i, cnf, rights: {} }, privateKey);
  const isOfCredential = i % 3 !== 1;
  const claims = {
    iat: 1_780_272_000 + i,
    aud: 'ö'.repeat(i),
    nonce: i === COUNT - 2 ? '\n' : 'n'.repeat(i),
    sd_hash: createHash('sha256')
      .update(isOfCredential ? credential : 'x')
      .digest('base64url'),
  };
  const proof = signed(encode({ alg: 'EdDSA', typ: 'kb+jwt' }), claims, privateKey);
  return { credential, proof, claims, isOfCredential, key: Buffer.from(cnf.jwk.x, 'base64url') };
}

/** Decoded credentials, with their proofs behind them in the same texts, up to the last byte. */
function present(addon) {
  const cards = Array.from({ length: COUNT }, (_, i) => presentation(i));
  const parts = [...cards.map(({ credential }) => credential), ...cards.map(({ proof }) => proof)];
  let end = 0;
  const allEnds = Uint32Array.from(parts, ({ length }) => (end += length));
  const allStarts = allEnds.map((at, i) => at - parts[i].length);
  const texts = exactly(Buffer.concat(parts));
  const [starts, proofStarts] = [allStarts.slice(0, COUNT), allStarts.slice(COUNT)];
  const [ends, proofEnds] = [allEnds.slice(0, COUNT), allEnds.slice(COUNT)];
  const recogniser = addon.createRecogniser();
  addon.recognise(recogniser, Buffer.from(HEADER), Buffer.from(ISSUER));
  const [payloads, rows] = [new Uint8Array(texts.length), new Uint32Array(ROW_WORDS * COUNT)];
  const made = [payloads, new Uint8Array(64 * COUNT), rows, new Float64Array(3 * COUNT)];
  assert.equal(addon.decodeCredentials(recogniser, texts, starts, ends, COUNT, 65_536, ...made), COUNT);
  const items = Uint32Array.from({ length: COUNT }, (_, i) => i);
  const proofPayloads = new Uint8Array(texts.length);
  const [signatures, keys] = [new Uint8Array(64 * COUNT), new Uint8Array(32 * COUNT)];
  const written = [new Uint32Array(PROOF_ROW_WORDS * COUNT), new Float64Array(COUNT)];
  const read = [texts, starts, ends, proofStarts, proofEnds, items, COUNT, payloads, rows];
  return { cards, args: [...read, proofPayloads, signatures, keys, ...written] };
}

/** What was written at each place says of its item what the holder said. */
function judge(cards, args) {
  const [, , , proofStarts, , items, , , , payloads, signatures, keys, rows, dates] = args;
  const text = (from, to) => Buffer.from(payloads.slice(from, to)).toString();
  for (const [at, item] of items.entries()) {
    const { proof, claims, isOfCredential, key } = cards[item];
    const [isDecoded, inputEnd, audStart, audEnd, nonceStart, nonceEnd, isOf] = rows.slice(
      PROOF_ROW_WORDS * at,
    );
    assert.equal(isDecoded, item === COUNT - 2 ? 0 : 1);
    if (isDecoded === 0) continue;
    assert.equal(inputEnd - proofStarts[item], proof.lastIndexOf('.'));
    assert.equal(text(audStart, audEnd), claims.aud);
    assert.equal(text(nonceStart, nonceEnd), claims.nonce);
    assert.equal(dates[at], claims.iat);
    assert.equal(isOf, isOfCredential ? 1 : 0);
    assert.deepEqual(Buffer.from(keys.slice(32 * at, 32 * at + 32)), key);
    const signature = Buffer.from(signatures.slice(64 * at, 64 * at + 64)).toString('base64url');
    assert.equal(signature, proof.toString().split('.')[2]);
  }
}

function decodes(addon) {
  const { cards, args } = present(addon);
  const decode = addon.decodeProofs;
  assert.equal(decode(...args), COUNT - 1);
  judge(cards, args);
  const inAnotherOrder = args.with(5, args[5].toReversed());
  assert.equal(decode(...inAnotherOrder), COUNT - 1);
  judge(cards, inAnotherOrder);
  const oneOnly = args.with(
    5,
    args[5].map(() => 3),
  );
  assert.equal(decode(...oneOnly), COUNT);
  judge(cards, oneOnly);
  // Room for payloads to the byte, a byte less, none.
  const rows = args[12];
  for (let room = 0; room < 600; room++) {
    const decoded = decode(...args.with(9, new Uint8Array(room)));
    assert.equal(decoded, rows.filter((word, i) => i % PROOF_ROW_WORDS === 0 && word === 1).length);
  }
  refuses(decode, args, [0, 1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 13]);
  for (const place of [0, 1, 2, 3, 4, 5, 7, 8])
    assert.throws(() => decode(...args.with(place, inSharedMemory(args[place]))), RangeError);
  const shared = args.map((value, place) => (place > 8 ? inSharedMemory(value) : value));
  assert.equal(decode(...shared), COUNT - 1);
  judge(cards, shared);
  const nothing = args.map((value) => (isArray(value) ? value.slice(0, 0) : 0));
  assert.equal(decode(...nothing), 0);
  assert.equal(decode(...args.with(6, 0)), 0);
  return args;
}

/** Places, of the last item, that lie beyond the arrays; or that lie about its `cnf`. */
function heldAgainstTheArrays({ decodeProofs: decode }, args) {
  const [texts, starts, , proofStarts] = args;
  const [payloads, fields] = [args[7], args[8]];
  const item = COUNT - 1;
  const with_ = (place, at, value) =>
    args.with(place, Object.assign(args[place].slice(), { [at]: value >>> 0 }));
  for (const [place, value] of [
    [1, NONE],
    [1, texts.length + 1],
    [2, texts.length + 1],
    [2, starts[item] - 1],
    [3, NONE],
    [3, texts.length + 1],
    [4, NONE],
    [4, proofStarts[item] - 1],
    [5, COUNT],
    [5, NONE],
  ])
    assert.throws(() => decode(...with_(place, item, value)), RangeError, `${value} in argument ${place}`);
  const row = ROW_WORDS * item;
  const start = fields[row + CNF_START];
  const lengths = fields[row + OBJECT_LENGTHS];
  const length = lengths & 0xffff;
  for (const [at, value] of [
    [OBJECT_LENGTHS, 0xffff],
    [OBJECT_LENGTHS, payloads.length - start + 1],
    [CNF_START, NONE],
    [CNF_START, NONE - length + 1],
    [CNF_START, payloads.length - length + 1],
  ])
    assert.throws(() => decode(...with_(8, row + at, value)), RangeError, `${value} in word ${at}`);
  // The claim may end where the payloads do, and no byte before.
  const cut = payloads.slice(0, start + length);
  assert.equal(decode(...args.with(7, cut)), COUNT - 1);
  assert.throws(() => decode(...args.with(7, cut.slice(0, -1))), RangeError);
  // Within the payloads, but no claim, or not the whole of it: left to the reference.
  for (const [at, value] of [
    [OBJECT_LENGTHS, 0],
    [OBJECT_LENGTHS, lengths - 1],
    [OBJECT_LENGTHS, lengths + 1],
    [CNF_START, start + 1],
    [CNF_START, 0],
    [CNF_START, payloads.length - length],
  ])
    assert.equal(decode(...with_(8, row + at, value)), COUNT - 2, `${value} in word ${at}`);
  // Nobody asks for the length of `rights` here; and a row that was not decoded says nothing at all.
  assert.equal(decode(...with_(8, row + OBJECT_LENGTHS, lengths | 0xffff0000)), COUNT - 1);
  const unread = with_(8, row, NONE);
  unread[8].fill(NONE, row);
  assert.equal(decode(...unread), COUNT - 2);
}

function names(addon) {
  for (const wrong of WRONG) assert.throws(() => addon.createProofHasher(wrong), TypeError);
  assert.throws(() => addon.createProofHasher(new Uint8Array(65)), RangeError);
  const identify = addon.identifyProofs;
  const texts = Uint8Array.from({ length: 700 }, (_, i) => i);
  const [starts, ends] = [Uint32Array.of(0, 700, 0, 1, 64, 572), Uint32Array.of(700, 700, 0, 56, 128, 700)];
  const count = starts.length;
  for (const length of [0, 1, 32, 64]) {
    const key = new Uint8Array(length).fill(7);
    const expected = Buffer.concat(
      [...starts].map((start, i) =>
        createHmac('sha256', key).update(texts.subarray(start, ends[i])).digest().subarray(0, 16),
      ),
    );
    for (const form of [(value) => value, inSharedMemory]) {
      const hasher = addon.createProofHasher(form(key));
      // Two by two, and the last of an odd number by itself.
      for (const asked of [count, count - 1, 1]) {
        const ids = form(new Uint8Array(16 * asked));
        assert.equal(identify(hasher, form(texts), form(starts), form(ends), asked, ids), undefined);
        assert.deepEqual(Buffer.from(ids.slice()), expected.subarray(0, 16 * asked));
      }
    }
  }
  const hasher = addon.createProofHasher(new Uint8Array(64));
  const args = [hasher, texts, starts, ends, count, new Uint8Array(16 * count)];
  refuses(identify, args, [1, 2, 3, 4, 5]);
  for (const other of [addon.createRecogniser(), addon.createCardHasher(new Uint8Array(64))])
    assert.throws(() => identify(...args.with(0, other)), TypeError);
  assert.throws(() => identify(...args.with(3, Uint32Array.of(700, 700, 0, 56, 128, 701))), RangeError);
  assert.throws(() => identify(...args.with(2, Uint32Array.of(0, 701, 0, 1, 64, 572))), RangeError);
  assert.throws(() => identify(...args.with(2, starts.fill(NONE, 5))), RangeError);
  identify(hasher, ...args.slice(1).map((value) => (isArray(value) ? value.slice(0, 0) : 0)));
  identify(...args.with(4, 0));
}

export function testProofs(addon) {
  heldAgainstTheArrays(addon, decodes(addon));
  names(addon);
}
