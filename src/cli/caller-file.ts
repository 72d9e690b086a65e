/** The file of callers as the command line changes it: read whole, judged as a gateway would, written whole. */
import { dirname } from 'node:path';
import { readBoundedFile } from '../bounded-file.ts';
import { renderCallerList } from '../callers/caller-changes.ts';
import {
  ADMIN_SCOPES,
  type Caller,
  DATA_SCOPES,
  parseCallerList,
  type Scope,
} from '../callers/caller-list.ts';
import { LIMITS } from '../config.ts';
import { replacePrivateFile } from '../issuer/private-file.ts';
import { syncDirectory } from '../sync-directory.ts';

export type CallerFile =
  | { readonly ok: true; readonly callers: readonly Caller[] }
  | { readonly ok: false; readonly fault: string };

export function scopesOf(isAdmin: boolean): readonly Scope[] {
  return isAdmin ? ADMIN_SCOPES : DATA_SCOPES;
}

/** `mayBeAbsent`: then a file that is not there has no callers. */
export async function readCallerFile(
  file: string,
  isAdmin: boolean,
  mayBeAbsent = false,
): Promise<CallerFile> {
  const read = await readBoundedFile(file, LIMITS.callersFileBytes);
  if (!read.ok) {
    if (mayBeAbsent && read.reason === 'absent') return { ok: true, callers: [] };
    return { ok: false, fault: `${file}: ${read.fault}` };
  }
  const parsed = judge(read.bytes, isAdmin);
  return parsed.ok ? parsed : { ok: false, fault: `${file}: ${parsed.fault}` };
}

/** What is wrong with the new list, if anything: then the file stays as it was. */
export function writeCallerFile(
  file: string,
  isAdmin: boolean,
  callers: readonly Caller[],
): string | undefined {
  const text = renderCallerList(callers);
  const judged = judge(Buffer.from(text), isAdmin);
  if (!judged.ok) return judged.fault;
  try {
    replacePrivateFile(file, text);
    // A key that was taken out must not be back after a loss of power.
    syncDirectory(dirname(file));
    return undefined;
  } catch (error) {
    return `${file} cannot be written (${(error as NodeJS.ErrnoException).code})`;
  }
}

function judge(bytes: Uint8Array, isAdmin: boolean): CallerFile {
  return parseCallerList(bytes, scopesOf(isAdmin), {
    callers: LIMITS.callers,
    batchItems: LIMITS.batchItems,
  });
}
