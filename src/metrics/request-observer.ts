/** Counts a listener's requests in its thread's slab. */
import type { Clock } from '../clock.ts';
import type { RequestObserver } from '../ingress/http-server.ts';
import type { Counters, RouteName } from './counters.ts';

/** Routes that are asked by watchers, not by pharmacies: they are no sign that traffic still comes. */
const PROBES = ['healthz', 'readyz', 'metrics'];

export function requestObserver(counters: Counters, clock: Clock): RequestObserver {
  return {
    begin: (route) => counters.beginRequest(PROBES.includes(route) ? undefined : clock.monotonicMs()),
    end: (route, status, seconds) => counters.endRequest(route as RouteName, status ?? 0, seconds),
  };
}
