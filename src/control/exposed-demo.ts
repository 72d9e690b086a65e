/**
 * A demo that others than this machine's programs reach. It starts, since who may call was said explicitly, and says in its
 * log, its announcement and to the doctor what that means: often it is a gateway whose trust list was forgotten.
 */
import type { Config } from '../config.ts';
import { isLoopback } from '../loopback.ts';

export const EXPOSED_DEMO =
  "no trust list is set (VIGIE_TRUST_LIST): a demo issuer's test credentials are accepted on an address that others reach";

export function isExposedDemo({ demo, host }: Config): boolean {
  return demo && !isLoopback(host);
}
