/** Rows of the peers suite, and the hostile signatures by which it tells engines' rules apart. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verify as cofactoredVerify, hashes } from '@noble/ed25519';
import { afterEach, describe, expect, it } from 'vitest';
import { HOSTILE_PAIRS, readEngineInput, writeHostileInput } from '../../bench/src/corpus/engine-input.ts';
import type { LoadReport } from '../../bench/src/load/load-report.ts';
import type { Row } from '../../bench/src/suite.ts';
import { acceptAfterExpiry } from '../../bench/src/suites/peers/ask-peer.ts';
import {
  isUnmeasured,
  isWrong,
  notRunRow,
  type PeerCell,
  peerRow,
  warningsOf,
} from '../../bench/src/suites/peers/gateway-rows.ts';
import { BATCH, BEARER, type RunningPeer, SINGLE } from '../../bench/src/suites/peers/peer-context.ts';
import { loadRound } from './load-round.ts';

const TICKS_PER_SECOND = 100;
const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

const round = (ticks: Pick<LoadReport, 'serverTicks' | 'generatorTicks'>): LoadReport =>
  loadRound({ requests: 20_000, seconds: 1, besideTicks: 20, ...ticks });

function rowOf(...rounds: LoadReport[]): Row {
  const running = { version: '1.0.0' } as RunningPeer;
  const spec = { peer: 'proxy', start: async () => running, kinds: [BEARER], cannot: [] };
  const cell: PeerCell = { spec, running, kind: BEARER, cannot: ['fly'], rounds };
  return peerRow(cell, 12.34, TICKS_PER_SECOND);
}

describe('a row of a peer', () => {
  it('has the rate, latency, CPU time and memory of a peer that was saturated', () => {
    expect(rowOf(round({ serverTicks: 99, generatorTicks: 40 }))).toMatchObject({
      kind: 'gateway',
      peer: 'proxy',
      credentialsPerSecond: 20_000,
      p99Ms: 2,
      cpuUsPerVerification: 49.5,
      rssMiB: 12.34,
      cannot: ['fly'],
      bottleneck: 'server',
      generatorUtilisation: 0.6,
    });
  });

  it('has no rate where the generator, with the backend on its core, held the peer down', () => {
    const row = rowOf(round({ serverTicks: 60, generatorTicks: 79 }));
    expect(row).toMatchObject({ bottleneck: 'generator' });
    expect(Object.keys(row).filter((key) => /PerSecond|p\d+Ms|cpuUs/i.test(key))).toEqual([]);
    expect(isUnmeasured(row)).toBe(false);
    expect(isUnmeasured({ ...row, peer: 'vigie, single' })).toBe(true);
    expect(warningsOf(row)).toEqual(['proxy: the generator was the bottleneck, so it has no rates']);
  });

  it('is wrong when an answer under load was', () => {
    const good = round({ serverTicks: 99, generatorTicks: 40 });
    expect(isWrong(rowOf(good))).toBe(false);
    expect(isWrong(rowOf(good, { ...good, checked: 10, notValid: 1 }))).toBe(true);
    expect(isWrong(rowOf(good, { ...good, non2xx: 1 }))).toBe(true);
  });

  it('says why it was not run, which is a failure of the gateway alone', () => {
    const spec = {
      peer: 'vigie',
      start: async () => ({}) as RunningPeer,
      kinds: [SINGLE, BATCH],
      cannot: [],
    };
    const row = notRunRow(spec, 'it has ended', BATCH);
    expect(row).toMatchObject({ peer: 'vigie, batches of 1,000', notRun: 'it has ended' });
    expect(isUnmeasured(row)).toBe(true);
    expect(isUnmeasured(notRunRow({ ...spec, peer: 'proxy' }, 'it has ended'))).toBe(false);
    expect(warningsOf(row)).toEqual(['vigie, batches of 1,000: not run (it has ended)']);
  });
});

it('one peer that cannot be asked does not keep the others from being shown what has expired', async () => {
  const accepting = (accepts: RunningPeer['accepts']) => ({ accepts }) as RunningPeer;
  const forgetful = accepting(async () => true);
  let isExpired = false;
  const sound = accepting(async () => !isExpired);
  const ended = accepting(async () => {
    isExpired = true;
    throw new Error('it has ended');
  });
  // The suite waits a second longer than it takes.
  const probes = { probes: [], revoked: [], soonExpired: () => ({ credential: 'a.b.c', inMs: -1_000 }) };
  const found = await acceptAfterExpiry([forgetful, sound, ended], probes);
  expect([...found.accepting]).toEqual([forgetful]);
  expect([...found.broken.keys()]).toEqual([ended]);
});

describe('the hostile signatures', () => {
  it('are refused by OpenSSL and accepted by a cofactored rule, and those beside them are honest', () => {
    const dir = mkdtempSync(join(tmpdir(), 'vigie-peers-test-'));
    dirs.push(dir);
    writeHostileInput(join(dir, 'hostile.bin'));
    const { publicKeys, messages, signatures } = readEngineInput(join(dir, 'hostile.bin'));
    const raw = publicKeys[0] as Uint8Array;
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(raw).toString('base64url') };
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    hashes.sha512 = (message) => new Uint8Array(createHash('sha512').update(message).digest());
    expect(messages).toHaveLength(2 * HOSTILE_PAIRS);
    for (let index = 0; index < 8; index++) {
      const [message, signature] = [messages[index] as Uint8Array, signatures[index] as Uint8Array];
      expect(verify(null, message, key, signature)).toBe(index % 2 === 1);
      expect(cofactoredVerify(signature, message, raw)).toBe(true);
    }
  });
});
