/** The file of callers by its description (docs), checked by hand. */
import { base64urlOf, hasOnly, isObject, objectOf } from './strict-text.ts';

interface Bounds {
  readonly callers: number;
  readonly batchItems: number;
}

/** `undefined`: refused. */
export function modelCallers(bytes: Buffer, scopes: readonly string[], bounds: Bounds): object[] | undefined {
  const file = objectOf(bytes);
  if (file === undefined || !hasOnly(file, ['callers'])) return undefined;
  const { callers } = file;
  if (!Array.isArray(callers) || callers.length > bounds.callers) return undefined;
  const read = callers.map((caller) => callerOf(caller, scopes, bounds));
  if (!read.every((caller) => caller !== undefined)) return undefined;
  const hashes = read.flatMap(({ keys }) => keys.map(({ hash }) => hash));
  const names = read.map(({ name }) => name);
  const areDifferent = [hashes, names].every((values) => new Set(values).size === values.length);
  return areDifferent ? read : undefined;
}

function callerOf(value: unknown, scopes: readonly string[], { batchItems }: Bounds) {
  if (!isObject(value) || !hasOnly(value, ['name', 'scopes', 'quota', 'keys'])) return undefined;
  const { name, scopes: own, keys } = value;
  if (typeof name !== 'string' || !/^[a-z0-9](?:[a-z0-9-]{0,62})$/.test(name) || /\n/.test(name))
    return undefined;
  const reserved = scopes.includes('verify') ? ['other'] : ['admin-token', 'loopback'];
  if (reserved.includes(name)) return undefined;
  if (!Array.isArray(own) || own.length === 0 || !own.every((scope) => scopes.includes(scope)))
    return undefined;
  const quota = Object.hasOwn(value, 'quota') ? quotaOf(value.quota) : undefined;
  if (Object.hasOwn(value, 'quota') && quota === undefined) return undefined;
  if (quota !== undefined && own.includes('batch') && quota.burst < batchItems) return undefined;
  if (!Array.isArray(keys) || keys.length > 2) return undefined;
  const read = keys.map(keyOf);
  return read.every((key) => key !== undefined)
    ? { name, scopes: own as string[], quota, keys: read }
    : undefined;
}

function quotaOf(value: unknown): { perSecond: number; burst: number } | undefined {
  if (!isObject(value) || !hasOnly(value, ['perSecond', 'burst'])) return undefined;
  const { perSecond, burst } = value;
  if (typeof perSecond !== 'number' || !(perSecond >= 0.001 && perSecond <= 10_000_000)) return undefined;
  if (!Number.isInteger(burst) || (burst as number) < 1 || (burst as number) > 1_000_000_000)
    return undefined;
  return { perSecond, burst: burst as number };
}

function keyOf(value: unknown): { hash: string; expiresAt: number | undefined } | undefined {
  if (!isObject(value) || !hasOnly(value, ['hash', 'expiresAt'])) return undefined;
  const { hash } = value;
  if (typeof hash !== 'string' || base64urlOf(hash)?.length !== 32) return undefined;
  if (!Object.hasOwn(value, 'expiresAt')) return { hash, expiresAt: undefined };
  const { expiresAt } = value;
  const isDate = typeof expiresAt === 'number' && expiresAt >= 0 && Number.isFinite(expiresAt);
  return isDate ? { hash, expiresAt } : undefined;
}
