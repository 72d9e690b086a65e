/** The demo's story: a gateway, many cards, every answer checked; whatever happens, nothing is left behind. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type AdminClient, adminClient } from '../../client/admin-client.ts';
import { gatewayClient } from '../../client/gateway-client.ts';
import { LIMITS } from '../../config.ts';
import { startProgress, type Terminal } from '../terminal.ts';
import { startChildGateway } from './child-gateway.ts';
import {
  DEMO_ISSUER,
  type DemoCredential,
  type DemoKeys,
  demoTrustList,
  makeCredential,
  makeDemoKeys,
} from './corpus.ts';
import { tellCounterStory } from './counter-story.ts';
import { postInBatches, postSingly } from './load.ts';
import { type DemoReport, makeReport, type RevocationStory } from './report.ts';

export const DEMO_BATCH_SIZE = 1_000;

export interface DemoOptions {
  readonly count: number;
  readonly concurrency: number;
  /** Ends the demo early; its gateway and its files are gone when the promise settles. */
  readonly signal: AbortSignal;
}

export type DemoEnding =
  | { readonly ok: true; readonly report: DemoReport }
  | { readonly ok: false; readonly fault: string };

const INTERRUPTED: DemoEnding = { ok: false, fault: 'interrupted' };

export async function runDemo(terminal: Terminal, options: DemoOptions): Promise<DemoEnding> {
  const directory = mkdtempSync(join(tmpdir(), 'vigie-demo-'));
  try {
    return await runIn(directory, terminal, options);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function runIn(directory: string, terminal: Terminal, options: DemoOptions): Promise<DemoEnding> {
  const keys = makeDemoKeys();
  const trustListFile = join(directory, 'trust-list.json');
  writeFileSync(trustListFile, JSON.stringify(demoTrustList(keys)));
  const credentials = await issueAll(terminal, options, (index, nowSeconds) =>
    makeCredential(index, keys, nowSeconds),
  );
  if (options.signal.aborted) return INTERRUPTED;

  const start = await startChildGateway(
    [
      ...['--port', '0', '--admin-port', '0', '--metrics-port', '0'],
      ...['--trust-list', trustListFile, '--data-dir', join(directory, 'data'), '--log-level', 'warn'],
      // The demo revokes a tenth of its own cards at once: no accident that a guard should hold.
      ...['--mass-change-limit', '1000000000'],
      // Every card that it counts is one of its own.
      ...['--canary', 'off'],
    ],
    terminal.environment,
  );
  if (!start.ok) return start;
  const { gateway } = start;
  try {
    const admin = adminClient({ baseUrl: gateway.adminUrl });
    const fault = await changeStatuses(admin, credentials, terminal, options.signal);
    if (fault !== undefined) return { ok: false, fault };
    return await verifyAll({ dataUrl: gateway.dataUrl, admin, keys, credentials }, terminal, options);
  } finally {
    await gateway.stop();
  }
}

async function issueAll(
  terminal: Terminal,
  { count, signal }: DemoOptions,
  make: (index: number, nowSeconds: number) => DemoCredential,
): Promise<DemoCredential[]> {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const progress = startProgress(terminal, 'issuing   ', count);
  const credentials: DemoCredential[] = [];
  while (credentials.length < count && !signal.aborted) {
    credentials.push(make(credentials.length, nowSeconds));
    if (credentials.length % 500 === 0) {
      progress.update(credentials.length);
      // Signing is synchronous: without a turn of the event loop, Ctrl-C would wait for all of it.
      await nextTurn();
    }
  }
  progress.end();
  return credentials;
}

/** Revokes, suspends and supersedes the cards whose story says so. Returns what went wrong, if anything. */
async function changeStatuses(
  admin: AdminClient,
  credentials: readonly DemoCredential[],
  terminal: Terminal,
  signal: AbortSignal,
): Promise<string | undefined> {
  const changes = credentials.flatMap(({ change }) => (change === undefined ? [] : [change]));
  const progress = startProgress(terminal, 'revoking  ', changes.length);
  try {
    for (let from = 0; from < changes.length; from += LIMITS.statusChangesPerCall) {
      if (signal.aborted) return 'interrupted';
      const part = changes.slice(from, from + LIMITS.statusChangesPerCall);
      const outcome = await admin.statusChanges({ changes: part });
      if (outcome.kind === 'refused') return `revoking was refused: ${outcome.problem.detail}`;
      if (outcome.kind === 'unavailable') return outcome.detail;
      progress.update(from + part.length);
    }
    return undefined;
  } finally {
    progress.end();
  }
}

interface DemoWorld {
  readonly dataUrl: string;
  readonly admin: AdminClient;
  readonly keys: DemoKeys;
  readonly credentials: readonly DemoCredential[];
}

async function verifyAll(
  { dataUrl, admin, keys, credentials }: DemoWorld,
  terminal: Terminal,
  { count, concurrency, signal }: DemoOptions,
): Promise<DemoEnding> {
  const one = startProgress(terminal, 'one by one', count);
  const singly = await postSingly(credentials, { dataUrl, concurrency, signal, onProgress: one.update });
  one.end();
  const many = startProgress(terminal, 'in batches', count);
  const batches = { dataUrl, concurrency: 2, signal, onProgress: many.update };
  const inBatches = await postInBatches(credentials, DEMO_BATCH_SIZE, batches);
  many.end();
  if (signal.aborted) return INTERRUPTED;
  const revocation = await tellRevocation(dataUrl, admin, credentials);
  const counter = await tellCounterStory(dataUrl, admin, keys);
  return { ok: true, report: makeReport(credentials, singly, inBatches, { revocation, counter }) };
}

/** Index 0 is a valid card whatever the count. */
async function tellRevocation(
  dataUrl: string,
  admin: AdminClient,
  credentials: readonly DemoCredential[],
): Promise<RevocationStory> {
  const card = credentials[0] as DemoCredential;
  const client = gatewayClient({ baseUrl: dataUrl });
  const ask = async () => {
    const outcome = await client.verify({ credential: card.text });
    return outcome.kind === 'answer' ? outcome.value.reason : outcome.kind;
  };
  const before = await ask();
  const startedMs = performance.now();
  await admin.statusChanges({
    changes: [{ iss: DEMO_ISSUER, jti: card.jti, status: 'revoked', why: 'stolen' }],
  });
  const after = await ask();
  return { before, after, tookMs: Number((performance.now() - startedMs).toFixed(1)) };
}
