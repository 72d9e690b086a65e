/** The audit's files as a gateway leaves them, read line by line. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Members of a line that tests look at, of either trail. */
export interface AuditLine {
  readonly n: number;
  readonly at: string;
  readonly who: string;
  readonly what: string;
  readonly phase: string;
  readonly of?: number;
  readonly outcome?: string;
  readonly count?: number;
  readonly hashes?: readonly string[];
  readonly confirmed?: boolean;
  readonly seq?: number;
  readonly requestId?: string;
  readonly caller?: string;
  readonly card?: string;
  readonly code: number;
}

/** All files of a trail (`admin`, `verifications`), one after the other. */
export function auditText(dataDir: string, name: string): string {
  const dir = join(dataDir, 'audit');
  return readdirSync(dir)
    .filter((file) => file.startsWith(`${name}-`) && file.endsWith('.jsonl'))
    .sort()
    .map((file) => readFileSync(join(dir, file), 'utf8'))
    .join('');
}

/** Those that are whole: the last one may just be written, and a full disk or a kill may have cut one off. */
export function auditLines(dataDir: string, name: string): AuditLine[] {
  const lines = auditText(dataDir, name).split('\n').slice(0, -1);
  return lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line));
}
