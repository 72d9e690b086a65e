/** The files of callers, by the gateway's own reading of them, and the keys that end soon. Their modes: `checkOtherFiles`. */
import type { Caller } from '../../callers/caller-list.ts';
import { type Config, SETTINGS } from '../../config.ts';
import { readCallerFile } from '../caller-file.ts';
import { counted } from '../terminal.ts';
import { type Finding, failure, fine, warning } from './finding.ts';

/** Long enough to reach whoever runs a pharmacy system. */
const SOON_MS = 30 * 24 * 3_600 * 1_000;

/** Nothing where no setting names a file. */
export async function checkCallers(config: Config, nowMs: number): Promise<Finding[]> {
  const files = [
    { subject: 'callers', file: config.callersFile, isAdmin: false, env: SETTINGS.callersFile.env },
    {
      subject: 'admin callers',
      file: config.adminCallersFile,
      isAdmin: true,
      env: SETTINGS.adminCallersFile.env,
    },
  ];
  const findings = files.map(async ({ subject, file, isAdmin, env }): Promise<Finding[]> => {
    if (file === undefined) return [];
    const read = await readCallerFile(file, isAdmin);
    if (!read.ok) return [failure(subject, read.fault, `correct it (vigie caller), or ${env}`)];
    return [
      fine(subject, `${file}: ${counted(read.callers.length, 'caller')}`),
      ...endings(subject, read.callers, nowMs),
    ];
  });
  return (await Promise.all(findings)).flat();
}

/** By the key that lasts longest: the other one of a rotation may well have ended. */
function endings(subject: string, callers: readonly Caller[], nowMs: number): Finding[] {
  const lasting = callers.map(({ name, keys }) => ({
    name,
    endMs: Math.max(0, ...keys.map(({ expiresAt = Number.POSITIVE_INFINITY }) => expiresAt * 1_000)),
  }));
  const ended = lasting.filter(({ endMs }) => endMs <= nowMs);
  const ending = lasting.filter(({ endMs }) => endMs > nowMs && endMs <= nowMs + SOON_MS);
  const mend = 'vigie caller rotate, and send the new key';
  return [
    ...(ended.length > 0 ? [warning(subject, `no key in force: ${namesOf(ended)}`, mend)] : []),
    ...(ending.length > 0
      ? [warning(subject, `the last key ends within 30 days: ${namesOf(ending)}`, mend)]
      : []),
  ];
}

const MOST_NAMED = 5;

function namesOf(callers: readonly { readonly name: string }[]): string {
  const named = callers.slice(0, MOST_NAMED).map(({ name }) => name);
  return callers.length > MOST_NAMED
    ? `${named.join(', ')} and ${callers.length - MOST_NAMED} more`
    : named.join(', ');
}
