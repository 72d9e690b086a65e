/** Names that stand for others than one caller, in metrics or in the audit trail: nobody in a file may be called so. */
import { SHARED_NAME } from './caller-places.ts';

/** How whoever has the admin listener's one token, and whoever needs none, stands in the audit trail. */
export const TOKEN_HOLDER = 'admin-token';
export const LOCAL_USER = 'loopback';

export const RESERVED_NAMES = {
  data: [SHARED_NAME],
  admin: [TOKEN_HOLDER, LOCAL_USER],
} as const satisfies Record<string, readonly string[]>;
