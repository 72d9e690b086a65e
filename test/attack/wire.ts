/** Cases that are bytes on one connection, and what they are made of. */
import { head, type RawOptions } from '../support/raw-http.ts';
import type { AttackCase } from './attack-case.ts';
import { type AttackTarget, described, PAYLOAD_MARK } from './attack-target.ts';

export const POST = 'POST /v1/verify HTTP/1.1';
export const HOST = 'Host: gateway.example';
export const JSON_TYPE = 'Content-Type: application/json';

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
}

/** An answer, and whether the connection was closed behind it: waited for where the case expects it. */
export function onTheWire({ bytes, options, ...one }: WireCase): AttackCase {
  const untilClosed = one.expected.endsWith(', closed');
  const answers = one.expected.startsWith('no answer') ? 0 : one.expected.split(' + ').length;
  return {
    ...one,
    run: async (target) =>
      described(
        await target.send(bytes(target), { answers, untilClosed: untilClosed || answers === 0, ...options }),
      ),
  };
}
