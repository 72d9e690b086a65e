/**
 * Runs a directory of Wycheproof-format vectors through every engine, on the raw keys:
 *
 *     npm run test:vectors -- DIR [--json]
 *
 * `VIGIE_ENGINE` narrows the run to one engine. Exit code 0 when all agree; 1 on any disagreement, or when no
 * case was found; 2 for wrong usage, an unreadable directory or file, or an engine that is not to be had.
 */
import { parseArgs } from 'node:util';
import { openEngines } from '../signature/engines.ts';
import { type Judgement, judge } from './judge.ts';
import { type NotApplicable, readVectorDirectory } from './vector-file.ts';

const USAGE = 'usage: npm run test:vectors -- DIR [--json]';

interface Report extends Judgement {
  readonly ok: boolean;
  readonly files: number;
  readonly cases: number;
  readonly notApplicable: readonly NotApplicable[];
}

process.exitCode = main(process.argv.slice(2), process.env.VIGIE_ENGINE);

function main(args: string[], requestedEngine: string | undefined): 0 | 1 | 2 {
  const options = readArguments(args);
  if (options === undefined) return refuse(USAGE);
  const opened = openEngines(requestedEngine);
  if (!opened.ok) return refuse(opened.error);
  const read = readVectorDirectory(options.directory);
  if (!read.ok) return refuse(read.error);

  const judgement = judge(opened.engines, read.cases);
  const agreed = judgement.conflicts.length === 0 && judgement.engines.every(isWithoutDisagreement);
  const report: Report = {
    ok: agreed && read.cases.length > 0,
    files: read.files,
    cases: read.cases.length,
    notApplicable: read.notApplicable,
    ...judgement,
  };
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : inWords(report));
  return report.ok ? 0 : 1;
}

function readArguments(args: string[]): { directory: string; json: boolean } | undefined {
  try {
    const { positionals, values } = parseArgs({
      args,
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false } },
    });
    const [directory, ...rest] = positionals;
    return directory === undefined || rest.length > 0 ? undefined : { directory, json: values.json };
  } catch {
    return undefined;
  }
}

function refuse(why: string): 2 {
  process.stderr.write(`${why}\n`);
  return 2;
}

function isWithoutDisagreement(score: Judgement['engines'][number]): boolean {
  return score.disagreements.length === 0;
}

function inWords(report: Report): string {
  const lines = [`${report.files} JSON files, ${report.cases} Ed25519 cases`];
  for (const { file, groups, why } of report.notApplicable) {
    lines.push(`not applicable: ${file}, ${groups} groups (${why})`);
  }
  if (report.cases === 0) lines.push('no case found');
  for (const { engine, implementation, cases, agreements, disagreements } of report.engines) {
    lines.push(`${engine} (${implementation}): ${cases} cases, ${agreements} agreements`);
    for (const { file, tcId, comment, expected, got } of disagreements) {
      lines.push(`  disagrees: ${file} tcId ${tcId} "${comment}": expected ${expected}, got ${got}`);
    }
  }
  for (const { file, tcId, comment, got } of report.conflicts) {
    const verdicts = Object.entries(got).map(([engine, verdict]) => `${engine} ${verdict}`);
    lines.push(`engines conflict: ${file} tcId ${tcId} "${comment}": ${verdicts.join(', ')}`);
  }
  return `${lines.join('\n')}\n`;
}
