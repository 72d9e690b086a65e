/** Request ids: echoed when the caller sent one that is fit to stand in a header and a log, else made here. */
import { randomBytes } from 'node:crypto';
import { LIMITS } from '../config.ts';

const ECHOABLE = new RegExp(`^[\\x21-\\x7e]{1,${LIMITS.requestIdChars}}$`);

/** A source of ids unique to this thread's life: a random prefix and a counter. */
export function createRequestIds(): (sent: string | undefined) => string {
  const prefix = randomBytes(9).toString('base64url');
  let count = 0;
  return (sent) => {
    if (sent !== undefined && ECHOABLE.test(sent)) return sent;
    count++;
    return `${prefix}-${count.toString(36)}`;
  };
}
