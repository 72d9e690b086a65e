/** Several real gateways on one real Redis, with one secret: started by a test, ended with it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answer, call, until, verify } from './call.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { type RedisServer, type RedisServerOptions, startRedis } from './redis.ts';
import { credential, goodClaims, ISS } from './synthetic-issuer.ts';

export const MASTER = Buffer.alloc(32, 0x5a);

export function card(jti: string): string {
  return credential({ payload: goodClaims({ jti }, Math.floor(Date.now() / 1000)) });
}

export interface Deployment<R = RedisServer> {
  readonly redis: R;
  /** A gateway on the data directory of this name, which outlives it; not waited for to be fresh. */
  start(name: string, env?: Readonly<Record<string, string>>, secret?: Buffer): Promise<Gateway>;
  dispose(): Promise<void>;
}

export async function deploy(options: RedisServerOptions = {}): Promise<Deployment> {
  const redis = await startRedis(options);
  return deployOn(redis, `redis://127.0.0.1:${redis.port}`);
}

/** Ends what it is given when it ends. */
export function deployOn<R extends { stop(): Promise<void> }>(redis: R, url: string): Deployment<R> {
  const root = mkdtempSync(join(tmpdir(), 'vigie-deployment-'));
  const gateways: Gateway[] = [];
  return {
    redis,
    start: async (name, env = {}, secret = MASTER) => {
      const dataDir = join(root, name);
      mkdirSync(dataDir, { recursive: true, mode: 0o700 });
      writeFileSync(join(dataDir, 'secret'), `${secret.toString('hex')}\n`, { mode: 0o600 });
      const settings = { VIGIE_REDIS_URL: url, ...env };
      const gateway = await startGateway({ dataDir, env: settings });
      gateways.push(gateway);
      return gateway;
    },
    dispose: async () => {
      await Promise.all(gateways.map((gateway) => gateway.dispose()));
      await redis.stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Waits until each knows to be one with the log; fails after ten seconds, or as many as said. */
export async function fresh(gateways: readonly Gateway[], limitSeconds = 15): Promise<void> {
  const deadlineMs = performance.now() + limitSeconds * 1_000;
  for (const gateway of gateways) {
    await until(async () => {
      const { state } = (await verify(gateway.data, card('unheard-of'))).revocation;
      if (state !== 'fresh' && performance.now() > deadlineMs) {
        throw new Error(`not fresh in time but ${state}:\n${gateway.stderr()}`);
      }
      return state === 'fresh';
    });
  }
}

/** A call for one change; `key` is its Idempotency-Key. */
export function change(
  gateway: Gateway,
  jti: string,
  status: string,
  key?: string,
): Promise<Answer<{ seq: number }>> {
  return call(`${gateway.admin}/admin/v1/status-changes`, {
    body: { changes: [{ iss: ISS, jti, status }] },
    headers: key === undefined ? {} : { 'idempotency-key': key },
  });
}

/** A change that has to be acknowledged, by the end of ten seconds at the latest. */
export async function acknowledged(gateway: Gateway, jti: string, status = 'revoked'): Promise<number> {
  const deadlineMs = performance.now() + 10_000;
  for (;;) {
    const answer = await change(gateway, jti, status, `${jti}-${status}`);
    if (answer.status === 200) return answer.json.seq;
    if (answer.status !== 503 || performance.now() > deadlineMs)
      throw new Error(`${answer.status}: ${answer.text}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Waits for the answer at each gateway, at most so long; returns how long it took (milliseconds). */
export async function answered(
  gateways: readonly Gateway[],
  jti: string,
  reason: string,
  limitMs = 5_000,
): Promise<number> {
  const beganMs = performance.now();
  for (const gateway of gateways) {
    await until(async () => {
      const found = (await verify(gateway.data, card(jti))).reason;
      if (found === reason) return true;
      if (performance.now() - beganMs > limitMs) throw new Error(`${jti} is still ${found}, not ${reason}`);
      return false;
    });
  }
  return performance.now() - beganMs;
}

/** A key of Redis under the default prefix. */
export const key = (name: string): string => `{vigie}:${name}`;
