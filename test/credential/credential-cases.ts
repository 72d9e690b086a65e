/**
 * Random credentials for the decoder's fuzzer and the tests of the path: payloads of every shape that issuers write or
 * attackers might, as texts, so that nothing is smoothed by a serializer. Nothing here is anybody's.
 */
import type { Random } from '../signature/fuzz-cases.ts';
import { base64url } from '../support/synthetic-issuer.ts';

const TEXTS = ['', 'a', 'card-1', 'Åse Øst', '日本語', '💊', '\u007f', '\u2028', '\ufffd', '__proto__'];
/** As they may stand between quotes: some only a strict reader refuses. */
const RAW_TEXTS = [
  '\\u0041',
  '\\n',
  '\\"',
  '\\\\',
  '\\ud83d\\ude00',
  '\\ud800',
  '\n',
  '\t',
  '\0',
  '\\x',
  '"',
  '\\',
];
const NUMBERS = [
  '0',
  '1',
  '-1',
  '-0',
  '1.5',
  '1e3',
  '1E+3',
  '1e400',
  '-1e-400',
  '01',
  '1.',
  '.5',
  '+1',
  '9007199254740993',
];
const DATES = [
  '1780272000',
  '1780275600',
  '1780268400',
  '0',
  '999999999999999',
  '1000000000000000',
  '9999999999999999',
];
const WORDS = ['true', 'false', 'null', 'True', 'tru', 'undefined', 'NaN'];
const SPACES = ['', '', '', '', ' ', '  ', '\t', '\n', '\r\n', ' \t ', '\v', '\u00a0'];
const NAMES = [
  'iss',
  'jti',
  'sub',
  'aud',
  'exp',
  'nbf',
  'iat',
  'test',
  'typ',
  'x',
  '__proto__',
  'constructor',
  '',
  'vct',
];

export interface CaseOptions {
  readonly issuers: readonly string[];
}

/** A payload's text: well-formed and good more often than not, and wrong in every way at times. */
export function drawPayload(random: Random, { issuers }: CaseOptions): string {
  const isWild = random.below(3) === 0;
  const space = (): string => (isWild && random.below(4) === 0 ? random.pick(SPACES) : '');
  const members = goodMembers(random, issuers);
  for (let more = random.below(4); more > 0; more--)
    members.push([drawName(random, isWild), drawValue(random, isWild, 0)]);
  if (isWild) damage(random, members);
  const order = shuffled(random, members);
  const body = order
    .map(([name, value]) => `${space()}"${name}"${space()}:${space()}${value}${space()}`)
    .join(',');
  return `${space()}{${body}${isWild && order.length === 0 ? space() : ''}}${space()}`;
}

type Member = [name: string, value: string];

function goodMembers(random: Random, issuers: readonly string[]): Member[] {
  const members: Member[] = [
    ['iss', JSON.stringify(random.pick(issuers))],
    ['jti', JSON.stringify(random.pick(TEXTS.slice(1)))],
    ['exp', random.pick(DATES.slice(0, 5))],
  ];
  if (random.below(2) === 0) members.push(['sub', JSON.stringify(random.pick(TEXTS))]);
  if (random.below(3) === 0) members.push(['nbf', random.pick(DATES)]);
  if (random.below(3) === 0) members.push(['iat', random.pick(DATES)]);
  if (random.below(3) === 0) members.push(['aud', drawAudience(random)]);
  if (random.below(4) === 0) members.push(['test', random.pick(WORDS.slice(0, 3))]);
  return members;
}

function drawAudience(random: Random): string {
  const one = (): string => JSON.stringify(random.pick(['pharmacy-network', 'other', '', 'Åse']));
  const forms = [
    one,
    () => `[${one()}]`,
    () => `[${one()}, ${one()}]`,
    () => '[]',
    () => `[${one()},1]`,
    () => '{}',
    () => 'null',
  ];
  return random.pick(forms)();
}

function drawName(random: Random, isWild: boolean): string {
  if (isWild && random.below(6) === 0) return random.pick(['i\\u0073s', '\\u0065xp', ...RAW_TEXTS]);
  return random.below(isWild ? 3 : 12) === 0 ? random.pick(NAMES) : `claim-${random.below(50)}`;
}

function drawValue(random: Random, isWild: boolean, depth: number): string {
  const kind = random.below(depth > 6 ? 3 : 6);
  if (kind === 0) return random.pick(isWild ? NUMBERS : NUMBERS.slice(0, 9));
  if (kind === 1) return random.pick(isWild ? WORDS : WORDS.slice(0, 3));
  if (kind === 2) {
    const raw = isWild && random.below(3) === 0;
    return raw ? `"${random.pick(RAW_TEXTS)}"` : JSON.stringify(random.pick(TEXTS));
  }
  if (kind === 3) {
    const levels = random.pick(isWild ? [29, 30, 31, 32, 33] : [1, 2, 25]);
    return `${'['.repeat(levels)}${']'.repeat(levels)}`;
  }
  const count = random.below(4);
  const inner = Array.from({ length: count }, () => drawValue(random, isWild, depth + 1));
  if (kind === 4) return `[${inner.join(',')}]`;
  return `{${inner.map((value, i) => `"${random.below(8) === 0 ? 'same' : `m${i}`}":${value}`).join(',')}}`;
}

/** Takes a claim away, gives it twice, or gives it another type. */
function damage(random: Random, members: Member[]): void {
  const at = random.below(members.length);
  const [name] = members[at] as Member;
  const kind = random.below(4);
  if (kind === 0) members.splice(at, 1);
  else if (kind === 1) members.push([name, drawValue(random, true, 0)]);
  else if (kind === 2) members[at] = [name, drawValue(random, true, 0)];
}

function shuffled<Item>(random: Random, items: readonly Item[]): Item[] {
  const left = [...items];
  return items.map(() => left.splice(random.below(left.length), 1)[0] as Item);
}

/** Another byte, one less, one more, or two of them exchanged. */
export function mutateBytes(random: Random, bytes: Uint8Array): Buffer {
  const mutant = [...bytes];
  for (let changes = 1 + random.below(2); changes > 0; changes--) {
    const at = random.below(mutant.length + 1);
    const kind = random.below(4);
    if (kind === 0) mutant[at] = random.below(256);
    else if (kind === 1) mutant.splice(at, 1);
    else if (kind === 2)
      mutant.splice(at, 0, random.pick([0x22, 0x2c, 0x2e, 0x3a, 0x5c, 0x7b, 0x7d, random.below(256)]));
    else mutant.splice(at, 2, mutant[at + 1] ?? 0, mutant[at] ?? 0);
  }
  return Buffer.from(mutant);
}

/** The first two segments of a JWS: header text as given, payload drawn and, at times, changed by a byte. */
export function drawSigningInput(random: Random, header: string, options: CaseOptions): string {
  const payload = Buffer.from(drawPayload(random, options), 'utf8');
  return `${base64url(header)}.${base64url(random.below(5) === 0 ? mutateBytes(random, payload) : payload)}`;
}
