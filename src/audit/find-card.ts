/** What the audit says of one card: lines of the admin trail that name it, and verifications under its pseudonyms. */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CHANGE_KINDS } from '../card-status.ts';
import { auditFiles, dayOfFile } from './audit-files.ts';
import { type CheckedTrail, checkTrail } from './check-trail.ts';
import { pseudonymsBy, readDayKey, VERIFICATIONS } from './day-keys.ts';

/** A line as it stands there, parsed. */
export type FoundLine = Readonly<Record<string, unknown>>;

export interface FoundActions {
  readonly lines: readonly FoundLine[];
  readonly trail: CheckedTrail;
}

/** Lines of the admin trail that name what has this keyed hash, each with what came of it. Lines that do not hold are none. */
export async function actionsOf(dir: string, key: Uint8Array, hash: Uint8Array): Promise<FoundActions> {
  const name = Buffer.from(hash).toString('hex');
  const lines: FoundLine[] = [];
  const asked = new Set<unknown>();
  const trail = await checkTrail(dir, 'admin', key, (text) => {
    // Nearly all lines are of other cards: only those are parsed that may be wanted.
    const isNamed = text.includes(name);
    if (!isNamed && !text.includes('"of":')) return;
    const line = JSON.parse(text);
    if (isNamed) asked.add(line.n);
    else if (!asked.has(line.of)) return;
    // Of the other cards of the call nothing is said.
    const { hashes, kinds, prev, mac, ...told } = line;
    for (const kind of CHANGE_KINDS) delete told[kind];
    const kind = isNamed ? kindOf(line, name) : undefined;
    lines.push(kind === undefined ? told : { ...told, kind });
  });
  return { lines, trail };
}

/** What was asked for the card itself: by the kinds beside the hashes or, where all were of one kind, by its count. */
function kindOf(line: FoundLine, name: string): string | undefined {
  const { hashes, kinds } = line as {
    readonly hashes?: readonly string[];
    readonly kinds?: readonly string[];
  };
  if (kinds === undefined) return CHANGE_KINDS.find((kind) => line[kind] !== undefined);
  // A call may name a card twice.
  return [...new Set(kinds.filter((_, index) => hashes?.[index] === name))].join(', ');
}

export interface FoundVerifications {
  readonly lines: readonly FoundLine[];
  /** Days whose lines name nobody any more, or by a key that cannot be read. */
  readonly daysWithoutKey: number;
}

/** Verifications of the card with this keyed hash, of the days whose keys are there; `key` is the secret's `pseudonymKey`. */
export async function verificationsOf(
  dir: string,
  pseudonymKey: Uint8Array,
  cardHash: Uint8Array,
): Promise<FoundVerifications> {
  const lines: FoundLine[] = [];
  let daysWithoutKey = 0;
  for (const file of await auditFiles(dir, VERIFICATIONS)) {
    const dayKey = await readDayKey(dir, dayOfFile(file)).catch(() => undefined);
    if (dayKey === undefined) {
      daysWithoutKey++;
      continue;
    }
    const name = `"card":"${pseudonymsBy(dayKey, pseudonymKey)(cardHash)}"`;
    for await (const text of createInterface({ input: createReadStream(join(dir, file)) })) {
      const line = text.includes(name) ? parsed(text) : undefined;
      if (line !== undefined) lines.push(line);
    }
  }
  return { lines, daysWithoutKey };
}

/** `undefined`: a line that a crash or a full disk cut off. */
function parsed(text: string): FoundLine | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
