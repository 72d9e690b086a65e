/** What a data-plane thread counts when it has reached verdicts: their reasons, and how its engine stands. */
import type { Counters } from '../metrics/counters.ts';
import type { SignatureEngine } from '../signature/engine.ts';

export function countVerdicts(counters: Counters, engine: SignatureEngine, codes: Uint8Array): void {
  for (const code of codes) counters.countVerdict(code);
  counters.setKeyCache(engine.keyCache);
  counters.setEngineInForce(engine);
}
