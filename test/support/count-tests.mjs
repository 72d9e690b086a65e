/**
 * Ends a run of the tests for `.ci/run`: what failed is named once more, and where little did, its files are run again,
 * each alone. Usage: `node count-tests.mjs RESULTS.json EXIT_CODE`, both vitest's. Exit code 0 when nothing failed twice.
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

/** Whether all of a file passes with the machine to itself. */
function passesAlone(name, into) {
  const args = [
    'vitest',
    'run',
    nameOf(name),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${into}`,
  ];
  const { status } = spawnSync('npx', args, { stdio: 'inherit' });
  return status === 0 && read(into).success;
}

const results = read(process.argv[2]);
const failed = failures(results);
let { numPassedTests: passed, numFailedTests: stillFailed } = results;
// A run may also fail by an error outside every test, which running a file again cannot mend.
let success = results.success && process.argv[3] === '0';
if (failed.length > 0) {
  console.log('\n== what failed');
  tell(failed);
  const scratch = mkdtempSync(join(tmpdir(), 'vigie-again-'));
  if (failed.length <= MAX_FILES_AGAIN) {
    const again = failed.filter(({ name }) => !passesAlone(name, join(scratch, 'again.json')));
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
