/** When the certificates of the data listener end: known long before, and an outage on the day. */
import type { Registry } from 'prom-client';
import { gauge, type Sample } from './metric-kinds.ts';

export interface TlsFacts {
  /** Unix milliseconds. */
  readonly certificateMs: number;
  readonly clientCaMs: number | undefined;
}

/** `undefined`: the listener speaks plain HTTP, and the metric has no series. */
export function tlsMetrics(registry: Registry, facts: TlsFacts | undefined): void {
  gauge(
    registry,
    'vigie_tls_certificate_expiry_seconds',
    "Unix time at which what was read at start ends: the data listener's certificate, or the first of the authorities of callers.",
    ['file'],
    () => {
      if (facts === undefined) return [];
      const samples: Sample[] = [[{ file: 'certificate' }, facts.certificateMs / 1000]];
      if (facts.clientCaMs !== undefined) samples.push([{ file: 'client_ca' }, facts.clientCaMs / 1000]);
      return samples;
    },
  );
}
