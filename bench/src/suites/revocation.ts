/** Suite `revocation`: the bars of the shared revocation data, on a real redis-server and real gateways. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { signCards } from '../corpus/credentials.ts';
import type { Options } from '../options.ts';
import { CACHE_DIR } from '../paths.ts';
import { requirePackage, requireTaskset } from '../process/programs.ts';
import type { Suite, SuiteResult } from '../suite.ts';
import { type Built, loadBuilt } from './revocation/built.ts';
import { bulkJti, prepareBulk } from './revocation/bulk-load.ts';
import { measureEnforcement } from './revocation/enforcement.ts';
import { measureFilter } from './revocation/filter.ts';
import { importJti, measureImport } from './revocation/import.ts';
import type { PartResult } from './revocation/rows.ts';
import { measureStarts } from './revocation/start.ts';

const PARTS = ['import', 'start', 'filter', 'enforcement'] as const;
type RevocationPart = (typeof PARTS)[number];

export const revocationSuite: Suite = {
  name: 'revocation',
  summary: 'import, start, filter and enforcement against ten million revocations, on a real redis-server',
  parts: PARTS,
  run,
};

const IMPORT_ENTRIES = 1_000_000;
/** A few a second for a minute: enough for a p99 that three of them make. */
const REVOCATIONS = 300;
const GOOD_CARDS = 1_000;

/** With the seconds since the command began: loading and waiting take longer than measuring here. */
const say = (text: string): void =>
  console.error(`bench: ${Math.round(performance.now() / 1000)} s: ${text}`);

async function run(options: Options): Promise<SuiteResult> {
  requireTaskset();
  requirePackage('redis-server');
  const built = await loadBuilt();
  // Beside the cache, so that copies are made within one file system.
  mkdirSync(CACHE_DIR, { recursive: true });
  const runDir = mkdtempSync(join(CACHE_DIR, 'run-'));
  const removeRun = () => rmSync(runDir, { recursive: true, force: true });
  process.once('exit', removeRun);
  try {
    const parts: PartResult[] = [];
    for (const part of PARTS.filter((known) => options.only.includes(known))) {
      parts.push(await measurePart(part, options, built, runDir));
    }
    return resultOf(parts, options);
  } finally {
    removeRun();
  }
}

async function measurePart(
  part: RevocationPart,
  options: Options,
  built: Built,
  runDir: string,
): Promise<PartResult> {
  const { entries, rounds } = options;
  const filter = { capacity: entries, falsePositiveRate: options.rate };
  say(`revocation, ${part}`);
  const cards = (count: number, prefix: string) =>
    Array.from({ length: count }, (_, i) => `${prefix}-card-${String(i + 1).padStart(12, '0')}`);
  switch (part) {
    case 'filter':
      return measureFilter({ filter, rounds, core: options.serverCore });
    case 'import': {
      const count = Math.min(IMPORT_ENTRIES, entries);
      const { credentials, trustListFile } = sign(runDir, ['good-card', importJti(count)]);
      const [good, imported] = credentials as [string, string];
      return measureImport({ entries: count, runDir, filter, trustListFile, good, imported, say });
    }
    case 'start': {
      const bulk = await prepareBulk(built, CACHE_DIR, filter, say);
      const { credentials, trustListFile } = sign(runDir, ['good-card', bulkJti(1)]);
      const [good, revoked] = credentials as [string, string];
      return measureStarts({ built, bulk, runDir, rounds, filter, trustListFile, good, revoked, say });
    }
    case 'enforcement': {
      const bulk = await prepareBulk(built, CACHE_DIR, filter, say);
      const jtis = [...cards(REVOCATIONS, 'revoked'), ...cards(GOOD_CARDS, 'good')];
      const { credentials, trustListFile } = sign(runDir, jtis);
      const good = credentials.slice(REVOCATIONS);
      const revoked = credentials
        .slice(0, REVOCATIONS)
        .map((credential, i) => ({ jti: jtis[i] as string, credential }));
      return measureEnforcement({ bulk, runDir, filter, trustListFile, good, cards: revoked, say });
    }
  }
}

function sign(runDir: string, jtis: readonly string[]) {
  const { credentials, trustList } = signCards(jtis);
  const trustListFile = join(runDir, 'trust-list.json');
  writeFileSync(trustListFile, JSON.stringify(trustList));
  return { credentials, trustListFile };
}

function resultOf(parts: readonly PartResult[], options: Options): SuiteResult {
  const wrong = parts.flatMap((part) => part.wrong);
  for (const text of wrong) console.error(`bench: WRONG: ${text}`);
  return {
    rows: parts.flatMap(({ rows }) => rows),
    columns: [
      { key: 'part', title: 'part' },
      { key: 'what', title: 'what' },
      { key: 'value', title: 'measured' },
      { key: 'unit', title: 'unit' },
      { key: 'bar', title: 'bar' },
      { key: 'passed', title: 'passed' },
      { key: 'detail', title: 'detail' },
    ],
    facts: {
      entries: options.entries,
      falsePositiveRate: options.rate,
      rounds: options.rounds,
      ...Object.assign({}, ...parts.map(({ facts }) => facts)),
    },
    warnings: [...parts.flatMap(({ warnings }) => warnings), ...wrong],
    failed: wrong.length > 0,
  };
}
