/** Synthetic stores in temporary directories, with clocks that tests move by hand. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { StatusChange } from '../../src/card-status.ts';
import type { Clock } from '../../src/clock.ts';
import type { FilterParameters } from '../../src/revocation/bloom-filter.ts';
import { cardHash } from '../../src/revocation/card-hash.ts';
import type { ChangeOutcome } from '../../src/revocation/change-call.ts';
import { type DeploymentSecret, deriveSecret } from '../../src/revocation/deployment-secret.ts';
import { createFreshness, type FreshnessLimits } from '../../src/revocation/freshness.ts';
import { type ChangesOptions, createStatusChanges } from '../../src/revocation/status-changes.ts';
import { openStatusStore, type StatusStore } from '../../src/revocation/status-store.ts';

export const SECRET: DeploymentSecret = deriveSecret(Buffer.alloc(32, 0x5a));
export const ISS = 'https://synthetic-issuer.example';
export const SMALL_FILTER: FilterParameters = { capacity: 10_000, falsePositiveRate: 1e-6 };

/** 2026-11-23T10:00:00Z. */
export const START_MS = 1_795_428_000_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

export const FRESHNESS_LIMITS: FreshnessLimits = { staleAfterMs: 5_000, expireAfterMs: DAY_MS };
/** Bounds of a gateway's status changes that no test reaches unless it sets its own. */
export const CHANGE_LIMITS: Pick<
  ChangesOptions,
  'massChangeLimit' | 'massChangeWindowMs' | 'maxIdempotencyAnswers'
> = { massChangeLimit: 10_000, massChangeWindowMs: 10 * MINUTE_MS, maxIdempotencyAnswers: 1_000_000 };

export interface TestClock extends Clock {
  /** Both clocks go on by so much. */
  advance(ms: number): void;
  /** Only the wall clock is set. */
  setWall(ms: number): void;
}

export function testClock(wallMs = START_MS): TestClock {
  let wall = wallMs;
  let monotonic = 1_000;
  return {
    wallMs: () => wall,
    monotonicMs: () => monotonic,
    advance: (ms) => {
      wall += ms;
      monotonic += ms;
    },
    setWall: (ms) => {
      wall = ms;
    },
  };
}

const open = new Set<StatusStore>();
const directories: string[] = [];

export function temporaryDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'vigie-revocation-'));
  directories.push(dir);
  return dir;
}

afterEach(async () => {
  for (const store of open) await store.close();
  open.clear();
  for (const dir of directories.splice(0)) rmSync(dir, { recursive: true, force: true });
});

export async function openStore(
  dir: string,
  clock: Clock,
  filter: FilterParameters = SMALL_FILTER,
  filterGraceMs = Number.POSITIVE_INFINITY,
): Promise<StatusStore> {
  const opened = await openStatusStore({ dir, secret: SECRET, filter, filterGraceMs, clock });
  if (!opened.ok) throw new Error(`${opened.fault}: ${opened.message}`);
  open.add(opened.store);
  return opened.store;
}

export async function closeStore(store: StatusStore): Promise<void> {
  open.delete(store);
  await store.close();
}

/** A store with its status changes, as the main thread wires them. */
export async function openGateway(
  dir: string,
  clock: Clock,
  limits: Partial<typeof CHANGE_LIMITS> = {},
  filterGraceMs?: number,
) {
  const store = await openStore(dir, clock, SMALL_FILTER, filterGraceMs);
  const freshness = createFreshness(clock, FRESHNESS_LIMITS);
  const changes = createStatusChanges({ store, freshness, clock, ...CHANGE_LIMITS, ...limits });
  const apply = (...list: StatusChange[]): ChangeOutcome => changes.applyChanges({ changes: list });
  const statusOf = (jti: string) => store.statusOf(hashOf(jti));
  return { store, freshness, changes, apply, statusOf };
}

export function hashOf(jti: string, iss = ISS): Buffer {
  return cardHash(SECRET.cardHashKey, iss, jti);
}

export function change(jti: string, status: StatusChange['status'], rest: Partial<StatusChange> = {}) {
  return { iss: ISS, jti, status, ...rest };
}

/** Synthetic cards, so many, all to be revoked. */
export function revocations(count: number, prefix = 'card'): StatusChange[] {
  return Array.from({ length: count }, (_, i) => change(`${prefix}-${i}`, 'revoked', { why: 'lost' }));
}
