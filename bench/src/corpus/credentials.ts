/**
 * Input of the http suite: distinct, valid, synthetic credentials, one a line, and the trust list that admits
 * them. Signing them takes a while, so they are kept between runs and made anew when they would soon expire.
 * The private keys never leave memory.
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

export interface Corpus {
  readonly credentialsFile: string;
  readonly trustListFile: string;
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
const DAY_SECONDS = 86_400;
const LIFETIME_SECONDS = 30 * DAY_SECONDS;
const LINES_PER_WRITE = 1_000;

/** Takes the corpus of `credentials` lines from `cacheDir`, or makes it there. */
export function prepareCorpus(cacheDir: string, credentials: number, say: (text: string) => void): Corpus {
  const dir = join(cacheDir, `credentials-${FORMAT}-${credentials}`);
  const cached = readCorpus(dir);
  if (cached !== undefined && cached.expiresAt > Date.now() / 1000 + DAY_SECONDS) return cached;

  say(`making ${credentials} credentials (once; kept in ${cacheDir})`);
  // Made aside and renamed when whole: a run that is broken off leaves no half corpus to be believed later.
  const unfinished = `${dir}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  writeCorpus(unfinished, credentials);
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
  };
}

function writeCorpus(dir: string, credentials: number): void {
  const issuedAt = Math.floor(Date.now() / 1000);
  const expiresAt = issuedAt + LIFETIME_SECONDS;
  const keys = Array.from({ length: ISSUER_KEYS }, (_, index) => makeIssuerKey(`bench-${index + 1}`));
  const file = openSync(join(dir, 'credentials.txt'), 'w');
  let credentialChars = 0;
  for (let start = 0; start < credentials; start += LINES_PER_WRITE) {
    const lines = Array.from({ length: LINES_PER_WRITE }, (_, offset) => {
      const key = keys[(start + offset) % keys.length] as IssuerKey;
      return makeCredential(key, issuedAt, expiresAt);
    });
    credentialChars = (lines[0] as string).length;
    writeSync(file, `${lines.join('\n')}\n`);
  }
  closeSync(file);
  const trustList = { version: 1, issuers: [{ iss: ISSUER, keys: keys.map(({ jwk }) => jwk) }] };
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
    credentials: jtis.map((jti) => makeCredential(key, issuedAt, issuedAt + 3_600, jti)),
    trustList: { version: 1, issuers: [{ iss: ISSUER, keys: [key.jwk] }] },
  };
}

interface IssuerKey {
  readonly jwk: { readonly kty: string; readonly crv: string; readonly kid: string; readonly x: string };
  readonly privateKey: KeyObject;
}

function makeIssuerKey(kid: string): IssuerKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  // By DER: exporting the JWK of a key just made can lock Node 20 up.
  const x = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64url');
  return { jwk: { kty: 'OKP', crv: 'Ed25519', kid, x }, privateKey };
}

/** A JWS in compact form (RFC 7515 section 7.1) with what a card credential carries and no identity. */
function makeCredential(
  { jwk, privateKey }: IssuerKey,
  issuedAt: number,
  expiresAt: number,
  jti = randomBytes(16).toString('base64url'),
): string {
  const header = { alg: 'EdDSA', typ: 'JWT', kid: jwk.kid };
  const payload = {
    iss: ISSUER,
    jti,
    sub: randomBytes(16).toString('base64url'),
    iat: issuedAt,
    nbf: issuedAt,
    exp: expiresAt,
    rights: { scheme: '01', fund: '751', centre: '0001', exemption: 'none', until: expiresAt },
  };
  const signingInput = `${encode(header)}.${encode(payload)}`;
  const signature = sign(null, Buffer.from(signingInput, 'latin1'), privateKey);
  return `${signingInput}.${signature.toString('base64url')}`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
