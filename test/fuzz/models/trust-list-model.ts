/** The trust list by its description (docs), checked by hand: no schema library, no strict reader of the gateway's. */
import { base64urlOf, hasOnly, isObject, type Members, objectOf } from './strict-text.ts';

export interface ModelIssuer {
  readonly iss: string;
  /** Each as `[kid, x, nbf, exp]`. */
  readonly keys: readonly (readonly unknown[])[];
  readonly holderProof: unknown;
  readonly audiences: unknown;
  readonly rights: unknown;
}
export interface ModelList {
  readonly version: number;
  readonly issuers: readonly ModelIssuer[];
}

export function modelTrustList(bytes: Buffer): ModelList | undefined {
  const list = objectOf(bytes);
  if (list === undefined || !hasOnly(list, ['version', 'issuers'])) return undefined;
  const { version, issuers } = list;
  if (!Number.isSafeInteger(version) || (version as number) < 0) return undefined;
  const read = arrayOf(issuers, 1, 1_000, issuerOf);
  if (read === undefined || !areDifferent(read.map(({ iss }) => iss))) return undefined;
  return { version: version as number, issuers: read };
}

function issuerOf(value: unknown): ModelIssuer | undefined {
  const names = ['iss', 'keys', 'holderProof', 'audiences', 'rights'];
  if (!isObject(value) || !hasOnly(value, names) || !isText(value.iss, 1_024)) return undefined;
  const keys = arrayOf(value.keys, 1, 10_000, keyOf);
  if (keys === undefined || !areDifferent(keys.map(([kid]) => kid))) return undefined;
  const holderProof = memberOf(value, 'holderProof', 'none');
  const rights = memberOf(value, 'rights', 'ignore');
  const audiences = memberOf(value, 'audiences', []);
  if (!['none', 'optional', 'required'].includes(holderProof as string)) return undefined;
  if (!['ignore', 'check'].includes(rights as string)) return undefined;
  if (arrayOf(audiences, 0, 100, (text) => (isText(text, 1_024) ? text : undefined)) === undefined)
    return undefined;
  return { iss: value.iss, keys, holderProof, audiences, rights };
}

function keyOf(value: unknown): readonly unknown[] | undefined {
  if (!isObject(value) || !hasOnly(value, ['kty', 'crv', 'kid', 'x', 'nbf', 'exp'])) return undefined;
  const { kty, crv, kid, x } = value;
  if (kty !== 'OKP' || crv !== 'Ed25519' || !isText(kid, 256) || typeof x !== 'string') return undefined;
  if (base64urlOf(x)?.length !== 32) return undefined;
  const nbf = memberOf(value, 'nbf', undefined);
  const exp = memberOf(value, 'exp', undefined);
  const dates = [nbf, exp].filter((date) => date !== undefined);
  if (!dates.every((date) => typeof date === 'number' && Number.isFinite(date))) return undefined;
  if (dates.length === 2 && (nbf as number) >= (exp as number)) return undefined;
  return [kid, Buffer.from(x, 'base64url').toString('hex'), nbf, exp];
}

function isText(value: unknown, most: number): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= most &&
    Buffer.from(value).toString() === value
  );
}

function memberOf(value: Members, name: string, otherwise: unknown): unknown {
  return Object.hasOwn(value, name) ? value[name] : otherwise;
}

function arrayOf<Item>(
  value: unknown,
  least: number,
  most: number,
  read: (element: unknown) => Item | undefined,
): Item[] | undefined {
  if (!Array.isArray(value) || value.length < least || value.length > most) return undefined;
  const items = value.map(read);
  return items.every((item) => item !== undefined) ? items : undefined;
}

function areDifferent(names: readonly unknown[]): boolean {
  return new Set(names).size === names.length;
}

/** Whether the second list may take the place of the first. */
export function modelGuard(
  previous: ModelList,
  next: ModelList,
  allowShrink: boolean,
): 'new' | 'unchanged' | 'refused' {
  if (next.version < previous.version) return 'refused';
  if (next.version === previous.version)
    return meaningOf(next) === meaningOf(previous) ? 'unchanged' : 'refused';
  if (allowShrink) return 'new';
  const keys = (list: ModelList): string[] =>
    list.issuers.flatMap(({ iss, keys: own }) => own.map(([kid, x]) => JSON.stringify([iss, kid, x])));
  const isses = (list: ModelList): string[] => list.issuers.map(({ iss }) => iss);
  const isHalfGone = (before: string[], after: string[]): boolean =>
    before.filter((name) => after.includes(name)).length < before.length / 2;
  const shrinks = isHalfGone(isses(previous), isses(next)) || isHalfGone(keys(previous), keys(next));
  return shrinks ? 'refused' : 'new';
}

/** Sets have no order. */
function meaningOf({ issuers }: ModelList): string {
  const sorted = (values: readonly unknown[]): string[] =>
    values.map((value) => JSON.stringify(value)).sort();
  return JSON.stringify(
    sorted(
      issuers.map(({ keys, audiences, ...rest }) => ({
        ...rest,
        // JSON has no undefined, and writes null for it in arrays.
        keys: sorted(keys),
        audiences: sorted(audiences as unknown[]),
      })),
    ),
  );
}
