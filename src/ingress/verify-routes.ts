/** `POST /v1/verify` and `POST /v1/verify/batch`. */
import { LIMITS } from '../config.ts';
import type { GatewayParts } from '../gateway.ts';
import type { NativeAddon } from '../native/addon.ts';
import type { Admission } from './admission/admission.ts';
import { createAnswerWriter } from './answer-writer.ts';
import { BATCH_BODY_MEDIA_TYPES, SINGLE_MEDIA_TYPES } from './envelope.ts';
import { createSingleHandler, GATHERED_SLICE } from './gathering.ts';
import type { ProveRevoked } from './prove-stale.ts';
import type { Route } from './route.ts';
import type { KnownCards } from './second-look.ts';
import type { RevocationView } from './verdict-reply.ts';
import type { VerificationAudit } from './verification-audit.ts';
import { createBatchHandler } from './verify-batch.ts';

export interface VerifyRoutesOptions {
  readonly parts: GatewayParts;
  /** Absent where there is no native code. */
  readonly addon: NativeAddon | undefined;
  readonly admission: Admission;
  /** The revocation state as of now. */
  revocation(): RevocationView;
  /** Present while this gateway has no whole copy: asks elsewhere for revocations that it cannot tell of. */
  proveRevoked(): ProveRevoked | undefined;
  /** Whether calls may ask about another instant, where callers have no names. */
  readonly allowAt: boolean;
  readonly knownCards: KnownCards;
  /** Told of each verification; absent where none is kept. */
  readonly audit?: VerificationAudit | undefined;
  /** Most items of a batch verified before the event loop turns. */
  readonly batchSlice: number;
  /** Told of the reasons given, by their codes, for the metrics. */
  onVerified(codes: Uint8Array): void;
  onBatch(items: number): void;
  /** Told once a turn how long the first of its single calls waited for the turn's end (seconds). */
  onQueued(seconds: number): void;
  onUnexpectedError(error: unknown, requestId: string | undefined): void;
}

export function verifyRoutes(options: VerifyRoutesOptions): Route[] {
  const { addon, batchSlice, admission } = options;
  const single = createSingleHandler({
    ...options,
    mayChooseAt: ({ caller }) => (caller === undefined ? options.allowAt : caller.scopes.has('at')),
    writer: createAnswerWriter(GATHERED_SLICE, addon),
    onTurnBegun: () => admission.singlesGathered(),
    onTurnAnswered: () => admission.singlesAnswered(),
  });
  const writer = createAnswerWriter(batchSlice, addon);
  const batch = createBatchHandler({ ...options, writer });
  return [
    {
      method: 'POST',
      path: '/v1/verify',
      name: 'verify',
      lane: 'single',
      scope: 'verify',
      body: { maxBytes: LIMITS.singleBodyBytes, mediaTypes: SINGLE_MEDIA_TYPES },
      ...single,
    },
    {
      method: 'POST',
      path: '/v1/verify/batch',
      name: 'verify_batch',
      lane: 'batch',
      scope: 'batch',
      body: { maxBytes: LIMITS.batchBodyBytes, mediaTypes: BATCH_BODY_MEDIA_TYPES },
      stream: batch,
    },
  ];
}
