/** Changes of a list of callers, as an operator makes them; each gives a new list or says why not. */
import { CALLER_NAME, type Caller, MOST_KEYS, type Quota, type Scope } from './caller-list.ts';

export type ChangedList =
  | { readonly ok: true; readonly callers: readonly Caller[] }
  | { readonly ok: false; readonly fault: string };

export interface NewKey {
  /** base64url (`hashAccessKey`). */
  readonly hash: string;
  /** Seconds since the epoch. */
  readonly expiresAt: number | undefined;
}

export function addCaller(
  callers: readonly Caller[],
  name: string,
  scopes: readonly Scope[],
  quota: Quota | undefined,
  key: NewKey,
): ChangedList {
  if (!CALLER_NAME.test(name)) {
    return { ok: false, fault: 'a name is 1 to 63 lower case letters, digits and -, the first no -' };
  }
  if (callers.some((caller) => caller.name === name)) {
    return { ok: false, fault: `${name} is there already; a new key is made by rotate` };
  }
  return { ok: true, callers: [...callers, { name, scopes, quota, keys: [key] }] };
}

/** The new key works beside the last one, which is dropped at the next turn; of two, the older one goes now. */
export function rotateKey(callers: readonly Caller[], name: string, key: NewKey): ChangedList {
  return changeCaller(callers, name, (caller) => ({
    ...caller,
    keys: [...caller.keys, key].slice(-MOST_KEYS),
  }));
}

/** Leaves the last key alone in force. */
export function retireOldKeys(callers: readonly Caller[], name: string): ChangedList {
  return changeCaller(callers, name, (caller) => ({ ...caller, keys: caller.keys.slice(-1) }));
}

export function removeCaller(callers: readonly Caller[], name: string): ChangedList {
  const left = callers.filter((caller) => caller.name !== name);
  return left.length < callers.length ? { ok: true, callers: left } : nobody(name);
}

/** The file that says so. */
export function renderCallerList(callers: readonly Caller[]): string {
  // Members that are undefined are left out, as the strict schema wants it.
  return `${JSON.stringify({ callers }, null, 2)}\n`;
}

function changeCaller(
  callers: readonly Caller[],
  name: string,
  change: (caller: Caller) => Caller,
): ChangedList {
  if (!callers.some((caller) => caller.name === name)) return nobody(name);
  return { ok: true, callers: callers.map((caller) => (caller.name === name ? change(caller) : caller)) };
}

function nobody(name: string): ChangedList {
  return { ok: false, fault: `nobody there is called ${CALLER_NAME.test(name) ? name : 'so'}` };
}
