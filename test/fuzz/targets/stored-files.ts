/** Files of the data directory and of operators, written as the input says and read as the gateway reads them. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { openAuditTrail } from '../../../src/audit/audit-trail.ts';
import { checkTrail } from '../../../src/audit/check-trail.ts';
import { DATA_SCOPES, parseCallerList } from '../../../src/callers/caller-list.ts';
import { openJournalFiles } from '../../../src/replay/journal-files.ts';
import { modelCallers } from '../models/caller-list-model.ts';
import { compared, type InputPart, judged } from './input-part.ts';

function scratch(what: string): string {
  return mkdtempSync(join(tmpdir(), `vigie-fuzz-${what}-`));
}

const FORM = 'vigie proofs 1\n';
const NOTE_BYTES = 24;

/** A journal of holder proofs: whole notes behind the form's line, and nothing else. */
export function openJournal(): InputPart {
  const dir = scratch('journal');
  const files = openJournalFiles(dir);
  const note = Buffer.alloc(NOTE_BYTES, 0xab);
  note.writeDoubleLE(1_795_428_000_000, 16);
  return {
    words: [FORM, note],
    seeds: [Buffer.concat([Buffer.from(FORM), note, note]), Buffer.from(FORM)],
    run: (rest) => {
      writeFileSync(join(dir, 'proofs-1'), rest);
      const read = files.read(1).map(({ id, expiresAtMs }) => [Buffer.from(id).toString('hex'), expiresAtMs]);
      const model: (string | number)[][] = [];
      const isOurs = rest.toString('latin1', 0, FORM.length) === FORM;
      const view = new DataView(rest.buffer, rest.byteOffset, rest.length);
      for (let at = FORM.length; isOurs && at + NOTE_BYTES <= rest.length; at += NOTE_BYTES) {
        model.push([rest.toString('hex', at, at + 16), view.getFloat64(at + 16, true)]);
      }
      return compared('a journal', read, isOurs ? model : undefined, isDeepStrictEqual(read, model));
    },
    close: () => rmSync(dir, { recursive: true, force: true }),
  };
}

const BOUNDS = { callers: 4, batchItems: 10 };
const HASHES = [1, 2, 3].map((fill) => Buffer.alloc(32, fill).toString('base64url'));
const CALLERS = [
  '{"callers":[]}',
  `{"callers":[{"name":"pharmacy-one","scopes":["verify","batch"],"quota":{"perSecond":5,"burst":10},"keys":[{"hash":"${HASHES[0]}","expiresAt":1798761600},{"hash":"${HASHES[1]}"}]}]}`,
  `{"callers":[{"name":"a","scopes":["lots","at"],"keys":[]},{"name":"b","scopes":["verify"],"keys":[{"hash":"${HASHES[2]}"}]}]}`,
];

export function openCallers(): InputPart {
  return {
    words: [
      ...[
        '"callers"',
        '"name"',
        '"scopes"',
        '"quota"',
        '"perSecond"',
        '"burst"',
        '"keys"',
        '"hash"',
        '"expiresAt"',
      ],
      ...[
        '"verify"',
        '"batch"',
        '"lots"',
        '"at"',
        '"status"',
        '"__proto__"',
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '""',
        '-1',
      ],
      ...[
        '1e400',
        '0.001',
        '10000000',
        '10000001',
        '9',
        '10',
        '1.5',
        'null',
        '"a-"',
        '"A"',
        '"-"',
        ...HASHES.map((hash) => `"${hash}"`),
      ],
    ],
    seeds: CALLERS.map((text) => Buffer.from(text)),
    run: (rest) => {
      const parsed = parseCallerList(rest, DATA_SCOPES, BOUNDS);
      const model = modelCallers(rest, DATA_SCOPES, BOUNDS);
      const read = parsed.ok ? parsed.callers.map((caller) => ({ ...caller })) : undefined;
      return compared('the callers', read ?? parsed, model, isDeepStrictEqual(read, model));
    },
  };
}

const AUDIT_KEY = Buffer.alloc(32, 3);
const AUDIT_NAME = 'admin';

/** A day of an audit trail. No line can be forged without the key, so those of the seed are all that are good. */
export async function openAudit(): Promise<InputPart> {
  const dir = scratch('audit');
  const text = await writtenTrail(dir);
  const good = text.split('\n').slice(0, -1);
  const file = join(dir, readdirSync(dir)[0] as string);
  return {
    words: [
      ...good.map((line) => `${line}\n`),
      '\n',
      '\r',
      '\r\n',
      '\u2028',
      '{"n":',
      '"prev":"',
      '"mac":"',
      '\0',
      '\ufeff',
    ],
    seeds: [Buffer.from(text), Buffer.from(`${good[1]}\n${good[2]}\n`), Buffer.from(`${text}{"n":5,"at"`)],
    run: async (rest) => {
      writeFileSync(file, rest);
      const checked = await checkTrail(dir, AUDIT_NAME, AUDIT_KEY);
      const whole = wholeLines(rest, good);
      const isClean = checked.faults.length === 0 && checked.torn === 0;
      if (checked.lines !== whole.length)
        return judged(false, `${checked.lines} lines hold, not ${whole.length}`);
      // Nothing that is not the trail's own, in its own order, passes as untouched.
      const untouched = isUntouched(rest, good);
      if (isClean !== untouched)
        return judged(untouched, `said to be ${isClean ? '' : 'un'}harmed: ${JSON.stringify(checked)}`);
      const isInOrder = whole.every((line, i) => i === 0 || line === (whole[i - 1] as number) + 1);
      if (!isInOrder && checked.faults.length === 0)
        return judged(false, 'lines are missing, and nothing is said');
      const last = whole.at(-1);
      if (checked.last !== (last === undefined ? 0 : last + 1))
        return judged(untouched, `the last line is ${checked.last}`);
      return judged(untouched && whole.length > 0);
    },
    close: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** Places in `good` of the lines that are one of them, to the byte. */
function wholeLines(bytes: Buffer, good: readonly string[]): number[] {
  const lines = bytes.toString('latin1').split('\n');
  return lines.map((line) => good.indexOf(line)).filter((place) => place >= 0);
}

/** Lines of the trail in a row; a line feed at the end may be missing, as nothing of a line is. */
function isUntouched(bytes: Buffer, good: readonly string[]): boolean {
  const lines = bytes
    .toString('latin1')
    .split('\n')
    .filter((line) => line !== '');
  const first = good.indexOf(lines[0] ?? '');
  return lines.length === 0 || (first >= 0 && lines.every((line, i) => line === good[first + i]));
}

async function writtenTrail(dir: string): Promise<string> {
  mkdirSync(dir, { recursive: true });
  const trail = await openAuditTrail({
    dir,
    name: AUDIT_NAME,
    key: AUDIT_KEY,
    days: 36_500,
    wallMs: () => Date.UTC(2026, 10, 26),
    onFault: () => {},
  });
  for (const action of ['status-changes', 'trust-list-reload', 'key-retirements', 'status-changes']) {
    await trail.append({ action, caller: 'synthetic-operator', count: 3 });
  }
  await trail.close();
  return readFileSync(join(dir, readdirSync(dir)[0] as string), 'utf8');
}
