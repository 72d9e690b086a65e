/** Client of the data listener: verify, one by one or in batches, and ask whether the gateway is up. */
import { isJsonObject, type JsonObject, type JsonValue } from '../encoding/strict-json.ts';
import { type Action, REASONS, type Reason, type Verdict } from '../verdict.ts';
import { callForBytes, callForJson, type Outcome } from './call.ts';

export interface GatewayClientOptions {
  /** Origin of the data listener. */
  readonly baseUrl: string;
  /** Where the gateway asks callers for a key. */
  readonly accessKey?: string | undefined;
  readonly timeoutMs?: number;
}

/** How the phone showed what it showed. */
export const CHANNELS = ['qr', 'nfc', 'remote'] as const;
export type Channel = (typeof CHANNELS)[number];

/** What the phone showed: an item of a batch is no more than that. */
export interface Presentation {
  readonly credential: string;
  /** The key-binding JWT by which the phone proves that its holder is present. */
  readonly holderProof?: string | undefined;
}

export interface VerifyRequest extends Presentation {
  /** In whose name the caller asks: the holder proof must have been made for it. */
  readonly audience?: string | undefined;
  /** What the caller gave the phone to sign; `remote` needs one. */
  readonly nonce?: string | undefined;
  readonly channel?: Channel | undefined;
  /** The instant to judge by, RFC 3339; only where the gateway allows callers to choose it. */
  readonly at?: string | undefined;
}

/** The wire's answer to one credential; `document` is the whole of it, as sent. */
export interface VerifyAnswer {
  readonly verdict: Verdict;
  readonly reason: Reason;
  readonly action: Action;
  readonly document: JsonObject;
}

export interface GatewayClient {
  verify(request: VerifyRequest): Promise<Outcome<VerifyAnswer>>;
  /** Answers in the order sent. A text is a credential without a proof. */
  verifyBatch(credentials: readonly (string | Presentation)[]): Promise<Outcome<readonly VerifyAnswer[]>>;
  /** One reason's code a credential, in the order sent: the leanest answer. */
  verifyBatchCodes(credentials: readonly (string | Presentation)[]): Promise<Outcome<Uint8Array>>;
  health(): Promise<Outcome<true>>;
  /** Whether the gateway may take traffic; if not, its own words. */
  ready(): Promise<Outcome<{ readonly ready: boolean; readonly detail: string }>>;
}

const VERIFY = '/v1/verify';
const VERIFY_BATCH = '/v1/verify/batch';
const JSON_BODY = { 'content-type': 'application/json' };

export function gatewayClient(options: GatewayClientOptions): GatewayClient {
  const { baseUrl, accessKey, timeoutMs = 10_000 } = options;
  const post = { baseUrl, timeoutMs, bearerToken: accessKey, method: 'POST', headers: JSON_BODY } as const;
  const batch = (credentials: readonly (string | Presentation)[]) =>
    ({ ...post, path: VERIFY_BATCH, body: JSON.stringify({ credentials }) }) as const;
  return {
    verify: (request) =>
      callForJson({ ...post, path: VERIFY, body: JSON.stringify(request) }, readVerifyAnswer),
    verifyBatch: (credentials) =>
      callForJson(batch(credentials), (value) => readBatchAnswer(value, credentials.length)),
    verifyBatchCodes: async (credentials) => {
      const headers = { ...JSON_BODY, accept: 'application/octet-stream' };
      const outcome = await callForBytes({ ...batch(credentials), headers });
      if (outcome.kind !== 'answer') return outcome;
      const codes = outcome.value.body;
      if (codes.length !== credentials.length || codes.some((code) => code >= REASONS.length)) {
        return { kind: 'unavailable', detail: `${baseUrl} gave an answer that is not a Vigie gateway's` };
      }
      return { kind: 'answer', value: codes };
    },
    health: async () => {
      const outcome = await callForBytes({ baseUrl, timeoutMs, method: 'GET', path: '/healthz' });
      return outcome.kind === 'answer' ? { kind: 'answer', value: true } : outcome;
    },
    ready: async () => {
      const call = { baseUrl, timeoutMs, method: 'GET', path: '/readyz', answers: [200, 503] } as const;
      const outcome = await callForBytes(call);
      if (outcome.kind !== 'answer') return outcome;
      const { status, body } = outcome.value;
      return { kind: 'answer', value: { ready: status === 200, detail: body.toString('utf8').trim() } };
    },
  };
}

const REASON_ROWS = new Map<JsonValue, (typeof REASONS)[number]>(REASONS.map((row) => [row.reason, row]));

/** An answer whose verdict or action does not belong to its reason is none: the table is part of the contract. */
function readVerifyAnswer(value: JsonValue): VerifyAnswer | undefined {
  if (!isJsonObject(value)) return undefined;
  const row = REASON_ROWS.get(value.reason ?? null);
  if (row === undefined || value.verdict !== row.verdict || value.action !== row.action) return undefined;
  return { verdict: row.verdict, reason: row.reason, action: row.action, document: value };
}

function readBatchAnswer(value: JsonValue, count: number): readonly VerifyAnswer[] | undefined {
  if (!isJsonObject(value) || !Array.isArray(value.results) || value.results.length !== count)
    return undefined;
  const answers = value.results.map(readVerifyAnswer);
  return answers.every((answer) => answer !== undefined) ? answers : undefined;
}
