/** What became of a command: its answer or, in few words, why there is none. */

/** Nobody answered, Redis said no, or what it said has not the form expected. */
export type FaultKind = 'unreachable' | 'refused' | 'malformed';

export interface Fault {
  readonly ok: false;
  readonly fault: FaultKind;
  /** Redis's error code or the client's, for the log; never a key or a value. */
  readonly code: string;
}

export type Result<T> = { readonly ok: true; readonly value: T } | Fault;

export function fault(kind: FaultKind, code: string): Fault {
  return { ok: false, fault: kind, code };
}

/** What `VIGIE_REDIS_URL` should say instead, where that is what is wrong. */
export const URL_FOR: Readonly<Record<string, string>> = {
  CLUSTERMODE:
    'Redis is in cluster mode: give its nodes as VIGIE_REDIS_URL=redis+cluster://host:port,host:port',
  NO_CLUSTER: 'Redis is not in cluster mode: give it as VIGIE_REDIS_URL=redis://host:port',
};

/**
 * Codes that may stand inside another message: up to Redis 6.2 an error within a script is wrapped in `ERR Error
 * running script …`.
 */
const WRAPPED =
  /[\s:-](READONLY|OOM|MISCONF|LOADING|NOPERM|NOAUTH|NOREPLICAS|MASTERDOWN|WRONGTYPE|MOVED|CLUSTERDOWN)\b/;

/**
 * Reads an error of ioredis. Only codes leave this function: messages quote users and keys, and ioredis hangs the
 * whole command, with its values, on the error.
 */
export function faultOf(error: unknown): Fault {
  if (!(error instanceof Error)) return fault('unreachable', 'CLOSED');
  if (error.name === 'ReplyError') {
    const code = replyCode(error.message);
    return fault(code === 'WRONGTYPE' || code === 'MALFORMED' ? 'malformed' : 'refused', code);
  }
  const code = (error as NodeJS.ErrnoException).code;
  if (typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code)) return fault('unreachable', code);
  if (error.message === 'Command timed out') return fault('unreachable', 'TIMEOUT');
  if (error.message.startsWith('All sentinels')) return fault('unreachable', 'NO_SENTINEL');
  return fault('unreachable', 'CLOSED');
}

function replyCode(message: string): string {
  // To a client it does not know, Redis refuses long commands before it asks who is there.
  if (message.includes('unauthenticated')) return 'NOAUTH';
  const code = /^[A-Z][A-Z0-9_]{1,40}(?= |$)/.exec(message)?.[0] ?? 'ERR';
  return code === 'ERR' ? (WRAPPED.exec(message)?.[1] ?? code) : code;
}
