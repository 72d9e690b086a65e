/** Request ids: echoed when the caller sent one that is fit to stand in a header, else made here. */
import { randomBytes } from 'node:crypto';
import { LIMITS } from '../config.ts';

const ECHOABLE = new RegExp(`^[\\x21-\\x7e]{1,${LIMITS.requestIdChars}}$`);

/** A UUID, or 32 hexadecimal digits, as proxies make them. */
const OPAQUE = /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32})$/i;

/**
 * Whether an id that a caller sent may be logged. Others are echoed to the caller alone, because nobody knows what was
 * put into them.
 */
export function isOpaqueId(sent: string): boolean {
  return OPAQUE.test(sent);
}

/** The id of an answer as it may be logged: one that was made here, or an opaque one. */
export function loggableId(id: string, sent: string | undefined): string | undefined {
  return id !== sent || isOpaqueId(id) ? id : undefined;
}

/** Of a number to the base of 36: enough for more ids than a thread can make. */
const DIGITS = 10;

/** Ids by their numbers, unique to this thread's life: a random prefix, and the number, always as long. */
export function createNumberedIds(): (number: number) => string {
  const prefix = randomBytes(9).toString('base64url');
  return (number) => `${prefix}-${number.toString(36).padStart(DIGITS, '0')}`;
}

/** A source of ids: what was sent, or the next that is made here. */
export function createRequestIds(): (sent: string | undefined) => string {
  const idOf = createNumberedIds();
  let count = 0;
  return (sent) => (sent !== undefined && ECHOABLE.test(sent) ? sent : idOf(++count));
}
