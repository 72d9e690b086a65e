/** Cases that are one credential, or a few, and the reasons that they get. */
import { call } from '../support/call.ts';
import { credential, goodClaims, type Signer } from '../support/synthetic-issuer.ts';
import type { AttackCase } from './attack-case.ts';
import { type AttackTarget, PAYLOAD_MARK } from './attack-target.ts';
import { gistOf } from './described.ts';

export const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** Claims that are good now, with the mark that no log may have. */
export const claims = (more: Record<string, unknown> = {}): Record<string, unknown> =>
  goodClaims({ mark: PAYLOAD_MARK, ...more }, nowSeconds());

/** The reason, or what was wrong with the call. */
export async function gistFor({ gateway }: AttackTarget, envelope: object): Promise<string> {
  const { text } = await call(`${gateway.data}/v1/verify`, { body: envelope });
  return gistOf(text);
}

/** The reasons of a batch, in order. */
export async function reasonsOf(
  { gateway }: AttackTarget,
  credentials: readonly unknown[],
): Promise<string[]> {
  const { json } = await call<{ results: { reason: string }[] }>(`${gateway.data}/v1/verify/batch`, {
    body: { credentials },
  });
  return json.results.map(({ reason }) => reason);
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
      const alone = await gistFor(target, { credential: text });
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
