/** `POST /v1/verify` and `POST /v1/verify/batch`: body to requests, through the gateway, to a reply. */
import { LIMITS } from '../config.ts';
import type { JsonObject } from '../encoding/strict-json.ts';
import {
  type GatewayParts,
  type Verification,
  type VerificationRequest,
  verifyCredentials,
} from '../gateway.ts';
import { BATCH_BODY_MEDIA_TYPES, parseBatch, parseSingle, SINGLE_MEDIA_TYPES } from './envelope.ts';
import type { Exchange, Reply } from './exchange.ts';
import type { Route } from './http-server.ts';
import { negotiateBatchAnswer } from './media-type.ts';
import {
  type ReplyContext,
  type RevocationView,
  renderCodes,
  renderRevocation,
  renderTail,
  renderVerification,
  summarize,
  wholeMs,
} from './verdict-reply.ts';

/** A card by what identifies it. */
export interface CardName {
  readonly iss: string;
  readonly jti: string;
}

export interface VerifyRoutesOptions {
  readonly parts: GatewayParts;
  /** The revocation state as of now. */
  revocation(): RevocationView;
  /**
   * Present while this gateway has no whole copy: asks elsewhere for revocations that it cannot tell of, and answers
   * in order which of the cards are revoked; in bounded time.
   */
  proveRevoked(): ((cards: readonly CardName[]) => Promise<readonly boolean[]>) | undefined;
  /** Items verified before the event loop turns. */
  readonly batchSlice: number;
  /** Told of each answer given, for the metrics. */
  onVerified(verifications: readonly Verification[]): void;
  onBatch(items: number): void;
}

export function verifyRoutes(options: VerifyRoutesOptions): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/verify',
      name: 'verify',
      body: { maxBytes: LIMITS.singleBodyBytes, mediaTypes: SINGLE_MEDIA_TYPES },
      handle: (exchange, body, type) => verifySingle(exchange, body, type, options),
    },
    {
      method: 'POST',
      path: '/v1/verify/batch',
      name: 'verify_batch',
      body: { maxBytes: LIMITS.batchBodyBytes, mediaTypes: BATCH_BODY_MEDIA_TYPES, answeredLater: true },
      handle: (exchange, body, type) => verifyBatch(exchange, body, type, options),
    },
  ];
}

function verifySingle(
  exchange: Exchange,
  body: Buffer,
  type: string,
  options: VerifyRoutesOptions,
): void | Promise<void> {
  const envelope = parseSingle(type, body);
  if (!envelope.ok) {
    exchange.problem(envelope.problem);
    return;
  }
  // The age is read before the status is: what is learnt in between makes the answer better than it claims.
  const revocation = options.revocation();
  const verifications = verifyCredentials([envelope.value], options.parts);
  const reply = (settled: readonly Verification[]) => {
    options.onVerified(settled);
    const tail = renderTail({ revocation, checkedAt: new Date(options.parts.clock.wallMs()) });
    exchange.reply({
      status: 200,
      contentType: 'application/json',
      body: renderVerification(settled[0] as Verification, tail),
    });
  };
  const proving = proveStale(verifications, revocation, options);
  return proving === undefined ? reply(verifications) : proving.then(reply);
}

/** Those that could not be told, told where that can be proven; `undefined` where nothing is to be asked. */
function proveStale(
  verifications: readonly Verification[],
  revocation: RevocationView,
  { proveRevoked }: VerifyRoutesOptions,
): Promise<readonly Verification[]> | undefined {
  // Beyond the age limit nothing is told of any card: those are not meant.
  if (revocation.state === 'expired') return undefined;
  const stale = verifications.filter(({ reason }) => reason === 'revocation_stale');
  const prove = stale.length === 0 ? undefined : proveRevoked();
  if (prove === undefined) return undefined;
  const names = stale.map(({ credential }) => ({
    iss: credential?.iss ?? '',
    jti: nameOf(credential?.claims),
  }));
  return prove(names).then((revoked) => {
    const proven = new Set(stale.filter((_, i) => revoked[i] === true));
    return verifications.map((one) => (proven.has(one) ? { ...one, reason: 'revoked' as const } : one));
  });
}

/** Checked before the status is ever asked for. */
function nameOf(claims: JsonObject | undefined): string {
  return typeof claims?.jti === 'string' ? claims.jti : '';
}

async function verifyBatch(
  exchange: Exchange,
  body: Buffer,
  type: string,
  options: VerifyRoutesOptions,
): Promise<void> {
  const envelope = parseBatch(type, body);
  if (!envelope.ok) return exchange.problem(envelope.problem);
  const revocation = options.revocation();
  const checkedAt = new Date(options.parts.clock.wallMs());
  // One list for all slices of a call, even if a newer one takes effect meanwhile: what is said of one item
  // must not depend on how many stood before it, and the answer names one version.
  const trust = options.parts.trust();
  const parts = { ...options.parts, trust: () => trust };
  const verifications = await verifyInSlices(envelope.value, exchange, revocation, { ...options, parts });
  if (verifications === undefined) return;
  options.onBatch(verifications.length);
  const context = { revocation, checkedAt, trustListVersion: trust?.version };
  exchange.reply(renderBatch(exchange, verifications, context));
}

/** Verifies slice by slice, giving other requests their turn between; `undefined` when the client went away. */
async function verifyInSlices(
  requests: readonly VerificationRequest[],
  exchange: Exchange,
  revocation: RevocationView,
  options: VerifyRoutesOptions,
): Promise<Verification[] | undefined> {
  const { batchSlice, onVerified } = options;
  const verifications: Verification[] = [];
  for (let start = 0; start < requests.length; start += batchSlice) {
    if (start > 0) await new Promise(setImmediate);
    if (exchange.isOver()) return undefined;
    const verified = verifyCredentials(requests.slice(start, start + batchSlice), options.parts);
    const slice = (await proveStale(verified, revocation, options)) ?? verified;
    onVerified(slice);
    verifications.push(...slice);
  }
  return verifications;
}

function renderBatch(
  exchange: Exchange,
  verifications: readonly Verification[],
  context: ReplyContext & { readonly trustListVersion: number | undefined },
): Reply {
  const contentType = negotiateBatchAnswer(exchange.head.accept);
  if (contentType === 'application/octet-stream') {
    // The body has no room for what else an answer must say, so a header says it.
    const headers = { 'vigie-revocation': revocationHeader(context.revocation) };
    return { status: 200, contentType, body: renderCodes(verifications), headers };
  }
  const tail = renderTail(context);
  const results = verifications.map((verification) => renderVerification(verification, tail));
  if (contentType === 'application/x-ndjson') {
    return { status: 200, contentType, body: results.map((line) => `${line}\n`).join('') };
  }
  const summary = JSON.stringify(summarize(verifications));
  const key = JSON.stringify({ set: context.trustListVersion });
  const shared = `"summary":${summary},"revocation":${renderRevocation(context.revocation)},"key":${key}`;
  return { status: 200, contentType, body: `{"results":[${results.join(',')}],${shared}}` };
}

function revocationHeader({ state, seq, ageMs }: RevocationView): string {
  return `state=${state}, seq=${seq}, age-ms=${wholeMs(ageMs) ?? 'unknown'}`;
}
