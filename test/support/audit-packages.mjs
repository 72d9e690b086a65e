/**
 * Asks the registry about the packages of the lockfile: whether their signatures are the registry's (`npm audit
 * signatures`), and which have known faults (`npm audit`). A registry that cannot be asked, as many a mirror, is told in a
 * line and is no failure: what is installed is pinned by the lockfile's digests all the same. A bad signature fails.
 *
 *   node test/support/audit-packages.mjs
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Beyond this a registry counts as one that does not answer (milliseconds); both questions are asked side by side. */
const TIMEOUT_MS = 20_000;
const PATIENCE = ['--fetch-retries=0', '--fetch-timeout=15000', '--json'];

/** What npm's answer means: a line for people, and whether it is a failure. */
export function judgeSignatures({ status, stdout }) {
  const answer = parse(stdout);
  if (!Array.isArray(answer?.invalid))
    return { failed: false, line: `signatures: not checked (${whyOf(answer)})` };
  const names = (packages) => packages.map(({ name, version }) => `${name}@${version}`).join(', ');
  if (answer.invalid.length > 0) return { failed: true, line: `signatures: BAD: ${names(answer.invalid)}` };
  const missing = answer.missing ?? [];
  // A mirror may have left them out; who forges a package does not get past the lockfile by that.
  if (missing.length > 0)
    return { failed: false, line: `signatures: ${missing.length} packages have none here` };
  if (status !== 0) return { failed: true, line: `signatures: npm failed (exit ${status})` };
  return { failed: false, line: 'signatures: all are the registry’s' };
}

/** Known faults are told, and fail nothing: they come to light while the code stands still. */
export function judgeAdvisories({ stdout }) {
  const answer = parse(stdout);
  const counts = answer?.metadata?.vulnerabilities;
  if (counts === undefined) return `advisories: not asked (${whyOf(answer)})`;
  if (counts.total === 0) return 'advisories: none for what production installs';
  const named = Object.entries(answer.vulnerabilities ?? {}).map(
    ([name, { severity }]) => `${name} (${severity})`,
  );
  return `advisories: LOOK AT ${named.join(', ')}`;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function whyOf(answer) {
  const why = answer?.error?.code ?? answer?.statusCode ?? answer?.message;
  return why === undefined ? 'the registry does not answer' : String(why).split('\n')[0].slice(0, 120);
}

/** Its exit code (null: it was ended) and what it said; npm says by its exit code what it found, so none is an error. */
function npm(...words) {
  const options = { encoding: 'utf8', timeout: TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: 2 ** 26 };
  return new Promise((resolve) => {
    execFile('npm', [...words, ...PATIENCE], options, (error, stdout) => {
      const code = error?.code ?? null;
      resolve({ status: error === null ? 0 : Number.isInteger(code) ? code : null, stdout });
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [signatures, advisories] = await Promise.all([
    npm('audit', 'signatures'),
    npm('audit', '--omit=dev'),
  ]);
  const { failed, line } = judgeSignatures(signatures);
  console.log(line);
  console.log(judgeAdvisories(advisories));
  process.exitCode = failed ? 1 : 0;
}
