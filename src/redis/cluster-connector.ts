/**
 * How ioredis finds the primary of one slot of a cluster, each time that it connects.
 *
 * All nodes known are asked at once, within one deadline, and the claim of the highest config epoch counts: a new
 * owner that can be reached says so itself, whatever others still believe. Known are the URL's nodes and, from the
 * last answer, the owner and its replicas: pods come and go, and their names with them.
 */
import { connect as connectTcp } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, Redis, type RedisOptions } from 'ioredis';
import { latestClaim, readClaim, type SlotClaim } from './cluster-nodes.ts';
import type { HostPort } from './target.ts';

export interface ClusterFinding {
  readonly seeds: readonly HostPort[];
  readonly slot: number;
  /** How a node is connected to: user, password, TLS. */
  readonly node: RedisOptions & { readonly replyMapping: 'legacy' };
  /** For all nodes together. */
  readonly timeoutMs: number;
  /** Between two attempts to find the owner. */
  readonly retryDelayMs: (attempt: number) => number;
}

type Answer = { readonly claim: SlotClaim | undefined } | { readonly error: Error };

/** A class, since that is what ioredis takes. */
export function clusterConnector(finding: ClusterFinding): NonNullable<RedisOptions['Connector']> {
  const { node, retryDelayMs } = finding;
  return class extends AbstractConnector {
    private learnt: readonly HostPort[] = [];

    constructor() {
      super(node.disconnectTimeout ?? 0);
    }

    /** Goes on until an owner is known: a rejection would be the end of the client. */
    override async connect(emit: (event: string, error: Error) => void) {
      this.connecting = true;
      for (let attempt = 1; this.connecting; attempt++) {
        const found = await findOwner(finding, this.learnt);
        if (!this.connecting) break;
        if ('owner' in found) {
          this.learnt = found.members;
          return this.open(found.owner);
        }
        emit('error', found);
        await sleep(retryDelayMs(attempt));
      }
      throw new Error('closed while the owner was looked for');
    }

    private open({ host, port }: HostPort) {
      const stream = node.tls ? connectTls({ ...node.tls, host, port }) : connectTcp({ host, port });
      stream.once('error', (error) => {
        this.firstError = error;
      });
      this.stream = stream;
      return stream;
    }
  };
}

async function findOwner(finding: ClusterFinding, learnt: readonly HostPort[]): Promise<SlotClaim | Error> {
  const nodes = new Map([...finding.seeds, ...learnt].map((at) => [`${at.host} ${at.port}`, at]));
  const answers = await Promise.all([...nodes.values()].map((at) => ask(finding, at)));
  const claims = answers.flatMap((answer) => ('claim' in answer && answer.claim) || []);
  const latest = latestClaim(claims);
  if (latest !== undefined) return latest;
  const errors = answers.flatMap((answer) => ('error' in answer ? [answer.error] : []));
  // What a node says against us is more telling than that others are not there.
  const refusal = errors.find(({ name }) => name === 'ReplyError');
  if (refusal?.message.includes('cluster support disabled')) return failure('NO_CLUSTER');
  if (refusal !== undefined) return refusal;
  if (errors.length < answers.length) return failure('NO_SLOT_OWNER');
  const [first, ...rest] = errors.map((error) => (error as NodeJS.ErrnoException).code);
  return failure(first !== undefined && rest.every((code) => code === first) ? first : 'NO_CLUSTER_NODE');
}

/** By a connection of its own, which ends with the answer or by the deadline. */
async function ask({ node, slot, timeoutMs }: ClusterFinding, at: HostPort): Promise<Answer> {
  const { commandTimeout: _, retryStrategy: __, reconnectOnError: ___, ...how } = node;
  const client = new Redis({
    ...how,
    ...at,
    // The one command waits for the connection, and its time counts from here.
    enableOfflineQueue: true,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    retryStrategy: () => null,
  });
  // The command is refused only with "closed"; why, the connection knows.
  let because: Error | undefined;
  client.on('error', (error) => {
    because = error;
  });
  try {
    const answer = await client.call('CLUSTER', 'NODES');
    return { claim: readClaim(String(answer), slot, at, node.tls !== undefined) };
  } catch (error) {
    return { error: because ?? (error as Error) };
  } finally {
    client.disconnect();
  }
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}
