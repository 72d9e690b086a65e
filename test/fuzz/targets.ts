/** The guided targets by name. */
import type { OpenTarget } from './fuzz-target.ts';
import type { GuidedTarget } from './target-names.ts';
import { openEnvelopeTarget } from './targets/envelope.ts';
import { openHttpTarget } from './targets/http.ts';
import { openJwsTarget } from './targets/jws.ts';
import { openRedisTarget } from './targets/redis.ts';
import { openStatusFileTarget } from './targets/status-file.ts';
import { openTrustListTarget } from './targets/trust-list.ts';

export const TARGETS: Readonly<Record<GuidedTarget, OpenTarget>> & Readonly<Record<string, OpenTarget>> = {
  http: openHttpTarget,
  envelope: openEnvelopeTarget,
  jws: openJwsTarget,
  'trust-list': openTrustListTarget,
  'status-file': openStatusFileTarget,
  redis: openRedisTarget,
};
