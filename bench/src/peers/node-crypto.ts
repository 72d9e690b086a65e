/**
 * The peer without any package: node:http and node:crypto, done well. Keys are imported once and found by kid, the
 * parts of a token are looked at before the signature is judged, and claims only after it holds. Runs as a process of
 * its own: `node-crypto.ts PORT TRUST-LIST-FILE`.
 */
import { createPublicKey, type KeyObject, verify as verifySignature } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import {
  answerOf,
  BODY_LIMIT_BYTES,
  CLOCK_SKEW_SECONDS,
  codesOf,
  type Outcome,
  readTrustedKeys,
} from './peer-service.ts';

const [port, trustListFile] = process.argv.slice(2);
const keys = new Map<string, { readonly iss: string; readonly key: KeyObject }>();
for (const { iss, jwk } of readTrustedKeys(trustListFile as string))
  keys.set(jwk.kid, { iss, key: createPublicKey({ key: jwk, format: 'jwk' }) });

function verify(token: string): Outcome {
  const first = token.indexOf('.');
  const last = token.lastIndexOf('.');
  const header = objectOf(token.slice(0, first));
  if (first < 0 || first === last || header === undefined || header.crit !== undefined)
    return { reason: 'malformed' };
  if (header.alg !== 'EdDSA' && header.alg !== 'Ed25519') return { reason: 'alg_not_allowed' };
  const trusted = keys.get(header.kid as string);
  if (trusted === undefined) return { reason: 'unknown_key' };
  const signature = Buffer.from(token.slice(last + 1), 'base64url');
  const message = Buffer.from(token.slice(0, last), 'latin1');
  if (!verifySignature(null, message, trusted.key, signature)) return { reason: 'bad_signature' };
  const claims = objectOf(token.slice(first + 1, last));
  const { iss, jti, exp, nbf } = claims ?? {};
  if (iss !== trusted.iss || typeof jti !== 'string' || jti === '' || typeof exp !== 'number')
    return { reason: 'malformed' };
  const now = Date.now() / 1000;
  if (nbf !== undefined && !((nbf as number) <= now + CLOCK_SKEW_SECONDS)) return { reason: 'not_yet_valid' };
  if (exp <= now - CLOCK_SKEW_SECONDS) return { reason: 'expired' };
  return { reason: 'ok', kid: header.kid as string, claims: { ...claims, iss: trusted.iss, jti, exp } };
}

function objectOf(part: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The body's bytes; `undefined` beyond the limit. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > BODY_LIMIT_BYTES) return undefined;
    chunks.push(chunk as Buffer);
  }
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
}

function answer(path: string | undefined, body: Buffer): { type: string; content: Buffer | string } {
  const { credential, credentials } = JSON.parse(body.toString('utf8'));
  if (path === '/v1/verify')
    return { type: 'application/json', content: JSON.stringify(answerOf(verify(credential))) };
  return { type: 'application/octet-stream', content: codesOf(credentials.map(verify)) };
}

const server = createServer(async (request, response) => {
  try {
    const body = await bodyOf(request);
    if (body === undefined) {
      response.writeHead(413).end();
      return;
    }
    const { type, content } = answer(request.url, body);
    response.writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(content) });
    response.end(content);
  } catch {
    response.writeHead(400).end();
  }
});
server.listen(Number(port), '127.0.0.1', () => {
  console.log(`node-crypto is ready: http://127.0.0.1:${port}`);
});
process.on('SIGTERM', () => server.close());
