/**
 * Mutual TLS beyond the handshake. The parser refuses a certificate that is not good when it is shown, and no more: whoever
 * shows none gets through, and one that ends goes on being taken on connections that are open and in sessions that are
 * resumed, for two days. So every request is looked at.
 */
import type { HttpResponse } from 'uWebSockets.js';
import { X509Certificate } from 'node:crypto';
import type { Problem } from './problem.ts';

export interface CallerCertificates {
  /** Why whoever is connected may not call; `undefined` when it may. */
  fault(res: Pick<HttpResponse, 'getX509Certificate'>): Problem | undefined;
}

/** Certificates whose dates are kept: more than callers have, and a bound on what they can make us keep. */
const MOST_KEPT = 4_096;

const NO_CERTIFICATE: Problem = {
  type: 'forbidden',
  detail: 'a certificate is required of whoever connects',
};
const NOT_VALID_NOW: Problem = {
  type: 'forbidden',
  detail: 'the certificate of whoever connects is not valid now',
};

interface Validity {
  readonly fromMs: number;
  readonly untilMs: number;
}

export function createCallerCertificates(wallMs: () => number): CallerCertificates {
  const kept = new Map<string, Validity>();
  const validityOf = (pem: string): Validity => {
    const known = kept.get(pem);
    if (known !== undefined) return known;
    const validity = readValidity(pem);
    const [oldest] = kept.keys();
    if (kept.size >= MOST_KEPT && oldest !== undefined) kept.delete(oldest);
    kept.set(pem, validity);
    return validity;
  };
  return {
    fault: (res) => {
      const pem = res.getX509Certificate();
      if (pem === '') return NO_CERTIFICATE;
      const { fromMs, untilMs } = validityOf(pem);
      const nowMs = wallMs();
      // The last second named belongs to it (RFC 5280 section 4.1.2.5). Dates that cannot be read make no comparison true.
      return nowMs >= fromMs && nowMs < untilMs + 1_000 ? undefined : NOT_VALID_NOW;
    },
  };
}

function readValidity(pem: string): Validity {
  try {
    const { validFrom, validTo } = new X509Certificate(pem);
    return { fromMs: Date.parse(validFrom), untilMs: Date.parse(validTo) };
  } catch {
    return { fromMs: Number.NaN, untilMs: Number.NaN };
  }
}
