/** Whether the shared log is to be had, by the gateway's own settings and its own call; nothing is written there. */
import type { Config } from '../../config.ts';
import { readRedisSettings } from '../../control/redis-settings.ts';
import { URL_FOR } from '../../redis/fault.ts';
import { loadDeploymentSecret } from '../../revocation/deployment-secret.ts';
import { openRedisLog } from '../../revocation/shared/redis/redis-log.ts';
import type { Followed, LogResult } from '../../revocation/shared/shared-log.ts';
import { type Finding, failure, fine, warning } from './finding.ts';

const SUBJECT = 'shared log';

export async function checkRedis(config: Config): Promise<Finding[]> {
  const { redisUrl, secretFile } = config;
  if (redisUrl === undefined) return [];
  const read = readRedisSettings(redisUrl, config);
  if (!read.ok) return read.errors.map((error) => failure(SUBJECT, error, 'correct it; see docs/redis.md'));
  const loaded = loadDeploymentSecret(secretFile);
  if (!loaded.ok) {
    const mend = 'give this gateway the secret that the others have, by VIGIE_SECRET_FILE';
    return [failure(SUBJECT, `needs the deployment's secret: ${loaded.message}`, mend)];
  }
  const log = openRedisLog({ ...read.settings, fingerprint: loaded.secret.fingerprint });
  try {
    return [judge(await log.follow(Number.MAX_SAFE_INTEGER, 1)), ...durability(config)];
  } finally {
    log.close();
  }
}

function judge(answer: LogResult<Followed>): Finding {
  if (!answer.ok) {
    const mend = URL_FOR[answer.code];
    if (mend !== undefined) return failure(SUBJECT, `Redis refuses (${answer.code})`, mend);
    const how = { unreachable: 'cannot be reached', refused: 'refuses', malformed: 'holds no log' }[
      answer.fault
    ];
    return failure(SUBJECT, `Redis ${how} (${answer.code})`, 'see the codes in docs/redis.md');
  }
  const { value } = answer;
  switch (value.kind) {
    case 'empty':
      return fine(SUBJECT, 'Redis answers and is empty; the first gateway makes the log');
    case 'founding':
      return warning(SUBJECT, 'a gateway is making the log anew', 'look again in a minute');
    case 'foreign':
      if (value.because === 'schema') {
        return failure(SUBJECT, 'the log has a form that this release does not know', 'run a newer release');
      }
      return failure(
        SUBJECT,
        'the log was made under another secret',
        'correct VIGIE_SECRET_FILE, or VIGIE_REDIS_PREFIX where two deployments share one Redis',
      );
    case 'log':
      if (value.head.confirmed) return fine(SUBJECT, `Redis answers; the log is at ${value.head.seq}`);
      return failure(SUBJECT, 'too few replicas confirm', 'mend them, or lower VIGIE_REDIS_WAIT_REPLICAS');
  }
}

/** What holds however well Redis answers. */
function durability({ redisWaitReplicas }: Config): Finding[] {
  if (redisWaitReplicas > 0) return [];
  const mend = 'set VIGIE_REDIS_WAIT_REPLICAS=1 wherever Redis can fail over';
  return [warning('replicas', 'none has to confirm a change: a failover may lose the last ones', mend)];
}
