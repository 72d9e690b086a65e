/** Wiring of the trust list: settings to a keeper, and the keeper to the workers. */
import { join } from 'node:path';
import { readBoundedFile } from '../bounded-file.ts';
import type { Clock } from '../clock.ts';
import { type Config, LIMITS } from '../config.ts';
import { createTrustKeeper } from '../keys/trust-keeper.ts';
import { TRUST_RETRY_MS, type TrustKeeper } from '../keys/trust-keeper-contract.ts';
import { parsePinnedKey } from '../keys/trust-signature.ts';
import { parseTrustSource } from '../keys/trust-source.ts';
import type { Log, LogFields } from '../log.ts';
import type { SignatureEngine } from '../signature/engine.ts';

const MAX_KEY_FILE_BYTES = 16 * 1024;

export interface TrustWiring {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  /** Judges the signature of a signed list. */
  readonly engine: SignatureEngine;
  isRetired(iss: string, kid: string): boolean;
}

/** A keeper ready to start, or the setting that is wrong. `location` is a file or a URL. */
export async function wireTrustKeeper(
  location: string,
  { config, clock, log, engine, isRetired }: TrustWiring,
): Promise<{ ok: true; keeper: TrustKeeper } | { ok: false; error: string }> {
  const parsed = parseTrustSource(location);
  if (!parsed.ok) return { ok: false, error: `VIGIE_TRUST_LIST: ${parsed.error}` };
  const publicKey = await readPinnedKey(config.trustListKeyFile);
  if (typeof publicKey === 'string') return { ok: false, error: `VIGIE_TRUST_LIST_KEY_FILE: ${publicKey}` };
  const verify = (key: Uint8Array, signature: Uint8Array, message: Uint8Array): boolean =>
    engine.verify([{ publicKey: key, signature, message }])[0] === 1;
  const keeper = createTrustKeeper({
    ...TRUST_RETRY_MS,
    source: parsed.source,
    maxBytes: config.trustListMaxBytes,
    deadlineMs: config.trustListTimeoutMs,
    refreshMs: config.trustListRefreshSeconds * 1000,
    unknownKeyRefreshMs: LIMITS.unknownKeyRefreshMs,
    lastKnownGoodFile: join(config.dataDir, 'trust-list.last-known-good'),
    clock,
    random: Math.random,
    log: (event, fields) => log(event === 'trust_list_taken' ? 'info' : 'warn', event, fields as LogFields),
    isRetired,
    ...(publicKey === undefined ? {} : { pinned: { publicKey, verify } }),
  });
  return { ok: true, keeper };
}

/** The pinned key, or in a string what is wrong with its file. */
async function readPinnedKey(file: string | undefined): Promise<Uint8Array | string | undefined> {
  if (file === undefined) return undefined;
  const read = await readBoundedFile(file, MAX_KEY_FILE_BYTES);
  if (!read.ok) return read.fault;
  const parsed = parsePinnedKey(read.bytes);
  return parsed.ok ? parsed.publicKey : parsed.fault;
}
