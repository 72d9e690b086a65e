/**
 * What the peers made of Node packages have in common: the keys, the gateway's two requests, its reasons as far as
 * they can tell them apart, and fastify around it, with schemas of bodies and answers as its documents recommend.
 */
import type { JsonWebKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import Fastify from 'fastify';

export interface TrustedKey {
  readonly iss: string;
  readonly jwk: JsonWebKey & { readonly kid: string };
}

export interface Claims {
  readonly iss: string;
  readonly jti: string;
  readonly sub?: string;
  readonly exp: number;
}

/** The gateway's reasons and their codes. */
export const CODES = {
  ok: 0,
  malformed: 1,
  alg_not_allowed: 2,
  unknown_key: 5,
  bad_signature: 7,
  not_yet_valid: 8,
  expired: 9,
};
export type Reason = keyof typeof CODES;

export interface Outcome {
  readonly reason: Reason;
  readonly kid?: string | undefined;
  readonly claims?: Claims | undefined;
}

export const BODY_LIMIT_BYTES = 16 * 1024 * 1024;
export const CLOCK_SKEW_SECONDS = 30;
const MAX_BATCH = 10_000;

/** Of a trust list file of the gateway's. */
export function readTrustedKeys(file: string): TrustedKey[] {
  const { issuers } = JSON.parse(readFileSync(file, 'utf8')) as {
    issuers: { iss: string; keys: TrustedKey['jwk'][] }[];
  };
  return issuers.flatMap(({ iss, keys }) => keys.map((jwk) => ({ iss, jwk })));
}

export function answerOf({ reason, kid, claims }: Outcome): object {
  const credential = claims && {
    iss: claims.iss,
    jti: claims.jti,
    sub: claims.sub,
    exp: claims.exp,
    claims,
  };
  return {
    verdict: reason === 'ok' ? 'valid' : 'invalid',
    reason,
    ...(credential && { credential, key: { kid } }),
    checkedAt: new Date().toISOString(),
  };
}

/** A byte for each: less work for a peer than JSON, so what is a multiple of it is one of its best. */
export function codesOf(outcomes: readonly Outcome[]): Buffer {
  return Buffer.from(outcomes.map(({ reason }) => CODES[reason]));
}

const text = { type: 'string' };
const answerSchema = {
  type: 'object',
  properties: {
    verdict: text,
    reason: text,
    credential: {
      type: 'object',
      properties: {
        iss: text,
        jti: text,
        sub: text,
        exp: { type: 'integer' },
        claims: { type: 'object', additionalProperties: true },
      },
    },
    key: { type: 'object', properties: { kid: text } },
    checkedAt: text,
  },
};
const batchSchema = {
  type: 'object',
  required: ['credentials'],
  properties: { credentials: { type: 'array', maxItems: MAX_BATCH, items: text } },
};

/** Serves until SIGTERM. A library that verifies in the caller's turn pays for no promise. */
export async function serveWithFastify(
  name: string,
  port: number,
  verify: (token: string) => Outcome | Promise<Outcome>,
): Promise<void> {
  const app = Fastify({ bodyLimit: BODY_LIMIT_BYTES });
  app.post<{ Body: { credential: string } }>('/v1/verify', {
    schema: {
      body: { type: 'object', required: ['credential'], properties: { credential: text } },
      response: { 200: answerSchema },
    },
    handler: (request, reply) => {
      const outcome = verify(request.body.credential);
      if (outcome instanceof Promise) return outcome.then(answerOf);
      reply.send(answerOf(outcome));
    },
  });
  app.post<{ Body: { credentials: string[] } }>('/v1/verify/batch', {
    schema: { body: batchSchema },
    handler: async (request, reply) => {
      const outcomes = await Promise.all(request.body.credentials.map(verify));
      return reply.type('application/octet-stream').send(codesOf(outcomes));
    },
  });
  await app.listen({ port, host: '127.0.0.1' });
  console.log(`${name} is ready: http://127.0.0.1:${port}`);
  process.on('SIGTERM', () => void app.close());
}
