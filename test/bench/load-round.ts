/** A round of load in which every answer was right, for tests of what rows make of it. */
import type { LoadReport } from '../../bench/src/load/load-report.ts';

type Measured = Pick<LoadReport, 'requests' | 'seconds' | 'generatorTicks' | 'serverTicks'>;

export function loadRound(measured: Measured & Partial<LoadReport>): LoadReport {
  return { p50Ms: 1, p99Ms: 2, non2xx: 0, socketErrors: 0, checked: 0, notValid: 0, ...measured };
}
