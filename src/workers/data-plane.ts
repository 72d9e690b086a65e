/**
 * A data-plane thread: one uWebSockets.js app that verifies. It owns nothing that another thread needs: what
 * it knows of keys arrives by message, what it knows of revocations stands in shared memory and in the store.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { buildCallerIndex } from '../callers/caller-index.ts';
import { systemClock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { GatewayParts } from '../gateway.ts';
import { type AccessLog, createAccessLog, MOST_LINES, MOST_REFUSAL_LINES } from '../ingress/access-log.ts';
import { createAdmission } from '../ingress/admission/admission.ts';
import { createGate } from '../ingress/admission/gate.ts';
import { createCallerCertificates } from '../ingress/caller-certificates.ts';
import type { CallerGuard } from '../ingress/caller-guard.ts';
import { capConnections } from '../ingress/connection-cap.ts';
import { createHeadReader } from '../ingress/head-reader.ts';
import { healthRoutes } from '../ingress/health-routes.ts';
import { mountRoutes } from '../ingress/http-server.ts';
import { openApp } from '../ingress/open-app.ts';
import { openapiRoute } from '../ingress/openapi-route.ts';
import { judgeParser } from '../ingress/parser-build.ts';
import { createRequestIds } from '../ingress/request-id.ts';
import { BEHIND, type Behind } from '../ingress/route.ts';
import { verifyRoutes } from '../ingress/verify-routes.ts';
import { buildTrustIndex, type TrustIndex } from '../keys/trust-index.ts';
import type { TrustList } from '../keys/trusted-key.ts';
import { describeError, writesRequests } from '../log.ts';
import { openCounters } from '../metrics/counters.ts';
import { requestObserver } from '../metrics/request-observer.ts';
import { loadNativeAddon, type NativeAddon } from '../native/addon.ts';
import { createReplayGuard, type StoppableGuard } from '../replay/create-replay-guard.ts';
import { selectEngineInForce } from '../signature/engine-in-force.ts';
import { openEngineLevel } from '../signature/engine-level.ts';
import { createTrustScopes } from '../verification/trust-scope.ts';
import { openCallerGuard } from './caller-guard.ts';
import { answerCanary, type CanaryOptions } from './canary.ts';
import { type CardStatusSource, openCardStatus } from './card-status.ts';
import { openClientFinder } from './client-finder.ts';
import type { FromWorker, ToWorker, WorkerBirth } from './protocol.ts';
import { startPulse } from './pulse.ts';
import { replayObserver } from './replay-observer.ts';
import { createRevocationProofs, proveCards } from './revocation-proofs.ts';
import { openSharedState, unreadyReasons } from './shared-state.ts';
import { createUnknownKeyReports } from './unknown-key-reports.ts';
import { openVerificationAudit } from './verification-audit.ts';
import { openLife } from './worker-life.ts';

const clock = systemClock;
const birth = workerData as WorkerBirth;
const life = openLife(birth.life);

function send(message: FromWorker): void {
  parentPort?.postMessage(message);
}

let trust: TrustIndex | undefined;
let revocation: CardStatusSource | undefined;
let canary: CanaryOptions | undefined;
let replay: StoppableGuard | undefined;
let callers: CallerGuard | undefined;
const proofs = createRevocationProofs((ticket, hashes) => send({ kind: 'prove-revoked', ticket, hashes }));
/** What must be undone before the thread may end, the last one first. */
const stops: (() => void)[] = [];

function start(): void {
  const { config } = birth;
  const counters = openCounters(birth.counters);
  const selection = selectEngineInForce({
    ...config,
    requested: config.engine,
    level: openEngineLevel(birth.engineLevel),
    monotonicMs: clock.monotonicMs,
    observer: {
      crossChecked: counters.countCrossCheck,
      disagreed: (disagreement) => {
        counters.countDisagreement();
        send({ kind: 'engine-disagreement', fields: { ...disagreement } });
      },
    },
  });
  if (!selection.ok) {
    send({ kind: 'failed', error: selection.error });
    return;
  }
  const { engine } = selection;
  counters.setEngineInForce(engine);
  const state = openSharedState(birth.state, clock);
  // Whoever asks for another engine than the native one mistrusts the native code: then it judges and decodes nothing.
  const loaded = loadNativeAddon();
  const addon = loaded.ok && engine.name === 'native' ? loaded.addon : undefined;
  const opened = openCardStatus(birth.revocation, clock, counters.countFilterChecks, addon);
  if (!opened.ok) {
    send({ kind: 'failed', error: opened.error });
    return;
  }
  const cards = opened.source;
  revocation = cards;
  stops.push(cards.close);
  const guard = createReplayGuard({
    ...birth.replay,
    addon,
    clock,
    observer: replayObserver(counters, clock, (because) => send({ kind: 'replay-cut-off', because })),
    sendNotes: (notes) => send({ kind: 'proofs-taken', notes }),
  });
  replay = guard;
  stops.push(guard.stop);
  if (birth.trustList !== undefined) judgeBy(birth.trustList);

  const parts: GatewayParts = {
    clock,
    engine,
    trust: () => trust,
    trustIsStale: () => state.trustAgeMs() > config.trustListMaxAgeSeconds * 1000,
    noteUnknownKey: createUnknownKeyReports(clock, (iss, kid) => send({ kind: 'unknown-key', iss, kid })),
    cardStatus: cards.statusOf,
    revocationIsExpired: () => cards.view().state === 'expired' || cards.leavesOutLiving(),
    acceptTestCredentials: config.demo,
    proofWindowSeconds: config.proofWindowSeconds,
    replay: guard,
    scopeOf: createTrustScopes(addon),
    supersedes: cards.supersedes,
    bulk: addon && { cardStatuses: cards.statusesOf, superseded: cards.supersedes.superseded },
  };
  const onUnexpectedError = (error: unknown, requestId?: string): void => {
    counters.countUnexpectedError();
    send({ kind: 'unexpected-error', fields: { ...describeError(error), ...(requestId && { requestId }) } });
  };
  const uncounted = {
    ...parts,
    cardStatus: cards.statusUncounted,
    bulk: parts.bulk && { ...parts.bulk, cardStatuses: cards.statusesUncounted },
  };
  canary = { parts: uncounted, isComplete: cards.isComplete };
  const onStrange = (what: string): void => onUnexpectedError(new Error(what));
  const admission = createAdmission({
    ...config,
    monotonicMs: clock.monotonicMs,
    afterTurn: setImmediate,
    onShed: counters.countShed,
    onBatchQueue: (items, ms) => {
      counters.setLevel('batchItems', items);
      counters.setLevel('batchMs', ms);
    },
    onOverload: counters.setOverload,
  });
  const observe = requestObserver(counters);
  const isDraining = (): boolean => state.phase() === 'draining' || life.isRetiring();
  callers = birth.callers && openCallerGuard(birth.callers, clock, counters);
  const app = openApp(config);
  const parser = judgeParser(birth.parser);
  /** Native code that may look into the parser's memory. */
  const insight = parser.layoutIsKnown ? addon : undefined;
  const gate = createGate({
    admission,
    callers,
    clients: openClientFinder(app, config, insight, onStrange),
    monotonicMs: clock.monotonicMs,
    isDraining,
    requestIdFor: createRequestIds(),
    onEnd: observe.end,
    accessLog: openAccessLog(config, MOST_REFUSAL_LINES),
    onRefusalsWaiting: (count) => counters.setLevel('refusalsWaiting', count),
  });
  stops.push(gate.stop);
  const audit = openVerificationAudit(birth, counters);
  if (audit !== undefined) stops.push(audit.stop);
  stops.push(() => app.close());
  capConnections(app, {
    most: config.maxConnections,
    onChange: (open, isRefused) => {
      counters.setLevel('connections', open);
      if (isRefused) counters.countRefusedConnection();
    },
  });
  const server = mountRoutes(app, {
    routes: [
      ...verifyRoutes({
        parts,
        addon,
        admission,
        revocation: cards.view,
        knownCards: cards,
        audit,
        batchSlice: config.batchSlice,
        allowAt: config.allowAt,
        proveRevoked: () =>
          cards.isComplete() ? undefined : (names) => proveCards(proofs, names, cards.hashesOf),
        onVerified: counters.countVerdicts,
        onBatch: counters.countBatch,
        onQueued: counters.observeQueueDelay,
        onUnexpectedError,
      }),
      ...healthRoutes({
        unreadyReasons: () => unreadyReasons(state, config.trustListMaxAgeSeconds * 1000, cards.view().state),
        revocation: cards.view,
      }),
      openapiRoute(),
    ],
    clock,
    gate,
    bodyBounds: {
      idleTimeoutMs: config.bodyIdleTimeoutMs,
      timeoutMs: config.bodyTimeoutMs,
      memoryBytes: config.bodyMemoryBytes,
    },
    answerTimeoutMs: config.answerTimeoutMs,
    ...(config.tlsClientCaFile !== undefined && { certificates: createCallerCertificates(clock.wallMs) }),
    isDraining,
    observe,
    accessLog: openAccessLog(config, MOST_LINES),
    ...(addon && { standsBehind: (chunk) => BEHIND[addon.standsBehind(chunk)] as Behind }),
    parser,
    ...(insight && {
      heads: createHeadReader(insight, () =>
        onStrange('a head was recognised wrongly, or could not be: heads are read strictly from now on'),
      ),
    }),
    onUnexpectedError,
  });

  stops.push(server.stop);
  const epoll = loaded.ok ? guardEnd(loaded.addon) : undefined;
  stops.push(startPulse(life, counters, engine, clock));
  send({
    kind: 'ready',
    descriptor: app.getDescriptor(),
    engine: engine.name,
    implementation: engine.implementation,
    epoll,
  });
}

function openAccessLog(config: Config, mostLines: number): AccessLog | undefined {
  if (!writesRequests(config)) return undefined;
  return createAccessLog({
    oneIn: config.accessLogOneIn,
    mostLines,
    threads: config.workers,
    random: Math.random,
    writeLine: (line) => send({ kind: 'access', line: { listener: 'data', ...line } }),
  });
}

function judgeBy(list: TrustList): void {
  trust = buildTrustIndex(list);
  // Where no issuer asks for proofs, no thread keeps a client of Redis for them before it sees one.
  if (list.issuers.some(({ holderProof }) => holderProof !== 'none')) replay?.prepare();
}

/** From now on the thread may end in any way, with its app alive; returns what it watches its connections with. */
function guardEnd(addon: NativeAddon): number {
  // Whatever calls process.exit here ends the thread, not the process.
  process.on('exit', () => {
    if (!closing) life.leave('exit');
  });
  return addon.guardThread(life.words);
}

let closing = false;
let reportedUncaught = false;
// Nobody knows what an error that nobody caught has left undone. It is reported, and the thread serves on until another
// has taken its place and its own requests are answered.
process.on('uncaughtException', (error) => {
  // The thread ends after the first; a timer that throws at every tick must not fill the log until then.
  if (!reportedUncaught) send({ kind: 'uncaught', fields: describeError(error) });
  reportedUncaught = true;
});

parentPort?.on('message', (message: ToWorker) => {
  if (message.kind === 'trust-list') {
    judgeBy(message.list);
    send({ kind: 'taken', ticket: message.ticket });
    return;
  }
  if (message.kind === 'revoked') return proofs.answered(message.ticket, message.issuedBefore);
  if (message.kind === 'canary') {
    if (canary !== undefined) send({ kind: 'canary', answer: answerCanary(message.probe, canary) });
    return;
  }
  if (message.kind === 'callers') {
    if (birth.callers !== undefined) callers?.setIndex(buildCallerIndex(message.list, birth.callers.hashKey));
    send({ kind: 'taken', ticket: message.ticket });
    return;
  }
  if (message.kind === 'filter') {
    revocation?.setFilter(message.shared);
    send({ kind: 'taken', ticket: message.ticket });
    return;
  }
  closing = true;
  // In this order, or the process aborts: no app may live when the thread ends.
  for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) stop();
  parentPort?.close();
});
start();
