/** Ends a recording and judges it: the violations are the failure's message, and the history stays as a file. */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Gateway } from '../support/gateway.ts';
import type { RedisServer } from '../support/redis.ts';
import { enforcementDelaysMs } from './enforcement-delays.ts';
import { finalContents } from './final-contents.ts';
import { type HistoryEvent, toJsonLines } from './history.ts';
import { checkHistory } from './history-checker.ts';
import type { Recording } from './recorder.ts';

const SHOWN = 20;

export interface Judged {
  readonly changes: number;
  readonly acknowledged: number;
  readonly verifies: number;
  /** From acknowledgement to the last answer without it, over all revocations and gateways. */
  readonly enforcementP99Ms: number;
}

/** Clients stop, everything heals, all gateways end; then the whole history has to hold. */
export async function judged(
  label: string,
  recording: Recording,
  fleet: ReadonlyMap<string, Gateway>,
  redis: RedisServer,
): Promise<Judged> {
  await recording.stop();
  const finals = await finalContents(fleet, recording.cards, redis);
  const history = [...recording.history, ...finals];
  const violations = checkHistory(history).map(({ invariant, message }) => `${invariant} ${message}`);
  const wrong = [...violations, ...recording.faults];
  if (wrong.length > 0) {
    const shown = wrong.slice(0, SHOWN).join('\n');
    throw new Error(`${wrong.length} violations, ${kept(label, history)}:\n${shown}`);
  }
  const changes = history.filter((event) => event.type === 'change');
  const verifies = history.filter((event) => event.type === 'verify');
  const acknowledged = changes.filter(({ outcome }) => outcome === 'ok').length;
  // A history in which nothing happened would hold as well.
  const revoked = verifies.filter(({ answer }) => answer === 'revoked').length;
  if (acknowledged <= 10 || revoked <= 10)
    throw new Error(`too little happened: ${acknowledged} changes acknowledged, ${revoked} answers revoked`);
  const delays = enforcementDelaysMs(history).sort((a, b) => a - b);
  return {
    changes: changes.length,
    acknowledged,
    verifies: verifies.length,
    enforcementP99Ms: Math.round(delays[Math.floor(delays.length * 0.99)] ?? 0),
  };
}

/** Beside the directory that goes with the run, where there is one (test/support/temp-root.ts). */
function kept(label: string, history: readonly HistoryEvent[]): string {
  const file = join(dirname(process.env.TMPDIR ?? '/tmp/x'), `vigie-history-${label}-${process.pid}.jsonl`);
  writeFileSync(file, toJsonLines(history));
  return file;
}
