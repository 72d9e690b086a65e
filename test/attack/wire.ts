/** Cases that are bytes on one connection, and what they are made of. */
import { head, type RawOptions } from '../support/raw-http.ts';
import type { AttackCase } from './attack-case.ts';
import { type AttackTarget, PAYLOAD_MARK } from './attack-target.ts';
import { described } from './described.ts';

export const POST = 'POST /v1/verify HTTP/1.1';
export const HOST = 'Host: gateway.example';
export const JSON_TYPE = 'Content-Type: application/json';
/** What the framing guard answers. */
export const GUARD = '400 bad-framing, closed';
/** The parser could not read a head whole, and dropped the connection after its idle timeout. */
export const DROPPED = 'no answer, closed';

/** The envelope of an honest call. */
export function envelope({ good }: AttackTarget): string {
  return JSON.stringify({ credential: good });
}

/** A whole honest request; header lines may take the place of its own Content-Length. */
export function post(target: AttackTarget, lines?: readonly string[], body = envelope(target)): string {
  const framing = lines ?? [`Content-Length: ${Buffer.byteLength(body)}`];
  return head(POST, HOST, JSON_TYPE, `X-Mark: ${PAYLOAD_MARK}`, ...framing) + body;
}

export function length(target: AttackTarget): string {
  return `Content-Length: ${envelope(target).length}`;
}

export interface WireCase {
  readonly number: number;
  readonly name: string;
  /** For the table; the request's own beginning tells little. */
  readonly sent: string;
  readonly expected: string;
  /** One piece for each segment. */
  bytes(target: AttackTarget): string | Uint8Array | readonly (string | Uint8Array)[];
  readonly options?: RawOptions;
  /** Where it waits for more than the answers tell. */
  readonly beside?: 'waits';
}

/** What came, and how the connection ended: one that is said to be open is asked for something more, and answers. */
export function onTheWire({ bytes, options, beside, ...one }: WireCase): AttackCase {
  const isOpen = one.expected.endsWith(', open');
  const count = one.expected.startsWith('no answer') ? 0 : one.expected.split(' + ').length;
  return {
    ...one,
    // What the parser drops or the gateway gives up on takes its timeout.
    beside: beside ?? (count === 0 || one.expected.startsWith('408') ? 'waits' : undefined),
    run: async (target) => {
      const sent = bytes(target);
      const pieces = typeof sent === 'string' || sent instanceof Uint8Array ? [sent] : sent;
      if (!isOpen) {
        return described(await target.send(pieces, { answers: count, untilClosed: true, ...options }));
      }
      const { answers, closed } = await target.send(pieces, { answers: count, probe: PROBE, ...options });
      const isProbed = answers.at(-1)?.body === '{"alive":true}';
      return described({ answers: isProbed ? answers.slice(0, -1) : answers, closed: closed || !isProbed });
    },
  };
}

const PROBE = head('GET /healthz HTTP/1.1', HOST);

/** A whole request, of which the table shows the first line. */
export function whole(
  number: number,
  name: string,
  expected: string,
  request: string | ((target: AttackTarget) => string),
): AttackCase {
  const bytes = typeof request === 'string' ? () => request : request;
  const sent = typeof request === 'string' ? (request.split('\r\n')[0] ?? name) : name;
  return onTheWire({ number, name, sent, expected, bytes });
}

/** A POST that is refused on its head, and nothing behind it looked at. */
export function refused(
  number: number,
  name: string,
  lines: (target: AttackTarget) => readonly string[],
  body?: string,
  expected = GUARD,
): AttackCase {
  const next = head('GET /healthz HTTP/1.1', HOST);
  return onTheWire({
    number,
    name,
    sent: name,
    expected,
    bytes: (target) => `${post(target, lines(target), body)}${next}`,
  });
}
