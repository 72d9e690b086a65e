/** All admin calls: card status, trust list, emergency key retirement. */
import type { Clock } from '../clock.ts';
import type { Route } from '../ingress/route.ts';
import type { AdminParts } from './admin-parts.ts';
import { statusRoutes } from './status-routes.ts';
import { trustRoutes } from './trust-routes.ts';

export function adminRoutes(parts: AdminParts, clock: Pick<Clock, 'wallMs'>): Route[] {
  return [...statusRoutes(parts, clock), ...trustRoutes(parts)];
}
