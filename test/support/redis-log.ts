/** The shared log as a gateway opens it, on a test's own Redis. */
import type { DeploymentSecret } from '../../src/revocation/deployment-secret.ts';
import { openRedisLog } from '../../src/revocation/shared/redis/redis-log.ts';
import type { SharedLog } from '../../src/revocation/shared/shared-log.ts';

export function openLogOn(port: number, { fingerprint }: DeploymentSecret): SharedLog {
  const none = { password: undefined, sentinelPassword: undefined };
  return openRedisLog({
    target: {
      kind: 'server',
      address: { host: '127.0.0.1', port },
      database: 0,
      tls: false,
      username: undefined,
    },
    credentials: { ...none, ca: undefined, cert: undefined, key: undefined },
    prefix: 'vigie',
    waitReplicas: 0,
    waitMs: 100,
    timeoutMs: 500,
    fingerprint,
  });
}
