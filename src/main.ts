/** Wiring only: settings to parts, parts to listeners, and their orderly end. */
import { readBearerTokenFile } from './bearer-token.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Config } from './config.ts';
import type { Announcement } from './control/announce.ts';
import { openAudit } from './control/audit.ts';
import { openCallers } from './control/callers.ts';
import { startCanary, wantsCanary } from './control/canary.ts';
import { createForcedEnd, createStops, type End, type Stops, watchForEnd } from './control/end.ts';
import { hardenProcess } from './control/harden.ts';
import { openListeners, type Ports } from './control/listeners.ts';
import { openReplay } from './control/replay.ts';
import { openStatus } from './control/status.ts';
import type { StatusSide } from './control/status-side.ts';
import { copyTlsFiles } from './control/tls-copies.ts';
import { readTlsFiles } from './control/tls-files.ts';
import { wireTrustKeeper } from './control/trust.ts';
import { takeDataDir } from './data-dir.ts';
import { type DemoIssuer, ensureDemoIssuer } from './demo/demo-issuer.ts';
import { drain } from './drain.ts';
import { judgeParser } from './ingress/parser-build.ts';
import type { TrustKeeper } from './keys/trust-keeper-contract.ts';
import { publicKeysOf, type TrustList } from './keys/trusted-key.ts';
import { createLog, describeError, type Log } from './log.ts';
import { allocateCounters, type Counters, openCounters } from './metrics/counters.ts';
import type { SignatureEngine } from './signature/engine.ts';
import { selectEngineInForce } from './signature/engine-in-force.ts';
import { allocateEngineLevel, openEngineLevel } from './signature/engine-level.ts';
import { asksForKernel } from './signature/select-engine.ts';
import { allocateSharedState, openSharedState, type SharedState } from './workers/shared-state.ts';
import { startWorkers, type WorkerPool } from './workers/worker-pool.ts';

/** Exit codes of `vigie serve`. */
const DONE = 0;
const USAGE = 2;
const UNAVAILABLE = 3;

/** What ends a start: one line for people, and the exit code. */
interface Refusal {
  readonly ok: false;
  readonly code: number;
  readonly error: string;
}

interface Running {
  readonly ok: true;
  readonly demo: DemoIssuer | undefined;
  readonly ports: Ports;
  readonly state: SharedState;
  readonly pool: WorkerPool;
  /** Of every thread that answers requests, or did. */
  counters(): readonly Counters[];
}

/** Runs the gateway until it is told to end. Resolves to the exit code. `announce` is told once it is ready. */
export async function serve(config: Config, announce: (ready: Announcement) => void): Promise<number> {
  const clock = systemClock;
  const log = createLog(config.logLevel);
  const exposed = hardenProcess(config, log);
  if (exposed !== undefined) {
    process.stderr.write(`vigie: ${exposed}\n`);
    return USAGE;
  }
  const end = watchForEnd(log);
  const forced = createForcedEnd(clock, log);
  // From the asking on: what begins the end may hang as well, in a start or in a drain.
  void end.asked.then(() => forced.begun(clock.monotonicMs() + config.drainTimeoutMs, codeOf(end)));
  const stops = createStops();
  const running = await start(config, clock, log, end, stops);
  if (!running.ok) {
    const endsAtMs = clock.monotonicMs() + config.drainTimeoutMs;
    forced.begun(endsAtMs, running.code);
    await stops.run(endsAtMs);
    const isWanted = end.isAsked() && !end.hasFailed();
    const code = isWanted ? DONE : running.code;
    if (isWanted) log('info', 'ended before it was ready', { why: await end.asked });
    else process.stderr.write(`vigie: ${running.error}\n`);
    forced.stopped(endsAtMs, code);
    return code;
  }
  const { state, pool, counters } = running;
  // Told to end in the last moments of its start, it never says that it is ready.
  if (!end.isAsked()) {
    state.setPhase('serving');
    announce({ config, demo: running.demo, nowMs: clock.wallMs(), ports: running.ports });
  }

  const why = await end.asked;
  const endsAtMs = clock.monotonicMs() + config.drainTimeoutMs;
  state.setPhase('draining');
  log(end.hasFailed() ? 'fatal' : 'info', 'draining', { why });
  const unanswered = await drain({
    clock,
    timeoutMs: config.drainTimeoutMs,
    inFlight: () => counters().reduce((sum, thread) => sum + thread.inFlight(), 0),
    lastRequestAtMs: () => Math.max(...counters().map((thread) => thread.lastRequestAtMs())),
    stopListening: pool.stopListening,
  });
  if (unanswered > 0) log('warn', 'time was up with requests unanswered', { unanswered });
  await stops.run(endsAtMs);
  log('info', 'ended', { unanswered });
  forced.stopped(endsAtMs, codeOf(end));
  return codeOf(end);
}

const codeOf = (end: End): number => (end.hasFailed() ? UNAVAILABLE : DONE);

/** Starts part after part; each that is up has its stop in `stops`, also when a later one fails. */
async function start(
  config: Config,
  clock: Clock,
  log: Log,
  end: End,
  stops: Stops,
): Promise<Running | Refusal> {
  const token = config.adminTokenFile === undefined ? undefined : readBearerTokenFile(config.adminTokenFile);
  if (token?.ok === false) return refusal(USAGE, `VIGIE_ADMIN_TOKEN_FILE: ${token.fault}`);
  const read = await readTlsFiles(config, clock.wallMs());
  if (!read.ok) return refusal(USAGE, read.fault);
  const { tls } = read;
  const counters = openCounters(allocateCounters());
  const level = openEngineLevel(allocateEngineLevel());
  const selection = selectEngineInForce({
    ...config,
    requested: config.engine,
    level,
    monotonicMs: clock.monotonicMs,
    observer: {
      crossChecked: counters.countCrossCheck,
      disagreed: (disagreement) => {
        counters.countDisagreement();
        log('error', 'engines disagreed', { ...disagreement });
      },
    },
  });
  if (!selection.ok) {
    const setting = asksForKernel({ ...config, requested: config.engine }) ? 'VIGIE_KERNEL' : 'VIGIE_ENGINE';
    return refusal(USAGE, `${setting}: ${selection.error}`);
  }
  const { engine, why } = selection;
  log('info', 'engine chosen', { engine: engine.name, implementation: engine.implementation, why });
  if (config.unknownNames.length > 0) log('warn', 'unknown settings ignored', { names: config.unknownNames });

  const lock = await takeDataDir(config.dataDir);
  if (!lock.ok) return refusal(UNAVAILABLE, lock.error);
  stops.add(lock.release);
  const copies = copyTlsFiles(config.dataDir, tls?.texts);
  if (!copies.ok) return refusal(UNAVAILABLE, copies.fault);
  stops.add(copies.remove);
  const opened = await openStatus(config, clock, log);
  if (!opened.ok) return refusal(USAGE, opened.error);
  const { status } = opened;
  stops.add(status.close);
  const named = await openCallers({ config, log, hashKey: status.store.secret.callerKey });
  if (!named.ok) return refusal(USAGE, named.error);
  const { callers } = named;
  stops.add(callers.stop);
  const audited = await openAudit(config, status.store.secret.auditKey, clock, log);
  if (!audited.ok) return refusal(USAGE, audited.error);
  const { audit } = audited;
  stops.add(audit.close);
  const guarded = openReplay({ config, clock, log, secret: status.store.secret });
  if (!guarded.ok) return refusal(USAGE, guarded.error);
  const { replay } = guarded;
  stops.add(replay.close);
  if (end.isAsked()) return interrupted();

  const state = openSharedState(allocateSharedState(), clock);
  const trust = await startTrust({ config, clock, log, engine, status, state, end }, stops);
  if (!trust.ok) return trust;
  if (end.isAsked()) return interrupted();
  const { keeper, demo } = trust;
  // In the background: a key that has no table yet is verified without one.
  const prepareKeys = async (list: TrustList): Promise<void> => {
    engine.prepare?.(publicKeysOf(list)).catch((error: unknown) => {
      log('error', 'keys were not prepared', describeError(error));
    });
  };
  if (keeper.current !== undefined) void prepareKeys(keeper.current);
  keeper.onChange(prepareKeys);
  const parser = judgeParser();
  const started = await startWorkers({
    birth: {
      config: { ...config, ...copies.files },
      state: state.shared,
      engineLevel: level.shared,
      revocation: status.shared,
      replay: replay.shared,
      trustList: keeper.current,
      parser,
      callers: callers.shared,
    },
    log,
    clock,
    onUnknownKey: keeper.noteUnknownKey,
    proveRevoked: status.proveRevoked,
    onTaken: replay.noteTaken,
    onServing: (workers) => state.setNoWorkers(workers === 0),
    onLost: end.fail,
    interrupted: end.asked,
  });
  if (!started.ok) return refusal(UNAVAILABLE, started.error);
  const { pool } = started;
  stops.add(pool.close);
  keeper.onChange(async (list) => {
    if (!(await pool.setTrustList(list))) throw new Error('a worker does not take the trust list');
  });
  // A list that took effect while the workers started reached none of them.
  if (keeper.current !== undefined && !(await pool.setTrustList(keeper.current))) {
    return refusal(UNAVAILABLE, 'a worker does not take the trust list');
  }
  if (!(await callers.handOverBy(pool.setCallers))) {
    return refusal(UNAVAILABLE, 'a worker does not take the list of callers');
  }
  status.handFilterBy(pool.setFilter);
  status.onKeyRetirements(() => keeper.refreshRetirements());
  // What came in while nobody listened.
  await keeper.refreshRetirements();

  const canary = wantsCanary(config)
    ? startCanary({ config, clock, log, status, state, workers: pool.asked })
    : undefined;
  if (canary !== undefined) stops.add(canary.stop);

  const parts = {
    config,
    clock,
    log,
    engine,
    status,
    replay,
    callers,
    audit,
    keeper,
    state,
    pool,
    parser,
    canary,
    counters,
    tls: tls?.ends,
  };
  const listening = await openListeners({ ...parts, adminToken: token?.token }, stops);
  if (!listening.ok) return refusal(UNAVAILABLE, listening.error);
  return {
    ok: true,
    demo,
    ports: listening.ports,
    state,
    pool,
    counters: () => [...pool.counters(), counters],
  };
}

/** The trust list: the operator's or, where none is named, the demo issuer's. */
async function startTrust(
  parts: {
    readonly config: Config;
    readonly clock: Clock;
    readonly log: Log;
    readonly engine: SignatureEngine;
    readonly status: StatusSide;
    readonly state: SharedState;
    readonly end: End;
  },
  stops: Stops,
): Promise<{ ok: true; keeper: TrustKeeper; demo: DemoIssuer | undefined } | Refusal> {
  const { config, status, state } = parts;
  let demo: DemoIssuer | undefined;
  if (config.trustList === undefined) {
    try {
      demo = ensureDemoIssuer(config.dataDir);
    } catch (error) {
      return refusal(USAGE, (error as Error).message);
    }
  }
  const location = config.trustList ?? (demo as DemoIssuer).trustListFile;
  const wired = await wireTrustKeeper(location, {
    ...parts,
    // A retirement that cannot be read counts as one: cannot tell is never valid.
    isRetired: (iss, kid) => status.isRetired(iss, kid) !== 'not-retired',
  });
  if (!wired.ok) return refusal(USAGE, wired.error);
  const { keeper } = wired;
  stops.add(keeper.stop);
  // At once, not when its turn comes in `stops`: a source that hangs must hold up neither the start's end nor a
  // reload that the drain waits for.
  void parts.end.asked.then(keeper.stop);
  keeper.onConfirmed((atMs) => state.setTrustConfirmedAt(atMs));
  const started = await keeper.start();
  return started.ok ? { ok: true, keeper, demo } : refusal(USAGE, started.error);
}

/** The way out of a start that is no longer wanted. */
function interrupted(): Refusal {
  return refusal(UNAVAILABLE, 'ended before it was ready');
}

function refusal(code: number, error: string): Refusal {
  return { ok: false, code, error };
}
