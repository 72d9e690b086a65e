/** A Lua script as Redis runs it. */
import { createHash } from 'node:crypto';

export interface Script {
  readonly text: string;
  /** Under which Redis keeps it (EVALSHA); lost at SCRIPT FLUSH, restart and failover, and then sent whole again. */
  readonly sha1: string;
}

export function defineScript(text: string): Script {
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}
