/** Real gateway processes for tests: started from dist/ on free ports, ended by their own process ids. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { noteListener, TLS_OF_THIS_RUN } from './over-tls.ts';
import { ISS, SIGNER } from './synthetic-issuer.ts';

const VIGIE = fileURLToPath(new URL('../../dist/cli/vigie.js', import.meta.url));

export interface GatewayOptions {
  /** Settings beside the free ports, the data directory and the trust list. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: a new one, removed when the gateway is disposed of. A named one stays. */
  readonly dataDir?: string;
  /** What VIGIE_TRUST_LIST names; a document is written to a file first. Default: the synthetic issuer's list. */
  readonly trustList?: string | object;
  /** Starts node: a program and its words, which runs the rest of its words in its own place. */
  readonly startedBy?: readonly string[];
  /** Told of the process as soon as there is one, long before it is ready. */
  whileStarting?(starting: Pick<Gateway, 'stderr' | 'signal'>): void;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Gateway {
  readonly data: string;
  readonly admin: string;
  readonly metrics: string;
  readonly dataPort: number;
  readonly adminPort: number;
  readonly pid: number;
  readonly dataDir: string;
  /** The file that VIGIE_TRUST_LIST names, when the list was given as a document. */
  readonly trustListFile: string;
  /** Everything logged so far. */
  stderr(): string;
  stdout(): string;
  readonly ended: Promise<Ended>;
  signal(name: NodeJS.Signals): void;
  /** Ends it for good, however it stands, and removes what was made for it. */
  dispose(): Promise<void>;
}

/** Those of this process, so that none stays behind when it ends in the middle of a test. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Trust list of the synthetic issuer, to which members and further issuers may be added. */
export function trustListDocument(version = 1, issuers: readonly object[] = [listedIssuer()]): object {
  return { version, issuers };
}

export function listedIssuer(more: object = {}, signers = [SIGNER]): object {
  return { iss: ISS, keys: signers.map(({ kid, x }) => ({ kty: 'OKP', crv: 'Ed25519', kid, x })), ...more };
}

/** @throws with the exit code and what was logged when the process ends before it is ready. */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  if (!existsSync(VIGIE)) throw new Error('dist/ is missing: run npm run build');
  const scratch = mkdtempSync(join(tmpdir(), 'vigie-test-'));
  const dataDir = options.dataDir ?? join(scratch, 'data');
  const trustListFile = join(scratch, 'trust-list.json');
  const { trustList = trustListDocument() } = options;
  if (typeof trustList !== 'string') writeFileSync(trustListFile, JSON.stringify(trustList));
  const settings = {
    VIGIE_PORT: '0',
    VIGIE_ADMIN_PORT: '0',
    VIGIE_METRICS_PORT: '0',
    VIGIE_WORKERS: '1',
    VIGIE_DATA_DIR: dataDir,
    VIGIE_TRUST_LIST: typeof trustList === 'string' ? trustList : trustListFile,
    // Room for what tests revoke; the default's 36 MB would be made anew for each of many processes.
    VIGIE_FILTER_CAPACITY: '100000',
    // Its one entry would stand among those that tests count; canary.test.ts has it as it is by default.
    VIGIE_CANARY: 'off',
    ...TLS_OF_THIS_RUN,
    ...options.env,
  };
  const [program = '', ...words] = [...(options.startedBy ?? []), process.execPath, VIGIE, 'serve'];
  const child = spawn(program, words, {
    env: { ...withoutVigieNames(process.env), ...engineOfThisRun(options.env), ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const logged = collect(child.stderr);
  const printed = collect(child.stdout);
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  running.add(child);
  void ended.then(() => running.delete(child));
  const dispose = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    rmSync(scratch, { recursive: true, force: true });
  };

  const signal = (name: NodeJS.Signals): void => void child.kill(name);
  options.whileStarting?.({ stderr: logged, signal });
  const ready = await readyLine(child);
  if (ready === undefined) {
    const { code, signal } = await ended;
    await dispose();
    throw new Error(`the gateway ended with ${code ?? signal} before it was ready:\n${logged()}`);
  }
  const [data, admin, metrics] = ready;
  noteListener(data);
  return {
    data,
    admin,
    metrics,
    dataPort: Number(new URL(data).port),
    adminPort: Number(new URL(admin).port),
    pid: child.pid as number,
    dataDir,
    trustListFile,
    stderr: logged,
    stdout: printed,
    ended,
    signal,
    dispose,
  };
}

/** What it logged, line by line. */
// biome-ignore lint/suspicious/noExplicitAny: tests name the fields that they look at.
export function logLines(gateway: Pick<Gateway, 'stderr'>): any[] {
  const lines = gateway.stderr().trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line));
}

export type WorkerFault =
  | 'throws'
  | 'store'
  | 'load'
  | 'slow'
  | 'forgets'
  | 'deaf'
  | 'hangs'
  | 'loops'
  | 'hoards'
  | 'exits'
  | 'throws-once'
  | 'throws-into-parser'
  | 'handler-throws'
  | 'barren';

/** Settings of a gateway with a data-plane thread that breaks; the faults stand in worker-faults.mjs. */
export function workerFault(fault: WorkerFault, file = ''): Record<string, string> {
  const preload = new URL('./worker-faults.mjs', import.meta.url).href;
  return { NODE_OPTIONS: `--import=${preload}`, FAULT: fault, FAULT_FILE: file };
}

/**
 * For gateways whose tests are about large answers, not about who verifies: ten thousand signatures take the
 * slowest engine ten seconds, whichever engine the run forces.
 */
export const FASTEST_ENGINE = { VIGIE_ENGINE: 'auto' } as const;

/** A run of the tests with one engine forced (test/support/run-by-engine.mjs), unless the test names another. */
function engineOfThisRun(env: GatewayOptions['env'] = {}): Record<string, string> {
  const { VIGIE_ENGINE = '', VIGIE_KERNEL = '' } = process.env;
  return env.VIGIE_ENGINE === undefined && env.VIGIE_KERNEL === undefined
    ? { VIGIE_ENGINE, VIGIE_KERNEL }
    : {};
}

/** A test's own engine or settings must not reach the processes it starts unless it says so. */
function withoutVigieNames(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('VIGIE_')));
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}

function readyLine(child: ChildProcess): Promise<[string, string, string] | undefined> {
  return new Promise((resolve) => {
    child.once('close', () => resolve(undefined));
    if (child.stdout === null) return resolve(undefined);
    createInterface({ input: child.stdout }).on('line', (line) => {
      const match = /^vigie is ready: data (\S+), admin (\S+), metrics (\S+)$/.exec(line);
      if (match !== null) resolve([match[1], match[2], match[3]] as [string, string, string]);
    });
  });
}
