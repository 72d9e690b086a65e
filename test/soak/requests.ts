/** What a soak asks, each request with what its answer must be, to the card; built once and sent over and over. */
import { head } from '../support/raw-http.ts';
import { credential, goodClaims, tampered } from '../support/synthetic-issuer.ts';

export interface Ask {
  readonly name: string;
  readonly bytes: Buffer;
  /** Of the bytes so many are the head. */
  readonly headBytes: number;
  isRight(status: number, body: string): boolean;
}

export interface Asks {
  /** Answered in the turn in which they are read, so that others may stand behind them. */
  readonly singles: readonly Ask[];
  readonly batches: readonly Ask[];
  /** With an answer that no kernel takes at once. */
  readonly large: Ask;
}

const CARDS = 24;
const BATCH_ITEMS = 24;
const LARGE_ITEMS = 3_000;
/** By code, those that are asked for here. */
const REASON_OF: Readonly<Record<number, string>> = { 0: 'ok', 1: 'malformed', 7: 'bad_signature' };

function ask(
  name: string,
  path: string,
  type: string,
  body: string,
  isRight: Ask['isRight'],
  ...more: string[]
): Ask {
  const lines = [
    'Host: soak',
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...more,
  ];
  const top = head(`POST ${path} HTTP/1.1`, ...lines);
  return { name, bytes: Buffer.from(top + body), headBytes: top.length, isRight };
}

interface Item {
  readonly text: string;
  readonly card: string;
  readonly code: number;
}

/** Mostly good ones; every eighth is forged, and every eighth is none at all. */
function items(): Item[] {
  const nowSeconds = Math.floor(Date.now() / 1000);
  return Array.from({ length: CARDS }, (_, i) => {
    const card = `soak-card-${i}-end`;
    // Good for longer than a soak lasts.
    const text = credential({ payload: goodClaims({ jti: card, exp: nowSeconds + 86_400 }, nowSeconds) });
    if (i % 8 === 3) return { text: tampered(text), card, code: 7 };
    return i % 8 === 6 ? { text: text.slice(0, 40 + i), card, code: 1 } : { text, card, code: 0 };
  });
}

/** One answer says this of this item. */
const tells = (text: string, { card, code }: Item): boolean =>
  text.includes(`"reason":"${REASON_OF[code]}"`) && (code !== 0 || text.includes(`"${card}"`));

function singlesOf(all: readonly Item[]): Ask[] {
  const right =
    (item: Item): Ask['isRight'] =>
    (status, body) =>
      status === 200 && tells(body, item);
  return all.flatMap((item, i) => {
    const json = JSON.stringify({ credential: item.text });
    // Names with an escape are read by the strict parser alone.
    const escaped = json.replace('credential', 'cr\\u0065dential');
    return [
      ask('single, JSON', '/v1/verify', 'application/json', json, right(item)),
      ask('single, text', '/v1/verify', 'text/plain', item.text, right(item), `X-Request-Id: soak-${i}`),
      ask('single, escaped', '/v1/verify', 'application/json', escaped, right(item)),
    ];
  });
}

const PROBLEMS: readonly Ask[] = [
  ask('wrong envelope', '/v1/verify', 'application/json', '{"credential":1}', (status) => status === 400),
  ask('wrong type', '/v1/verify', 'image/png', '0123456789', (status) => status === 415),
  ask('no route', '/v1/nothing', 'text/plain', '0123456789', (status) => status === 404),
];

function batchesOf(all: readonly Item[]): Ask[] {
  const chosen = Array.from({ length: BATCH_ITEMS }, (_, i) => all[(5 * i) % all.length] as Item);
  const path = '/v1/verify/batch';
  const text = chosen.map((item) => item.text).join('\n');
  const json = JSON.stringify({ credentials: chosen.map((item) => item.text) });
  const objects = JSON.stringify({ credentials: chosen.map((item) => ({ credential: item.text })) }, null, 1);
  const bytes = String.fromCharCode(...chosen.map(({ code }) => code));
  const isBytes: Ask['isRight'] = (status, body) => status === 200 && body === bytes;
  const isJson: Ask['isRight'] = (status, body) => {
    if (status !== 200) return false;
    const { results } = JSON.parse(body) as { results: unknown[] };
    return (
      results.length === chosen.length &&
      results.every((one, i) => tells(JSON.stringify(one), chosen[i] as Item))
    );
  };
  const accept = 'Accept: application/octet-stream';
  return [
    ask('batch, lines to bytes', path, 'text/plain', text, isBytes, accept),
    ask('batch, JSON to bytes', path, 'application/json', json, isBytes, accept),
    ask('batch, objects to JSON', path, 'application/json', objects, isJson),
    ask('batch, wrong at its end', path, 'application/json', `${json} x`, (status) => status === 400),
  ];
}

function largeOf([item]: readonly Item[]): Ask {
  const body = `${(item as Item).text}\n`.repeat(LARGE_ITEMS);
  const isRight: Ask['isRight'] = (status, answer) =>
    status === 200 && answer.split('"reason":"ok"').length === LARGE_ITEMS + 1;
  return ask('batch, large', '/v1/verify/batch', 'text/plain', body, isRight);
}

export function makeAsks(): Asks {
  const all = items();
  return { singles: [...singlesOf(all), ...PROBLEMS], batches: batchesOf(all), large: largeOf(all) };
}

/** The same, each with these header lines more. */
export function withLines({ singles, batches, large }: Asks, ...lines: readonly string[]): Asks {
  const more = Buffer.from(lines.map((line) => `\r\n${line}`).join(''));
  const longer = (one: Ask): Ask => {
    // Before the empty line that ends the head.
    const at = one.headBytes - 4;
    const bytes = Buffer.concat([one.bytes.subarray(0, at), more, one.bytes.subarray(at)]);
    return { ...one, bytes, headBytes: one.headBytes + more.length };
  };
  return { singles: singles.map(longer), batches: batches.map(longer), large: longer(large) };
}

/** Singles of somebody without a key: each is refused, whatever it holds. */
export function withoutKey(asks: Asks): Asks {
  const isRight: Ask['isRight'] = (status, body) => status === 401 && body.includes('"unauthorized"');
  return judgedBy(asks, () => isRight);
}

/** Singles of somebody who asks for more than his quota; `onQuota` is told of each that is refused for it. */
export function beyondQuota(asks: Asks, onQuota: () => void): Asks {
  return judgedBy(asks, (one) => (status, body) => {
    if (status !== 429) return one.isRight(status, body);
    onQuota();
    return body.includes('"quota-exceeded"');
  });
}

/** Only those that are verified: problems of form may be found before or after who calls. */
function judgedBy({ singles, ...others }: Asks, judge: (one: Ask) => Ask['isRight']): Asks {
  const verified = singles.filter(({ name }) => name.startsWith('single'));
  return { ...others, singles: verified.map((one) => ({ ...one, isRight: judge(one) })) };
}
