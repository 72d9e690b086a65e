/** `POST /v1/verify` and `POST /v1/verify/batch`. */
import { LIMITS } from '../config.ts';
import type { GatewayParts } from '../gateway.ts';
import type { NativeAddon } from '../native/addon.ts';
import { createAnswerWriter } from './answer-writer.ts';
import { BATCH_BODY_MEDIA_TYPES, SINGLE_MEDIA_TYPES } from './envelope.ts';
import { createSingleHandler, GATHERED_CALLS } from './gathering.ts';
import type { ProveRevoked } from './prove-stale.ts';
import type { Route } from './route.ts';
import type { RevocationView } from './verdict-reply.ts';
import { createBatchHandler } from './verify-batch.ts';

export interface VerifyRoutesOptions {
  readonly parts: GatewayParts;
  /** Absent where there is no native code. */
  readonly addon: NativeAddon | undefined;
  /** The revocation state as of now. */
  revocation(): RevocationView;
  /** Present while this gateway has no whole copy: asks elsewhere for revocations that it cannot tell of. */
  proveRevoked(): ProveRevoked | undefined;
  /** Most items of a batch verified before the event loop turns. */
  readonly batchSlice: number;
  /** Told of the reasons given, by their codes, for the metrics. */
  onVerified(codes: Uint8Array): void;
  onBatch(items: number): void;
  onUnexpectedError(error: unknown): void;
}

export function verifyRoutes(options: VerifyRoutesOptions): Route[] {
  const { addon, batchSlice } = options;
  const single = createSingleHandler({ ...options, writer: createAnswerWriter(GATHERED_CALLS, addon) });
  const batch = createBatchHandler({ ...options, writer: createAnswerWriter(batchSlice, addon) });
  return [
    {
      method: 'POST',
      path: '/v1/verify',
      name: 'verify',
      body: { maxBytes: LIMITS.singleBodyBytes, mediaTypes: SINGLE_MEDIA_TYPES },
      handle: single,
    },
    {
      method: 'POST',
      path: '/v1/verify/batch',
      name: 'verify_batch',
      body: { maxBytes: LIMITS.batchBodyBytes, mediaTypes: BATCH_BODY_MEDIA_TYPES },
      stream: batch,
    },
  ];
}
