/**
 * The wire contract as an OpenAPI 3.1 document. Whatever the code keeps in a table (reasons, problems, limits)
 * is taken from the table, so that the description cannot drift from what is served.
 */
import { LIMITS } from '../config.ts';
import { REASONS } from '../verdict.ts';
import { PROBLEMS, type ProblemType } from './problem.ts';

type Json = Record<string, unknown>;

export function openapiDocument(version: string): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Vigie',
      version,
      description:
        'Verification gateway for signed health-card credentials. Every answer to a readable envelope is 200; the verdict says what to do at the counter.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths: {
      '/v1/verify': { post: verifyOperation() },
      '/v1/verify/batch': { post: batchOperation() },
      '/healthz': { get: plainGet('The process lives.', ref('Alive'), []) },
      '/readyz': { get: plainGet('The gateway may take traffic.', ref('Ready'), ['not-ready']) },
      '/v1/openapi.json': { get: plainGet('This document.', { type: 'object' }, []) },
    },
    components: { schemas: schemas(), headers: headers() },
  };
}

/** What every operation may answer, whatever it does. */
const COMMON_PROBLEMS: ProblemType[] = ['bad-framing', 'method-not-allowed', 'internal-error'];
const BODY_PROBLEMS: ProblemType[] = [
  'bad-envelope',
  'body-timeout',
  'body-too-large',
  'unsupported-media-type',
  'unsupported-content-encoding',
  'overloaded',
];

function verifyOperation(): Json {
  const bare = { schema: { type: 'string', description: 'The compact JWS, to the last byte of the body.' } };
  return {
    summary: 'Verify one credential',
    operationId: 'verify',
    requestBody: {
      required: true,
      description: `At most ${LIMITS.singleBodyBytes} bytes.`,
      content: {
        'application/json': { schema: ref('VerifyRequest') },
        'application/jwt': bare,
        'text/plain': bare,
      },
    },
    responses: {
      200: ok({ 'application/json': { schema: ref('Verification') } }),
      ...problems([...COMMON_PROBLEMS, ...BODY_PROBLEMS, 'forbidden']),
    },
  };
}

function batchOperation(): Json {
  return {
    summary: 'Verify many credentials',
    operationId: 'verifyBatch',
    description: `One result an item, in the order sent, whatever the neighbours. At most ${LIMITS.batchItems} items and ${LIMITS.batchBodyBytes} bytes; an item above ${LIMITS.credentialChars} characters is malformed.`,
    requestBody: {
      required: true,
      content: {
        'application/json': { schema: ref('BatchRequest') },
        'text/plain': {
          schema: { type: 'string', description: 'One credential a line; lines end in LF or CRLF.' },
        },
      },
    },
    responses: {
      200: ok({
        'application/json': { schema: ref('BatchAnswer') },
        'application/x-ndjson': { schema: { type: 'string', description: 'One Verification a line.' } },
        'application/octet-stream': {
          schema: {
            type: 'string',
            contentEncoding: 'binary',
            description: `One byte an item, the reason's code: ${REASONS.map(({ code, reason }) => `${code} ${reason}`).join(', ')}. The header vigie-revocation states the revocation knowledge.`,
          },
        },
      }),
      ...problems([...COMMON_PROBLEMS, ...BODY_PROBLEMS, 'too-many-items']),
    },
  };
}

function plainGet(summary: string, schema: Json, own: ProblemType[]): Json {
  return {
    summary,
    responses: {
      200: ok({ 'application/json': { schema } }),
      ...problems([...COMMON_PROBLEMS, ...own]),
    },
  };
}

function ok(content: Json): Json {
  return {
    description: 'Answered.',
    headers: { 'x-request-id': { $ref: '#/components/headers/RequestId' } },
    content,
  };
}

/** One response a status code, naming the problem types that share it. */
function problems(types: readonly ProblemType[]): Json {
  const responses: Json = {};
  for (const status of new Set(types.map((type) => PROBLEMS[type].status))) {
    const named = types.filter((type) => PROBLEMS[type].status === status);
    responses[status] = {
      description: named.map((type) => `${type}: ${PROBLEMS[type].title}.`).join(' '),
      headers: { 'x-request-id': { $ref: '#/components/headers/RequestId' } },
      content: { 'application/problem+json': { schema: ref('Problem') } },
    };
  }
  return responses;
}

function ref(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}

function object(properties: Json, required: readonly string[]): Json {
  return { type: 'object', properties, required };
}

function schemas(): Json {
  const text = { type: 'string' };
  const unique = (values: readonly string[]): string[] => [...new Set(values)];
  return {
    VerifyRequest: {
      ...object(
        {
          credential: { ...text, description: 'What the phone showed.' },
          audience: { ...text, description: 'In whose name the caller asks.' },
          channel: { enum: ['qr', 'nfc'] },
        },
        ['credential'],
      ),
      additionalProperties: false,
    },
    BatchRequest: {
      ...object(
        {
          credentials: {
            type: 'array',
            maxItems: LIMITS.batchItems,
            items: {
              oneOf: [text, { ...object({ credential: text }, ['credential']), additionalProperties: false }],
            },
          },
        },
        ['credentials'],
      ),
      additionalProperties: false,
    },
    Verification: object(
      {
        verdict: { enum: unique(REASONS.map(({ verdict }) => verdict)) },
        reason: { enum: REASONS.map(({ reason }) => reason) },
        action: { enum: unique(REASONS.map(({ action }) => action)) },
        credential: {
          ...object(
            { iss: text, jti: text, sub: text, exp: { type: 'number' }, claims: { type: 'object' } },
            ['claims'],
          ),
          description: 'As far as it could be read; claims stay empty unless the signature holds.',
        },
        verified: { type: 'array', items: { enum: ['issuer'] } },
        key: object({ kid: text, set: { type: 'integer', description: 'Version of the trust list.' } }, []),
        revocation: ref('Revocation'),
        checkedAt: { ...text, format: 'date-time' },
      },
      ['verdict', 'reason', 'action', 'credential', 'verified', 'key', 'revocation', 'checkedAt'],
    ),
    BatchAnswer: object(
      {
        results: { type: 'array', items: ref('Verification') },
        summary: {
          type: 'object',
          description: 'How many of each verdict; those that did not occur are left out.',
          additionalProperties: { type: 'integer' },
        },
        revocation: ref('Revocation'),
        key: object({ set: { type: 'integer' } }, []),
      },
      ['results', 'summary', 'revocation', 'key'],
    ),
    Revocation: object(
      {
        state: { enum: ['fresh', 'stale', 'expired'] },
        seq: { type: 'integer', description: 'Last status change enforced.' },
        ageMs: {
          type: ['integer', 'null'],
          description: 'Age of the knowledge, never understated; null while nothing was ever confirmed.',
        },
      },
      ['state', 'seq', 'ageMs'],
    ),
    Alive: object({ alive: { const: true } }, ['alive']),
    Ready: object({ ready: { const: true }, revocation: ref('Revocation') }, ['ready', 'revocation']),
    Problem: object(
      {
        type: { enum: Object.keys(PROBLEMS) },
        title: text,
        status: { type: 'integer' },
        detail: text,
        reasons: {
          type: 'array',
          items: text,
          description: 'Of `not-ready`: everything that stands against it.',
        },
      },
      ['type', 'title', 'status', 'detail'],
    ),
  };
}

function headers(): Json {
  return {
    RequestId: {
      description: `Echoed when sent as 1 to ${LIMITS.requestIdChars} visible ASCII characters, else made here.`,
      schema: { type: 'string' },
    },
  };
}
