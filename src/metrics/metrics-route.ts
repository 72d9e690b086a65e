/** `GET /metrics` in the Prometheus text format. */
import type { Registry } from 'prom-client';
import type { Route } from '../ingress/route.ts';

export function metricsRoute(registry: Registry): Route {
  return {
    method: 'GET',
    path: '/metrics',
    name: 'metrics',
    handle: async (exchange) => {
      const body = await registry.metrics();
      exchange.reply({ status: 200, contentType: registry.contentType, body });
    },
  };
}
