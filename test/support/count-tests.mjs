/**
 * Ends a run of the tests for `.ci/run`: what failed is named once more, and where little did, its files are run again,
 * each alone. Usage: `node count-tests.mjs RESULTS.json EXIT_CODE SECONDS`: both are vitest's, and how long the files may
 * take that are run again, all together. Exit code 0 when nothing failed twice.
 *
 * Some tests kill processes and count seconds, three files at a time, on machines shared with strangers: one that stood
 * still for a second there says nothing of the code. What passes alone is told as such, never silently; `npm test`
 * itself is strict.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

/** More files than these are no accident. */
const MAX_FILES_AGAIN = 3;
/** However much time there is. */
const MAX_SECONDS_AGAIN = 180;

const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const nameOf = (file) => relative(process.cwd(), file);

/** What failed in a run, by file; a file that did not load has no failed test and still counts. */
function failures({ testResults }) {
  return testResults
    .filter(({ status }) => status !== 'passed')
    .map(({ name, message, assertionResults }) => ({
      name,
      message,
      tests: assertionResults.filter(({ status }) => status === 'failed'),
    }));
}

function tell(failed) {
  for (const { name, message, tests } of failed) {
    if (tests.length === 0) console.log(`failed: ${nameOf(name)}: ${message.split('\n')[0]}`);
    for (const { fullName, failureMessages } of tests) {
      console.log(`failed: ${nameOf(name)} > ${fullName}`);
      console.log(`        ${(failureMessages[0] ?? '').split('\n')[0].slice(0, 300)}`);
    }
  }
}

/** Whether all of a file passes with the machine to itself, by then (milliseconds since 1970). */
function passesAlone(name, into, endMs) {
  const seconds = Math.floor((endMs - Date.now()) / 1000);
  if (seconds < 1) {
    console.log(`no time left to run again: ${nameOf(name)}`);
    return false;
  }
  // Ends all that a run has started, not its first process alone.
  const bound = ['-k', '5', `${seconds}`];
  const args = [
    ...[...bound, 'npx', 'vitest'],
    'run',
    nameOf(name),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${into}`,
  ];
  const { status } = spawnSync('timeout', args, { stdio: 'inherit' });
  return status === 0 && read(into).success;
}

const [file, exitCode, secondsLeft] = process.argv.slice(2);
if (readFileSync(file, 'utf8') === '') {
  console.log(`\nthe tests broke off without results (exit ${exitCode})`);
  process.exit(1);
}
const results = read(file);
const endMs = Date.now() + 1000 * Math.min(Number(secondsLeft), MAX_SECONDS_AGAIN);
const failed = failures(results);
let { numPassedTests: passed, numFailedTests: stillFailed } = results;
// A run may also fail by an error outside every test, which running a file again cannot mend.
let success = results.success && exitCode === '0';
if (failed.length > 0) {
  console.log('\n== what failed');
  tell(failed);
  const scratch = mkdtempSync(join(tmpdir(), 'vigie-again-'));
  if (failed.length <= MAX_FILES_AGAIN) {
    const again = failed.filter(({ name }) => !passesAlone(name, join(scratch, 'again.json'), endMs));
    for (const { name, tests } of failed.filter((one) => !again.includes(one))) {
      console.log(`passed alone: ${nameOf(name)} (${tests.length} failed beside other files)`);
      passed += tests.length;
      stillFailed -= tests.length;
    }
    success = again.length === 0;
  }
  rmSync(scratch, { recursive: true, force: true });
}
const skipped = results.numPendingTests;
console.log(`\n${passed} passed, ${stillFailed} failed${skipped ? `, ${skipped} skipped` : ''}`);
// A file that fails to load counts no failed test: the run has failed all the same.
if (!success) process.exitCode = 1;
