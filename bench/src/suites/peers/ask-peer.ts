/** Whether a server lets a credential pass, by either way of asking; what each gets wrong is what it cannot do. */
import { setTimeout as sleep } from 'node:timers/promises';
import { BEARER_PATH } from './bearer-requests.ts';
import type { RunningPeer } from './peer-context.ts';
import type { ProbeSet } from './probe-credentials.ts';

const ANSWER_LIMIT_MS = 10_000;

export async function acceptsBearer(origin: string, credential: string): Promise<boolean> {
  const answer = await fetch(origin + BEARER_PATH, {
    headers: { authorization: `Bearer ${credential}` },
    signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
  });
  const body = await answer.text();
  if (answer.status === 200 && body.includes('"verdict":"valid"')) return true;
  if (answer.status === 401 || answer.status === 403) return false;
  throw new Error(`answered with ${answer.status}: ${body.slice(0, 200)}`);
}

export async function acceptsInJson(origin: string, credential: string): Promise<boolean> {
  const answer = await fetch(`${origin}/v1/verify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ credential }),
    signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
  });
  const body = await answer.text();
  if (answer.status !== 200) throw new Error(`answered with ${answer.status}: ${body.slice(0, 200)}`);
  return JSON.parse(body).verdict === 'valid';
}

export interface Findings {
  /** Wrong about what makes a verifier. */
  readonly essential: readonly string[];
  readonly cannot: readonly string[];
}

export async function probePeer(peer: RunningPeer, { probes }: ProbeSet): Promise<Findings> {
  const essential: string[] = [];
  const cannot: string[] = [];
  for (const probe of probes) {
    if ((await peer.accepts(probe.credential)) === probe.isValid) continue;
    (probe.isEssential ? essential : cannot).push(probe.cannot);
  }
  return { essential, cannot };
}

interface AfterExpiry {
  readonly accepting: ReadonlySet<RunningPeer>;
  readonly broken: ReadonlyMap<RunningPeer, unknown>;
}

/**
 * Shows each a credential that is about to expire, and the same one once it has; who accepts it twice is named, and with
 * its error who gives no verdict.
 */
export async function acceptAfterExpiry(
  peers: readonly RunningPeer[],
  { soonExpired }: ProbeSet,
): Promise<AfterExpiry> {
  const { credential, inMs } = soonExpired();
  const broken = new Map<RunningPeer, unknown>();
  const accepting = async (): Promise<RunningPeer[]> => {
    const answers = await Promise.all(
      peers.map((peer) =>
        peer.accepts(credential).catch((error: unknown) => {
          broken.set(peer, error);
          return false;
        }),
      ),
    );
    return peers.filter((_, index) => answers[index]);
  };
  const before = await accepting();
  // A second more, since clocks in tokens have seconds.
  await sleep(inMs + 1_000);
  const after = await accepting();
  return { accepting: new Set(after.filter((peer) => before.includes(peer))), broken };
}
