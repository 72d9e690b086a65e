/** The requests of the http suite and how a row is made of the rounds of one of them. */
import type { LoadReport } from '../load/load-report.ts';
import type { LoadForm } from '../load/load-spec.ts';
import type { TargetName } from '../process/targets.ts';
import { median, significant } from '../statistics.ts';

/** One kind of request; a peer is measured beside the gateway where its rate means something. */
export interface RequestKind {
  readonly request: 'single' | 'batch';
  readonly form: LoadForm;
  readonly path: string;
  readonly contentType: string;
  readonly accept: string;
  readonly answer: 'json' | 'bytes';
  /** Credentials in a request. */
  readonly batch: number;
  readonly connections: number;
  readonly targets: readonly TargetName[];
  /** In the measured rounds verdicts are counted in one answer of so many, as often as the generator can afford; 0: none. */
  readonly checkOneIn: number;
}

export const REQUEST_KINDS: readonly RequestKind[] = [
  {
    request: 'single',
    form: 'single-json',
    path: '/v1/verify',
    contentType: 'application/json',
    accept: 'application/json',
    answer: 'json',
    batch: 1,
    connections: 32,
    targets: ['gateway', 'empty-uws', 'fastify-fast-jwt'],
    checkOneIn: 0,
  },
  {
    request: 'batch',
    form: 'batch-json',
    path: '/v1/verify/batch',
    contentType: 'application/json',
    accept: 'application/json',
    answer: 'json',
    batch: 1_000,
    connections: 8,
    targets: ['gateway'],
    checkOneIn: 16,
  },
  {
    request: 'batch',
    form: 'batch-lines',
    path: '/v1/verify/batch',
    contentType: 'text/plain',
    accept: 'application/octet-stream',
    answer: 'bytes',
    batch: 1_000,
    connections: 8,
    targets: ['gateway'],
    checkOneIn: 1,
  },
  // What the peer does best, a byte for each, is what both of the gateway's batches are compared with.
  {
    request: 'batch',
    form: 'batch-json',
    path: '/v1/verify/batch',
    contentType: 'application/json',
    accept: 'application/octet-stream',
    answer: 'bytes',
    batch: 1_000,
    connections: 4,
    targets: ['fastify-fast-jwt'],
    checkOneIn: 1,
  },
];

/** So many clients at once: all that came in one turn of the event loop share what it costs. */
const CROWD = 128;

/** What the suite sends: single calls from a crowd as well, beside the empty handler that has the same one. */
export const HTTP_KINDS: readonly RequestKind[] = REQUEST_KINDS.flatMap((kind) =>
  kind.request === 'single'
    ? [kind, { ...kind, connections: CROWD, targets: ['gateway', 'empty-uws'] }]
    : [kind],
);

/** A request kind against one target, with what its rounds brought. */
export interface Cell {
  readonly kind: RequestKind;
  readonly target: TargetName;
  /** The round before the measured ones: warms the server up while every answer is looked into. */
  checkRound?: LoadReport;
  readonly rounds: LoadReport[];
}

/** Connections that send batches to an engine that takes long for each: of more it would refuse some. */
const SLOW_ENGINE_BATCHES = 4;

/** The same with as many connections as an engine can serve. */
export function servable<Kind extends RequestKind>(kind: Kind, engine: string): Kind {
  if (kind.request === 'single' || engine === 'native') return kind;
  return { ...kind, connections: Math.min(kind.connections, SLOW_ENGINE_BATCHES) };
}

/** A core this busy had no more to give. */
const SATURATED = 0.95;

export type Bottleneck = 'server' | 'generator' | 'neither';

/** Which side held the rate down. A server with spare time was not measured, whatever the rate says. */
export function bottleneckOf(serverUtilisation: number, generatorUtilisation: number): Bottleneck {
  if (serverUtilisation >= SATURATED) return 'server';
  return generatorUtilisation >= SATURATED ? 'generator' : 'neither';
}

/** The cells that the gateway's is compared with, where there are any. */
export interface Beside {
  readonly empty?: Cell | undefined;
  readonly peer?: Cell | undefined;
}

type Measured = Pick<Cell, 'kind' | 'checkRound' | 'rounds'>;

export function rowOf(cell: Cell, { empty, peer }: Beside, generator: string, ticksPerSecond: number) {
  const figures = figuresOf(cell, generator, ticksPerSecond);
  const head = { suite: 'http', target: cell.target };
  // The empty handler's rate only says how much the gateway's share is at most: it may be the generator's.
  if (figures.generatorWasBottleneck && cell.target !== 'empty-uws')
    return { ...head, ...withoutRates(figures) };
  const isPeerMeasured = peer && !figuresOf(peer, generator, ticksPerSecond).generatorWasBottleneck;
  return {
    ...head,
    ...figures,
    ...(cell.target === 'gateway' && empty && shareOf(cell, empty, ticksPerSecond)),
    ...(cell.target === 'gateway' &&
      isPeerMeasured && { xFastifyFastJwt: significant(median(ratios(cell, peer)), 3) }),
  };
}

type Figures = ReturnType<typeof figuresOf>;
type Rates =
  | 'requestsPerSecond'
  | 'credentialsPerSecond'
  | 'p50Ms'
  | 'p99Ms'
  | 'serverCpuUsPerRequest'
  | 'roundsRequestsPerSecond';

/** Of a server that had time to spare since its generator had none: what it can do was not measured. */
export function withoutRates(figures: Figures): Omit<Figures, Rates> & { [rate in Rates]?: undefined } {
  const {
    requestsPerSecond: _requests,
    credentialsPerSecond: _credentials,
    p50Ms: _p50,
    p99Ms: _p99,
    serverCpuUsPerRequest: _cpu,
    roundsRequestsPerSecond: _rounds,
    ...rest
  } = figures;
  return rest;
}

/** What the rounds of a cell amount to, by itself. */
export function figuresOf(cell: Measured, generator: string, ticksPerSecond: number) {
  const { kind, rounds } = cell;
  const middle = (figure: (report: LoadReport) => number): number => median(rounds.map(figure));
  const all = [...(cell.checkRound ? [cell.checkRound] : []), ...rounds];
  const total = (figure: (report: LoadReport) => number): number =>
    all.reduce((sum, r) => sum + figure(r), 0);
  const serverUtilisation = middle((r) => utilisationOf(r, r.serverTicks, ticksPerSecond));
  const generatorUtilisation = middle((r) => utilisationOf(r, r.generatorTicks, ticksPerSecond));
  const cpuUs = middle((r) => ((r.serverTicks / ticksPerSecond) * 1e6) / Math.max(1, r.requests));
  const bottleneck = bottleneckOf(serverUtilisation, generatorUtilisation);
  return {
    request: kind.request,
    answer: kind.answer,
    batch: kind.batch,
    connections: kind.connections,
    requestsPerSecond: significant(middle(rate)),
    credentialsPerSecond: significant(middle(rate) * kind.batch),
    p50Ms: significant(middle((r) => r.p50Ms)),
    p99Ms: significant(middle((r) => r.p99Ms)),
    serverCpuUsPerRequest: significant(cpuUs),
    serverUtilisation: significant(serverUtilisation, 3),
    generator,
    generatorUtilisation: significant(generatorUtilisation, 3),
    bottleneck,
    generatorWasBottleneck: bottleneck === 'generator',
    non2xx: total((r) => r.non2xx),
    socketErrors: total((r) => r.socketErrors),
    checkOneIn: kind.checkOneIn,
    checked: total((r) => r.checked),
    notValid: total((r) => r.notValid),
    roundsRequestsPerSecond: rounds.map((r) => significant(rate(r))),
  };
}

/** CPU time over wall time. */
export function utilisationOf({ seconds }: LoadReport, ticks: number, ticksPerSecond: number): number {
  return ticks / ticksPerSecond / seconds;
}

/** Requests of the one for each of the other, in rounds that ran side by side; both take as many credentials. */
export function ratios(cell: Measured, other: Measured): number[] {
  return cell.rounds.map((report, round) => rate(report) / rate(other.rounds[round] as LoadReport));
}

/** The share of the empty handler's rate. */
export function shareOf(cell: Measured, empty: Measured, ticksPerSecond: number) {
  const emptyUtilisation = median(empty.rounds.map((r) => utilisationOf(r, r.serverTicks, ticksPerSecond)));
  return {
    shareOfEmpty: significant(median(ratios(cell, empty)), 3),
    // A ceiling that was itself held down makes every share look too good.
    shareIsUpperBound: emptyUtilisation < SATURATED,
  };
}

function rate(report: LoadReport): number {
  return report.requests / report.seconds;
}

export type HttpRow = ReturnType<typeof rowOf>;

/** What makes a row worth less than it looks. */
export function warningsAbout(row: HttpRow): string[] {
  const name = `${row.target} ${row.request} (${row.answer}, ${row.connections} connections)`;
  const warnings: string[] = [];
  if (row.bottleneck === 'generator') {
    const consequence =
      row.target === 'empty-uws' ? "the gateway's share is an upper bound" : 'it has no rates';
    warnings.push(`${name}: the generator was the bottleneck, so ${consequence}`);
  }
  if (row.bottleneck === 'neither')
    warnings.push(`${name}: neither the server nor the generator was saturated (other work on the machine?)`);
  if (row.non2xx + row.socketErrors > 0) {
    warnings.push(`${name}: ${row.non2xx} answers were no 2xx, ${row.socketErrors} socket errors`);
  }
  if (row.notValid > 0) warnings.push(`${name}: ${row.notValid} of ${row.checked} answers were not valid`);
  return warnings;
}
