/** What bodies of the wire contract consist of, for the OpenAPI document. */
import { LIMITS } from '../config.ts';
import { REASONS } from '../verdict.ts';
import { PROBLEMS } from './problem.ts';

export type Json = Record<string, unknown>;

export function ref(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}

function object(properties: Json, required: readonly string[]): Json {
  return { type: 'object', properties, required };
}

export function schemas(): Json {
  const text = { type: 'string' };
  const proof = {
    ...text,
    maxLength: LIMITS.proofChars,
    description:
      'A key-binding JWT (RFC 9901 section 4.3) by the key of the credential’s `cnf`. A longer one is `holder_proof_invalid`.',
  };
  const replay = {
    const: 'local',
    description:
      'A proof was held against those that this gateway has seen alone: others could not be asked.',
  };
  const unique = (values: readonly string[]): string[] => [...new Set(values)];
  return {
    VerifyRequest: {
      ...object(
        {
          credential: { ...text, description: 'What the phone showed.' },
          holderProof: proof,
          audience: { ...text, description: 'In whose name the caller asks.' },
          nonce: {
            ...text,
            minLength: 1,
            description: 'What the caller gave the phone to repeat in its proof.',
          },
          channel: { enum: ['qr', 'nfc', 'remote'], description: '`remote` needs a nonce.' },
          at: {
            ...text,
            format: 'date-time',
            description:
              'For lots and audits, where the gateway allows it (else 403): dates, rights and keys are judged at this instant; a proof is neither held to the window nor used up. Revocations are as of now.',
          },
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
              oneOf: [
                text,
                {
                  ...object({ credential: text, holderProof: proof }, ['credential']),
                  additionalProperties: false,
                },
              ],
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
        verified: {
          type: 'array',
          items: { enum: ['issuer', 'holder'] },
          description:
            'Whose signatures hold; `holder` where a proof was there and fits. Only beside `valid` does that say that it was not shown before: for other cards nobody asks.',
        },
        key: object({ kid: text, set: { type: 'integer', description: 'Version of the trust list.' } }, []),
        revocation: ref('Revocation'),
        replay,
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
        replay,
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
