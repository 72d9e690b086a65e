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

/** The last two digits of a count to the base of 36. */
const ENDINGS = Array.from({ length: 36 ** 2 }, (_, i) => i.toString(36).padStart(2, '0'));

/** A source of ids unique to this thread's life: a random prefix and a counter, of which most digits are known beforehand. */
export function createRequestIds(): (sent: string | undefined) => string {
  const prefix = randomBytes(9).toString('base64url');
  let rounds = 0;
  let count = 0;
  let beginning = `${prefix}-`;
  return (sent) => {
    if (sent !== undefined && ECHOABLE.test(sent)) return sent;
    if (++count === ENDINGS.length) {
      count = 0;
      beginning = `${prefix}-${(++rounds).toString(36)}`;
    }
    return beginning + (ENDINGS[count] as string);
  };
}
