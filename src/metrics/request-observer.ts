/** Counts a listener's requests in its thread's slab. */
import type { RequestObserver } from '../ingress/http-server.ts';
import { type Counters, ROUTES, type RouteName } from './counters.ts';

/** Routes that are asked by watchers, not by pharmacies: they are no sign that traffic still comes. */
const PROBES: readonly RouteName[] = ['healthz', 'readyz', 'metrics'];

export function requestObserver(counters: Counters): RequestObserver {
  const isProbe = ROUTES.map((route) => PROBES.includes(route));
  const numbers = new Map<string, number>(ROUTES.map((route, number) => [route, number]));
  return {
    routeOf: (name) => numbers.get(name) as number,
    begin: (route, nowMs) => counters.beginRequest(isProbe[route] === true ? undefined : nowMs),
    end: (route, status, seconds) => counters.endRequest(ROUTES[route] as RouteName, status ?? 0, seconds),
  };
}
