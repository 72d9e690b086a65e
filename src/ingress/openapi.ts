/**
 * The wire contract as an OpenAPI 3.1 document. Whatever the code keeps in a table (reasons, problems, limits)
 * is taken from the table, so that the description cannot drift from what is served.
 */
import { LIMITS } from '../config.ts';
import { REASONS } from '../verdict.ts';
import { type Json, ref, schemas } from './openapi-schemas.ts';
import { PROBLEMS, type ProblemType } from './problem.ts';

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
    components: { schemas: schemas(), headers: headers(), securitySchemes: { accessKey: ACCESS_KEY } },
  };
}

const ACCESS_KEY = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'vigie_ and 48 characters',
  description: "A caller's access key, where the gateway asks for one.",
};

/** What every operation may answer, whatever it does. */
const COMMON_PROBLEMS: ProblemType[] = ['bad-framing', 'method-not-allowed', 'internal-error'];
const BODY_PROBLEMS: ProblemType[] = [
  'bad-envelope',
  'body-timeout',
  'body-too-large',
  'unsupported-media-type',
  'unsupported-content-encoding',
  'unauthorized',
  'forbidden',
  'quota-exceeded',
  'overloaded',
];
/** Asked for with VIGIE_AUTH=keys alone. */
const CALLER = [{}, { accessKey: [] }];

function verifyOperation(): Json {
  const bare = { schema: { type: 'string', description: 'The compact JWS, to the last byte of the body.' } };
  return {
    summary: 'Verify one credential, with the proof of its holder or without',
    operationId: 'verify',
    security: CALLER,
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
      ...problems([...COMMON_PROBLEMS, ...BODY_PROBLEMS]),
    },
  };
}

function batchOperation(): Json {
  return {
    summary: 'Verify many credentials, each with the proof of its holder or without',
    operationId: 'verifyBatch',
    security: CALLER,
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
            description: `One byte an item, the reason's code: ${REASONS.map(({ code, reason }) => `${code} ${reason}`).join(', ')}. The header vigie-revocation states the revocation knowledge; vigie-replay: local says that other gateways could not be asked for all proofs.`,
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

/** What a refusal says beside its document. */
const HEADERS_BY_STATUS: Readonly<Record<number, Json>> = {
  401: { 'www-authenticate': { $ref: '#/components/headers/Challenge' } },
  429: { 'retry-after': { $ref: '#/components/headers/RetryAfter' } },
  503: { 'retry-after': { $ref: '#/components/headers/RetryAfter' } },
};

/** One response a status code, naming the problem types that share it. */
function problems(types: readonly ProblemType[]): Json {
  const responses: Json = {};
  for (const status of new Set(types.map((type) => PROBLEMS[type].status))) {
    const named = types.filter((type) => PROBLEMS[type].status === status);
    responses[status] = {
      description: named.map((type) => `${type}: ${PROBLEMS[type].title}.`).join(' '),
      headers: {
        'x-request-id': { $ref: '#/components/headers/RequestId' },
        ...HEADERS_BY_STATUS[status],
      },
      content: { 'application/problem+json': { schema: ref('Problem') } },
    };
  }
  return responses;
}

function headers(): Json {
  return {
    RequestId: {
      description: `Echoed when sent as 1 to ${LIMITS.requestIdChars} visible ASCII characters, else made here.`,
      schema: { type: 'string' },
    },
    Challenge: { description: 'RFC 6750 section 3.', schema: { const: 'Bearer' } },
    RetryAfter: {
      description: 'Seconds after which to come back: not all callers are told the same.',
      schema: { type: 'integer', minimum: 1 },
    },
  };
}
