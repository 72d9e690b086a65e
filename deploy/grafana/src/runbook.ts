/** Where a panel sends whoever sees something wrong: the section of deploy/RUNBOOK.md on the alert nearest to it. */

/**
 * Where the runbook is published: a placeholder, here and in the alerts of deploy/prometheus, until the command at the
 * head of the runbook puts the real address in all of them.
 */
export const RUNBOOK_URL = 'https://vigie.example/deploy/RUNBOOK.md';

/** Alerts of deploy/prometheus/rules, each with a heading of its name in the runbook. */
export type RunbookSection =
  | 'VigieAvailabilityBurnsFast'
  | 'VigieBatchesShed'
  | 'VigieCallerOverQuota'
  | 'VigieCanaryFailed'
  | 'VigieCanaryUnarmed'
  | 'VigieCannotTell'
  | 'VigieConnectionsRefused'
  | 'VigieEnforcementBurnsFast'
  | 'VigieEngineNotNative'
  | 'VigieEnginesDisagree'
  | 'VigieFileDescriptorsLow'
  | 'VigieFilterFalsePositives'
  | 'VigieFilterFull'
  | 'VigieFilterSnapshotOld'
  | 'VigieForgedEntriesRefused'
  | 'VigieGatewayDown'
  | 'VigieGatewayNotReady'
  | 'VigieInvalidRatioSpike'
  | 'VigieLatencyBurnsFast'
  | 'VigieLogEntriesRestored'
  | 'VigieLogHeld'
  | 'VigieLogLost'
  | 'VigieLogNotWhole'
  | 'VigieNearCapacity'
  | 'VigieOwnCopyFails'
  | 'VigieRedisUnreachable'
  | 'VigieReplayGuardLocal'
  | 'VigieReplayGuardNearlyFull'
  | 'VigieReplayJournalFails'
  | 'VigieRevocationStale'
  | 'VigieRevokedRatioSpike'
  | 'VigieSingleCallsShed'
  | 'VigieStatusChangesFail'
  | 'VigieTrustListOld'
  | 'VigieTrustListRefused'
  | 'VigieUnexpectedErrors'
  | 'VigieWorkerRestarted';

export function runbookUrl(section: RunbookSection): string {
  return `${RUNBOOK_URL}#${section.toLowerCase()}`;
}
