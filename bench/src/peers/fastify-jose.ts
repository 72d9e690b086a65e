/**
 * The peer of fastify and jose, as jose's documents show it: `jwtVerify` with a local JWK set, which finds the key by
 * kid and imports each once; issuer, algorithms, mandatory claims and tolerance named. jose verifies by Web Crypto,
 * whose work Node does on its thread pool. Runs as a process of its own: `fastify-jose.ts PORT TRUST-LIST-FILE`.
 */
import { createLocalJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import {
  CLOCK_SKEW_SECONDS,
  type Claims,
  type Outcome,
  type Reason,
  readTrustedKeys,
  serveWithFastify,
} from './peer-service.ts';

const [port, trustListFile] = process.argv.slice(2);
const keys = readTrustedKeys(trustListFile as string);
const keySet = createLocalJWKSet({ keys: keys.map(({ jwk }) => ({ ...jwk, kty: 'OKP', alg: 'EdDSA' })) });
const checks = {
  issuer: [...new Set(keys.map(({ iss }) => iss))],
  algorithms: ['EdDSA', 'Ed25519'],
  requiredClaims: ['iss', 'jti', 'exp'],
  clockTolerance: CLOCK_SKEW_SECONDS,
};

async function verify(token: string): Promise<Outcome> {
  try {
    const { payload, protectedHeader } = await jwtVerify<JWTPayload & Claims>(token, keySet, checks);
    return { reason: 'ok', kid: protectedHeader.kid, claims: payload };
  } catch (error) {
    return { reason: reasonOf(error) };
  }
}

function reasonOf(error: unknown): Reason {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'nbf') return 'not_yet_valid';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'alg_not_allowed';
  if (error instanceof errors.JWKSNoMatchingKey) return 'unknown_key';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'bad_signature';
  if (error instanceof errors.JOSEError) return 'malformed';
  throw error;
}

await serveWithFastify('fastify-jose', Number(port), verify);
