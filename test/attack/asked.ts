/** Cases that are one credential, or a few, and the reasons that they get. */
import { head, type RawAnswer } from '../support/raw-http.ts';
import { credential, goodClaims, type Signer } from '../support/synthetic-issuer.ts';
import type { AttackCase } from './attack-case.ts';
import { type AttackTarget, PAYLOAD_MARK } from './attack-target.ts';
import { describedAnswer, gistOf } from './described.ts';
import { HOST } from './wire.ts';

export const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** Claims that are good now, with the mark that no log may have. */
export const claims = (more: Record<string, unknown> = {}): Record<string, unknown> =>
  goodClaims({ mark: PAYLOAD_MARK, ...more }, nowSeconds());

export interface Ask {
  readonly path?: string;
  readonly type?: string;
  /** Header lines beside those that every call has. */
  readonly lines?: readonly string[];
  /** Sent in front of it, a byte for each character. */
  readonly before?: string;
}

/** A whole POST on a connection of its own; content that is no text goes as JSON. */
export async function ask(
  target: AttackTarget,
  content: unknown,
  { path = '/v1/verify', type = 'application/json', lines = [], before = '' }: Ask = {},
): Promise<RawAnswer> {
  const body = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
  const framing = [HOST, `Content-Type: ${type}`, `Content-Length: ${body.length}`];
  const start = before + head(`POST ${path} HTTP/1.1`, ...framing, ...lines);
  const { answers } = await target.send([start, body]);
  const [answer] = answers;
  if (answer === undefined) throw new Error('closed without an answer');
  return answer;
}

/** The reason, or what was wrong with the call. */
export async function gistFor(target: AttackTarget, envelope: object): Promise<string> {
  const answer = await ask(target, envelope);
  return answer.status === 200 ? gistOf(answer.body) : describedAnswer(answer);
}

export const reasonFor = (target: AttackTarget, text: string): Promise<string> =>
  gistFor(target, { credential: text });

/** The reasons of a batch, in order. */
export async function reasonsOf(target: AttackTarget, credentials: readonly unknown[]): Promise<string[]> {
  const answer = await ask(target, { credentials }, { path: '/v1/verify/batch' });
  if (answer.status !== 200) throw new Error(`a batch is answered ${describedAnswer(answer)}`);
  const { results } = JSON.parse(answer.body) as { results: { reason: string }[] };
  return results.map(({ reason }) => reason);
}

/** One credential alone, and as an item beside a good one: the same reason, and the neighbour's. */
export function asked(
  number: number,
  name: string,
  expected: string,
  make: (target: AttackTarget) => string,
  sent = name,
): AttackCase {
  return {
    number,
    name,
    sent,
    expected,
    run: async (target) => {
      const text = make(target);
      const alone = await reasonFor(target, text);
      const [inBatch, neighbour] = await reasonsOf(target, [text, target.good]);
      if (neighbour !== 'ok') return `${alone}, and its neighbour ${neighbour}`;
      return inBatch === alone ? alone : `${alone} alone, ${inBatch} in a batch`;
    },
  };
}

/** A good credential but for members of its header, or for the header's whole text. */
export function header(
  number: number,
  name: string,
  expected: string,
  more: Record<string, unknown> | string,
  signer?: Signer,
): AttackCase {
  const text = typeof more === 'string' ? more : JSON.stringify(more);
  const make = () => credential({ payload: claims(), header: more, ...(signer && { signer }) });
  return asked(number, name, expected, make, `header ${text}`);
}

/** A good credential but for some claims, or for the payload's whole text. */
export function payload(
  number: number,
  name: string,
  expected: string,
  more: Record<string, unknown> | string | (() => Record<string, unknown> | string),
): AttackCase {
  const content = (): unknown => {
    const given = typeof more === 'function' ? more() : more;
    return typeof given === 'string' ? given : claims(given);
  };
  const sent = typeof more === 'object' ? `claims ${JSON.stringify(more)}` : name;
  return asked(number, name, expected, () => credential({ payload: content() }), sent);
}

/** A good payload's text with one member more, spelt as given. */
export const spelt = (member: string) => (): string => `${JSON.stringify(claims()).slice(0, -1)},${member}}`;
