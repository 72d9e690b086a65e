/** The minute: steady load, a gateway killed and restarted, the primary of the log killed, failed over and back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type AlertSpan, watchAlerts } from './alerts.ts';
import type { Cards } from './cards.ts';
import { startLoad } from './load.ts';
import { startRevoker } from './revoker.ts';
import { type Stack, until } from './stack.ts';
import { createTally, type Tally } from './tally.ts';

export interface Played {
  readonly tally: Tally;
  readonly alerts: readonly AlertSpan[];
  /** Milliseconds since the load began; the time of a failover from the kill on. */
  readonly events: readonly { readonly atMs: number; readonly what: string }[];
  readonly beganMs: number;
  readonly gatewayReadyMs: number;
  readonly failoverMs: number;
  /** From the primary's end to the next change that was acknowledged. */
  readonly changesBackMs: number | undefined;
  readonly revoked: number;
  readonly unacknowledged: number;
}

export const LOAD = {
  singlesPerSecond: 150,
  batchesPerSecond: 5,
  batchItems: 40,
  revocationGapMs: 250,
} as const;

/** Parts of the whole time at which things happen; the log's primary is away for a quarter of it. */
const AT = { gatewayDies: 0.15, gatewayBack: 0.3, primaryDies: 0.45, primaryBack: 0.7 } as const;

export async function play(
  stack: Stack,
  cards: Cards,
  seconds: number,
  onEvent: (atMs: number, what: string) => void,
): Promise<Played> {
  const tally = createTally('all is well');
  const watch = watchAlerts(stack.ports.prometheus);
  const beganMs = performance.now();
  const events: { atMs: number; what: string }[] = [];
  const happens = (what: string): void => {
    const atMs = performance.now() - beganMs;
    events.push({ atMs, what });
    onEvent(atMs, what);
  };
  const load = startLoad({ port: stack.ports.verify, cards: cards.shown, tally, ...LOAD });
  const revoker = startRevoker({
    adminPorts: stack.ports.admin,
    bearerToken: stack.adminToken,
    doomed: cards.doomed,
    gapMs: LOAD.revocationGapMs,
  });
  const at = (part: number) => sleep(Math.max(0, beganMs + part * seconds * 1_000 - performance.now()));
  try {
    await at(AT.gatewayDies);
    tally.enter('a gateway is dead');
    await stack.killGateway(1);
    happens('gateway-b killed (kill -9)');
    await at(AT.gatewayBack);
    const restartedMs = performance.now();
    await stack.restartGateway(1);
    const gatewayReadyMs = performance.now() - restartedMs;
    happens('gateway-b restarted, and ready');
    tally.enter('it is back');

    await at(AT.primaryDies);
    tally.enter("the log's primary is dead");
    await stack.killPrimary();
    const killedMs = performance.now();
    happens('the primary of Redis killed (kill -9)');
    await until('the failover', stack.hasFailedOver);
    const failoverMs = performance.now() - killedMs;
    happens('all sentinels name the replica as primary');
    await at(AT.primaryBack);
    await stack.restartPrimary();
    happens('the old primary restarted');
    tally.enter('it is back, as a replica');
    await at(1);
    await Promise.all([load.stop(), revoker.stop()]);
    happens('the load ends');
    const back = revoker.firstAfter(killedMs);
    return {
      tally,
      alerts: watch.spans,
      events,
      beganMs,
      gatewayReadyMs,
      failoverMs,
      changesBackMs: back === undefined ? undefined : back - killedMs,
      revoked: revoker.acknowledgedMs.length,
      unacknowledged: revoker.unacknowledged(),
    };
  } finally {
    watch.stop();
    await Promise.allSettled([load.stop(), revoker.stop()]);
  }
}
