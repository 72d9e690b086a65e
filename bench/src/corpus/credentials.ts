/**
 * Input of the http and presence suites: distinct, valid, synthetic credentials, one a line, and the trust list that
 * admits them. Signing them takes a while, so they are kept between runs and made anew when they would soon expire.
 * The issuers' private keys never leave memory; those of synthetic holders are kept, since proofs must be fresh.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type HolderKey, makeHolderKey, storedForm } from './holder-keys.ts';

export interface Corpus {
  readonly credentialsFile: string;
  readonly trustListFile: string;
  /** The holders' keys in the order of the credentials; there only if these are held. */
  readonly holderKeysFile: string;
  readonly credentials: number;
  readonly issuerKeys: number;
  /** Characters of one credential; all have the same length. */
  readonly credentialChars: number;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

/** Counted up whenever the shape of the credentials changes, so that no old corpus is taken for a new one. */
const FORMAT = 1;
/** A nation's issuer has a few live keys at a time: the current one, its successor and what is being retired. */
const ISSUER_KEYS = 4;
export const ISSUER = 'https://issuer.bench.example';
/** In whose name holders' proofs are asked for. */
export const PHARMACY = 'https://pharmacy.bench.example';
const DAY_SECONDS = 86_400;
const LIFETIME_SECONDS = 30 * DAY_SECONDS;
const LINES_PER_WRITE = 1_000;

/** `held`: each credential names a holder's key of its own, and the issuer's policy looks at proofs that are shown. */
export type CorpusKind = 'credentials' | 'held-credentials';

/** Takes the corpus of `credentials` lines from `cacheDir`, or makes it there. */
export function prepareCorpus(
  cacheDir: string,
  credentials: number,
  say: (text: string) => void,
  kind: CorpusKind = 'credentials',
): Corpus {
  const dir = join(cacheDir, `${kind}-${FORMAT}-${credentials}`);
  const cached = readCorpus(dir);
  if (cached !== undefined && cached.expiresAt > Date.now() / 1000 + DAY_SECONDS) return cached;

  say(`making ${credentials} ${kind} (once; kept in ${cacheDir})`);
  // Made aside and renamed when whole: a run that is broken off leaves no half corpus to be believed later.
  const unfinished = `${dir}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  writeCorpus(unfinished, credentials, kind === 'held-credentials');
  rmSync(dir, { recursive: true, force: true });
  renameSync(unfinished, dir);
  return readCorpus(dir) as Corpus;
}

function readCorpus(dir: string): Corpus | undefined {
  const factsFile = join(dir, 'corpus.json');
  if (!existsSync(factsFile)) return undefined;
  return {
    ...JSON.parse(readFileSync(factsFile, 'utf8')),
    credentialsFile: join(dir, 'credentials.txt'),
    trustListFile: join(dir, 'trust-list.json'),
    holderKeysFile: join(dir, 'holder-keys.bin'),
  };
}

function writeCorpus(dir: string, credentials: number, isHeld: boolean): void {
  const issuedAt = Math.floor(Date.now() / 1000);
  const expiresAt = issuedAt + LIFETIME_SECONDS;
  const keys = Array.from({ length: ISSUER_KEYS }, (_, index) => makeIssuerKey(`bench-${index + 1}`));
  const file = openSync(join(dir, 'credentials.txt'), 'w');
  // Synthetic, and of use to nobody: they open nothing but the credentials beside them.
  const holdersFile = isHeld ? openSync(join(dir, 'holder-keys.bin'), 'w', 0o600) : undefined;
  let credentialChars = 0;
  for (let start = 0; start < credentials; start += LINES_PER_WRITE) {
    const holders = isHeld ? Array.from({ length: LINES_PER_WRITE }, makeHolderKey) : [];
    const lines = Array.from({ length: LINES_PER_WRITE }, (_, offset) => {
      const key = keys[(start + offset) % keys.length] as IssuerKey;
      return makeCredential(key, issuedAt, expiresAt, { holder: holders[offset] });
    });
    credentialChars = (lines[0] as string).length;
    writeSync(file, `${lines.join('\n')}\n`);
    if (holdersFile !== undefined) writeSync(holdersFile, Buffer.concat(holders.map(storedForm)));
  }
  closeSync(file);
  if (holdersFile !== undefined) closeSync(holdersFile);
  // Optional: a proof that is shown is checked whole, and plain credentials can be measured beside it.
  const policy = isHeld ? { holderProof: 'optional', audiences: [PHARMACY] } : {};
  const issuer = { iss: ISSUER, keys: keys.map(({ jwk }) => jwk), ...policy };
  const trustList = { version: 1, issuers: [issuer] };
  writeFileSync(join(dir, 'trust-list.json'), JSON.stringify(trustList));
  const facts = { credentials, issuerKeys: ISSUER_KEYS, credentialChars, expiresAt };
  writeFileSync(join(dir, 'corpus.json'), JSON.stringify(facts));
}

/**
 * Credentials of these `jti`s, valid for an hour, by an issuer key made on the spot, and the trust list that
 * admits it.
 */
export function signCards(jtis: readonly string[]): {
  readonly credentials: readonly string[];
  readonly trustList: object;
} {
  const key = makeIssuerKey('bench-cards');
  const issuedAt = Math.floor(Date.now() / 1000);
  return {
    credentials: jtis.map((jti) => makeCredential(key, issuedAt, issuedAt + 3_600, { jti })),
    trustList: { version: 1, issuers: [{ iss: ISSUER, keys: [key.jwk] }] },
  };
}

export interface IssuerKey {
  readonly jwk: { readonly kty: string; readonly crv: string; readonly kid: string; readonly x: string };
  readonly privateKey: KeyObject;
}

export function makeIssuerKey(kid: string): IssuerKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  // By DER: exporting the JWK of a key just made can lock Node 20 up.
  const x = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64url');
  return { jwk: { kty: 'OKP', crv: 'Ed25519', kid, x }, privateKey };
}

/** A JWS in compact form (RFC 7515 section 7.1) with what a card credential carries and no identity. */
function makeCredential(
  key: IssuerKey,
  issuedAt: number,
  expiresAt: number,
  { jti = randomBytes(16).toString('base64url'), holder }: { jti?: string; holder?: HolderKey | undefined },
): string {
  return signToken(key, {
    iss: ISSUER,
    jti,
    sub: randomBytes(16).toString('base64url'),
    iat: issuedAt,
    nbf: issuedAt,
    exp: expiresAt,
    rights: { scheme: '01', fund: '751', centre: '0001', exemption: 'none', until: expiresAt },
    ...(holder && {
      cnf: { jwk: { kty: 'OKP', crv: 'Ed25519', x: holder.publicKey.toString('base64url') } },
    }),
  });
}

/** Signs any claims, sound or not, of which a text is taken as it is. */
export function signToken(
  { jwk, privateKey }: IssuerKey,
  payload: object | string,
  members: object = {},
): string {
  const header = { alg: 'EdDSA', typ: 'JWT', kid: jwk.kid, ...members };
  const signingInput = `${encode(header)}.${encode(payload)}`;
  const signature = sign(null, Buffer.from(signingInput, 'latin1'), privateKey);
  return `${signingInput}.${signature.toString('base64url')}`;
}

function encode(value: object | string): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}
