/** What the replicator tells, in the log: once for each change, and nothing in it names a card or a key. */
import type { Log, LogFields } from '../log.ts';
import { URL_FOR } from '../redis/fault.ts';
import type { ReplicatorEvent } from '../revocation/shared/replicator-contract.ts';

export function logReplicatorEvent(log: Log, told: ReplicatorEvent): void {
  const { event, ...fields } = told;
  const mend = told.event === 'state' ? URL_FOR[told.code] : undefined;
  log(levelOf(told), `revocation log: ${event}`, { ...fields, ...(mend && { mend }) } as LogFields);
}

function levelOf(told: ReplicatorEvent): 'info' | 'warn' | 'error' {
  switch (told.event) {
    case 'state':
      if (told.state === 'foreign') return 'error';
      return told.state === 'following' ? 'info' : 'warn';
    case 'refused':
    case 'copy-fault':
      return 'error';
    case 'reconciled':
      return 'info';
    default:
      return 'warn';
  }
}
