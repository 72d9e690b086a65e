/** The settings of the shared log, in the form in which it is opened: checked in full before anything connects. */
import type { Config } from '../config.ts';
import { type RedisCredentials, readRedisCredentials } from '../redis/credentials.ts';
import { parseRedisUrl, type RedisTarget } from '../redis/target.ts';

export interface RedisSettings {
  readonly target: RedisTarget;
  readonly credentials: RedisCredentials;
  readonly prefix: string;
  readonly waitReplicas: number;
  readonly waitMs: number;
  readonly timeoutMs: number;
}

export type RedisSettingsResult =
  | { readonly ok: true; readonly settings: RedisSettings }
  | { readonly ok: false; readonly errors: readonly string[] };

/** Errors name settings and files, never what stands in them. */
export function readRedisSettings(redisUrl: string, config: Config): RedisSettingsResult {
  const parsed = parseRedisUrl(redisUrl);
  if (!parsed.ok) return { ok: false, errors: [parsed.error] };
  const files = {
    passwordFile: config.redisPasswordFile,
    sentinelPasswordFile: config.redisSentinelPasswordFile,
    caFile: config.redisCaFile,
    certFile: config.redisCertFile,
    keyFile: config.redisKeyFile,
  };
  const read = readRedisCredentials(files, parsed.target.tls);
  if (!read.ok) return read;
  return {
    ok: true,
    settings: {
      target: parsed.target,
      credentials: read.credentials,
      prefix: config.redisPrefix,
      waitReplicas: config.redisWaitReplicas,
      waitMs: config.redisWaitMs,
      timeoutMs: config.redisTimeoutMs,
    },
  };
}
