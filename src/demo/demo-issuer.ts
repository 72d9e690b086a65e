/**
 * The demo issuer: what a gateway without a trust list trusts, so that a newcomer's first call succeeds.
 *
 * It cannot be mistaken for a real one: its name ends in `.invalid` (RFC 6761 section 6.4), and its
 * credentials carry `"test": true`, which every gateway with a trust list refuses (`test_credential`).
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, parseStrictJsonBytes } from '../encoding/strict-json.ts';
import { makePrivateDirectory, replacePrivateFile } from '../issuer/private-file.ts';
import { signCredential } from '../issuer/sign-credential.ts';
import {
  generateSigningKey,
  readSigningKeyFile,
  type SigningKey,
  writeSigningKeyFile,
} from '../issuer/signing-key.ts';

export const DEMO_ISS = 'https://demo-issuer.vigie.invalid';

export interface DemoIssuer {
  readonly iss: string;
  /** A trust list that names this issuer alone. */
  readonly trustListFile: string;
  readonly signingKey: SigningKey;
}

const DEMO_KID = 'demo';

/**
 * The demo issuer of a data directory, made at first use and the same ever after: a credential that was
 * printed yesterday still verifies today.
 *
 * @throws when its files cannot be written, or are there but damaged: the start stops rather than trust a
 * key that nobody holds.
 */
export function ensureDemoIssuer(dataDir: string): DemoIssuer {
  const directory = join(dataDir, 'demo');
  const keyFile = join(directory, 'demo-issuer-private-jwk.json');
  const trustListFile = join(directory, 'trust-list.json');
  makePrivateDirectory(directory);
  if (!existsSync(keyFile)) writeSigningKeyFile(keyFile, generateSigningKey(DEMO_KID));
  const read = readSigningKeyFile(keyFile);
  if (!read.ok) throw new Error(`demo issuer: ${read.fault}; remove it and another one is made`);

  const published = readPublished(trustListFile);
  if (published.x !== read.key.publicJwk.x) {
    // A list's version only grows, also when the key was lost and made anew.
    const list = {
      version: published.version + 1,
      issuers: [{ iss: DEMO_ISS, keys: [read.key.publicJwk] }],
    };
    replacePrivateFile(trustListFile, `${JSON.stringify(list)}\n`);
  }
  return { iss: DEMO_ISS, trustListFile, signingKey: read.key };
}

export interface DemoCredentialOptions {
  /** Wall time of issue, milliseconds since the epoch. */
  readonly nowMs: number;
  /** Default: a random UUID. */
  readonly jti?: string;
  /** Claims that replace the default ones, or stand beside them. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

const ONE_YEAR_SECONDS = 365 * 86_400;

/** A valid credential of the demo issuer, with invented claims that say so, good for one year. */
export function demoCredential(issuer: DemoIssuer, options: DemoCredentialOptions): string {
  return signCredential({ key: issuer.signingKey, claims: demoClaims(issuer.iss, options) });
}

/** The claims of {@link demoCredential}, for callers that sign them otherwise. */
function demoClaims(iss: string, options: DemoCredentialOptions): Record<string, unknown> {
  const nowSeconds = Math.floor(options.nowMs / 1000);
  return {
    iss,
    jti: options.jti ?? randomUUID(),
    sub: 'demo-holder-0001',
    iat: nowSeconds,
    exp: nowSeconds + ONE_YEAR_SECONDS,
    test: true,
    note: 'Synthetic credential for demonstrations: no person, no insurance.',
    given_name: 'Camille',
    family_name: 'EXEMPLE',
    regime: 'demo',
    ...options.claims,
  };
}

/** What the demo list says today; version 0 and no key when there is none, or none that can be read. */
function readPublished(trustListFile: string): { version: number; x: string | undefined } {
  if (!existsSync(trustListFile)) return { version: 0, x: undefined };
  const json = parseStrictJsonBytes(readFileSync(trustListFile));
  if (!json.ok || !isJsonObject(json.value)) return { version: 0, x: undefined };
  const { version, issuers } = json.value;
  const issuer = Array.isArray(issuers) ? issuers[0] : undefined;
  const keys = isJsonObject(issuer) ? issuer.keys : undefined;
  const key = Array.isArray(keys) ? keys[0] : undefined;
  const x = isJsonObject(key) && typeof key.x === 'string' ? key.x : undefined;
  return { version: typeof version === 'number' && Number.isSafeInteger(version) ? version : 0, x };
}
