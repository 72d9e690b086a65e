/**
 * The trust list: schema, signature, keys and guard. The first byte of an input says what the rest is: a list in the clear, a
 * list that is signed here with the pinned key, a header (up to a zero byte) and a list that are signed with it, or the
 * bytes of a signed list as they come. Of what passes the keys are judged, and it is held against the list in force before it.
 */
import { sign } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Point } from '@noble/ed25519';
import { createKeyAdmission } from '../../../src/keys/key-admission.ts';
import { parseCandidate } from '../../../src/keys/trust-candidate.ts';
import { compareWithPrevious } from '../../../src/keys/trust-guard.ts';
import type { ParsedTrustList } from '../../../src/keys/trust-list-schema.ts';
import type { TrustList } from '../../../src/keys/trusted-key.ts';
import {
  encodeY,
  keyPair,
  P,
  signedList,
  smallOrderPoints,
  verifyWithNode,
} from '../../keys/trust-fixtures.ts';
import { hasPrimeOrder } from '../../signature/oracle.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { base64urlOf, objectOf } from '../models/strict-text.ts';
import { type ModelList, modelGuard, modelTrustList } from '../models/trust-list-model.ts';

const KINDS = 4;
const PINNED = keyPair('synthetic publisher of trust lists');
const RULES = { maxBytes: 1024 * 1024 };
const PINNED_RULES = { ...RULES, pinned: { publicKey: PINNED.raw, verify: verifyWithNode } };

const X = ['a', 'b', 'c'].map((label) => keyPair(label).x);
/** Keys that nobody may have: each small order, a point with a torsion part, another spelling of a y, and no point at all. */
const UNSOUND = [
  ...smallOrderPoints().map((point) => point.toBytes()),
  Point.BASE.add(smallOrderPoints()[1] as Point).toBytes(),
  ...[P, P + 1n, 2n].map((y) => encodeY(y)),
  encodeY(1n, 1n),
].map((bytes) => Buffer.from(bytes).toString('base64url'));
const key = (kid: string, x: string | undefined, rest = ''): string =>
  `{"kty":"OKP","crv":"Ed25519","kid":"${kid}","x":"${x}"${rest}}`;
const LISTS = [
  `{"version":1,"issuers":[{"iss":"https://a.example","keys":[${key('a', X[0])}]}]}`,
  `{"version":2,"issuers":[{"iss":"https://a.example","keys":[${key('a', X[0], ',"nbf":1,"exp":2')},${key('b', X[1])}],
    "holderProof":"required","audiences":["x","y"],"rights":"check"},{"iss":"https://b.example","keys":[${key('a', X[2])}]}]}`,
  `{"issuers":[{"keys":[${key('\\u0061', X[0])}],"iss":"Ö","audiences":[],"rights":"ignore","holderProof":"none"}],"version":0}`,
];
const WORDS = [
  ...[
    '"version"',
    '"issuers"',
    '"iss"',
    '"keys"',
    '"kty"',
    '"OKP"',
    '"crv"',
    '"Ed25519"',
    '"kid"',
    '"x"',
    '"nbf"',
    '"exp"',
  ],
  ...[
    '"holderProof"',
    '"none"',
    '"optional"',
    '"required"',
    '"audiences"',
    '"rights"',
    '"check"',
    '"ignore"',
    '"__proto__"',
  ],
  ...[
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"',
    '[]',
    '{}',
    'null',
    'true',
    '-0',
    '-1',
    '1.5',
    '1e400',
    '9007199254740992',
    '"\\ud800"',
  ],
  ...[
    '{"alg":"EdDSA"}\0',
    '"alg"',
    '"crit"',
    '"b64"',
    '"jwk"',
    '\0',
    '.',
    '\n',
    '=',
    '""',
    ...X,
    ...UNSOUND,
    `,${key('d', X[0])}`,
    `,${key('e', UNSOUND[1])}`,
  ],
  ...[
    '"https://a.example"',
    '"https://b.example"',
    '\u2028',
    '\ufeff',
    Uint8Array.of(0xff),
    Uint8Array.of(0xed, 0xa0, 0x80),
  ],
];

export function openTrustListTarget(): FuzzTarget {
  let accepted = 0;
  let previous: { readonly list: TrustList; readonly model: ModelList } | undefined;
  /** The guard's say on what passed, between any two lists in both directions. */
  const guardFault = (list: TrustList, model: ModelList): string | undefined => {
    const before = previous;
    previous = { list, model };
    if (before === undefined) return undefined;
    for (const allowShrink of [false, true]) {
      const said = compareWithPrevious(before.list, list, { allowShrink });
      const expected = modelGuard(before.model, model, allowShrink);
      if ((said.ok ? said.change : 'refused') !== expected)
        return `the guard says ${JSON.stringify(said)}, not ${expected}`;
    }
    return undefined;
  };
  const admission = createKeyAdmission();
  const known = new Map<string, boolean>();
  /** The first key that is not sound, wherever it stands, and no other; the gateway remembers sound ones, and so do we. */
  const keyFault = async (list: TrustList): Promise<string | undefined> => {
    const wrong = list.issuers.flatMap(({ keys }, i) =>
      keys.flatMap(({ publicKey }, k) => {
        const x = Buffer.from(publicKey).toString('hex');
        const isSound = known.get(x) ?? hasPrimeOrder(publicKey);
        known.set(x, isSound);
        return isSound ? [] : [`issuers[${i}].keys[${k}].x: `];
      }),
    );
    const said = await admission.check(list);
    const [first] = wrong;
    const same = said.ok ? first === undefined : first !== undefined && said.fault.startsWith(first);
    return same
      ? undefined
      : `of the keys the model refuses ${first}, the gateway says ${JSON.stringify(said)}`;
  };
  // The same list comes before each input, so that an input finds the same again.
  const first = parseCandidate(Buffer.from(LISTS[1] as string), RULES);
  const firstModel = modelTrustList(Buffer.from(LISTS[1] as string));
  return {
    words: WORDS,
    seeds: seeds(),
    accepted: () => accepted,
    run: async (input) => {
      if (!first.ok || firstModel === undefined) return 'the first list does not pass';
      previous = { list: first.list, model: firstModel };
      const kind = (input[0] ?? 0) % KINDS;
      const raw = rawOf(kind, input.subarray(1));
      const parsed = parseCandidate(raw, kind === 0 ? RULES : PINNED_RULES);
      const document = kind === 0 ? raw : signedPayload(raw);
      const model = document && modelTrustList(document);
      if (parsed.ok !== (model !== undefined))
        return `the model ${model ? 'accepts' : 'refuses'}: ${said(parsed)}`;
      if (!parsed.ok || model === undefined) return undefined;
      accepted++;
      if (!isDeepStrictEqual(plain(parsed.list), model)) return 'another list than the model';
      const step = guardFault(parsed.list, model) ?? guardFault(first.list, firstModel);
      return step ?? (await keyFault(parsed.list));
    },
  };
}

function rawOf(kind: number, rest: Buffer): Buffer {
  if (kind === 0 || kind === 3) return rest;
  const end = kind === 1 ? -1 : rest.indexOf(0);
  const header = end < 0 ? Buffer.from('{"alg":"EdDSA"}') : rest.subarray(0, end);
  const text = `${header.toString('base64url')}.${rest.subarray(end + 1).toString('base64url')}`;
  return Buffer.from(`${text}.${sign(null, Buffer.from(text), PINNED.privateKey).toString('base64url')}`);
}

/** What the pinned key has signed, by the rule for signed lists; `undefined`: nothing. */
function signedPayload(raw: Buffer): Buffer | undefined {
  const parts = raw.toString('latin1').replace(/\n$/, '').split('.');
  const [header, payload, signature] = parts.map(base64urlOf);
  if (parts.length !== 3 || header === undefined || payload === undefined || signature?.length !== 64)
    return undefined;
  const members = objectOf(header);
  if (members === undefined || !['EdDSA', 'Ed25519'].includes(members.alg as string)) return undefined;
  if (Object.keys(members).some((name) => /^(?:crit|b64|jwk|jku|x5c|x5u)$/.test(name))) return undefined;
  const signed = Buffer.from(`${parts[0]}.${parts[1]}`, 'latin1');
  return verifyWithNode(PINNED.raw, signature, signed) ? payload : undefined;
}

function plain({ version, issuers }: TrustList): ModelList {
  return {
    version,
    issuers: issuers.map(({ iss, keys, holderProof, audiences, rights }) => ({
      iss,
      keys: keys.map(({ kid, publicKey, nbf, exp }) => [
        kid,
        Buffer.from(publicKey).toString('hex'),
        nbf,
        exp,
      ]),
      holderProof,
      audiences,
      rights,
    })),
  };
}

function said(parsed: ParsedTrustList): string {
  return parsed.ok ? 'it passed' : `${parsed.reason}: ${parsed.fault}`;
}

function seeds(): Buffer[] {
  const of = (kind: number, rest: string): Buffer => Buffer.concat([Uint8Array.of(kind), Buffer.from(rest)]);
  return [
    ...LISTS.map((list) => of(0, list)),
    of(1, LISTS[0] as string),
    of(2, `{"alg":"Ed25519","kid":"p"}\0${LISTS[1]}`),
    ...UNSOUND.map((x) => of(0, (LISTS[1] as string).replace(X[1] as string, x))),
    of(3, `${signedList(LISTS[0], PINNED.privateKey)}\n`),
  ];
}
