/** `GET /healthz` (the process lives) and `GET /readyz` (it may take traffic, or why not). */
import type { Route } from './route.ts';
import { type RevocationView, wholeMs } from './verdict-reply.ts';

export interface HealthOptions {
  /** Why no traffic may come; empty when it may. */
  unreadyReasons(): readonly string[];
  revocation(): RevocationView;
}

export function healthRoutes({ unreadyReasons, revocation }: HealthOptions): Route[] {
  const headers = { 'cache-control': 'no-store' };
  return [
    {
      method: 'GET',
      path: '/healthz',
      name: 'healthz',
      handle: (exchange) =>
        exchange.reply({ status: 200, contentType: 'application/json', body: '{"alive":true}', headers }),
    },
    {
      method: 'GET',
      path: '/readyz',
      name: 'readyz',
      handle: (exchange) => {
        const reasons = unreadyReasons();
        if (reasons.length > 0) {
          const detail = `not ready: ${reasons.join(', ')}`;
          exchange.problem({ type: 'not-ready', detail, extension: { reasons } }, headers);
          return;
        }
        const { state, seq, ageMs } = revocation();
        const body = JSON.stringify({ ready: true, revocation: { state, seq, ageMs: wholeMs(ageMs) } });
        exchange.reply({ status: 200, contentType: 'application/json', body, headers });
      },
    },
  ];
}
