/** The cells of the presence suite: what is shown to which server, and what the rounds of each amount to. */
import type { PresentationRequests } from '../corpus/presentation-requests.ts';
import type { LoadReport } from '../load/load-report.ts';
import type { LoadSpec } from '../load/load-spec.ts';
import { median, significant } from '../statistics.ts';
import type { Row } from '../suite.ts';
import {
  bottleneckOf,
  figuresOf,
  REQUEST_KINDS,
  type RequestKind,
  ratios,
  shareOf,
  utilisationOf,
} from './http-cells.ts';

/** `local`: an embedded gateway, whose guard is its own table; `redis`: one that asks the others by a Redis. */
export type ServerName = 'local' | 'redis' | 'empty';

export interface PresenceCell {
  readonly kind: RequestKind;
  readonly server: ServerName;
  /** Whether a proof is shown with each credential. */
  readonly hasProof: boolean;
  checkRound?: LoadReport;
  readonly rounds: LoadReport[];
}

/** As the http suite has them; batches in the form that can carry proofs, answered with a byte for each. */
const SINGLE: RequestKind = { ...kindLike('single-json', 'json'), checkOneIn: 16 };
/** A batch with proofs is some 14 ms of work, and work of 50 ms that stands is an overload, of which a gateway refuses some. */
const BATCH: RequestKind = { ...kindLike('batch-json', 'bytes'), connections: 2 };

function kindLike(form: RequestKind['form'], answer: RequestKind['answer']): RequestKind {
  return REQUEST_KINDS.find((kind) => kind.form === form && kind.answer === answer) as RequestKind;
}

/** In the order of a round: what is compared stands side by side. */
export function presenceCells(): PresenceCell[] {
  const cell = (kind: RequestKind, server: ServerName, hasProof = true): PresenceCell => ({
    // Plain credentials may be shown again, so the generator makes their requests of the corpus as for other suites.
    kind: hasProof ? { ...kind, form: 'prebuilt' } : kind,
    server,
    hasProof,
    rounds: [],
  });
  return [
    cell(BATCH, 'local'),
    cell(BATCH, 'redis'),
    cell(BATCH, 'local', false),
    cell(SINGLE, 'local'),
    cell({ ...SINGLE, checkOneIn: 0 }, 'empty'),
    cell(SINGLE, 'redis'),
    cell(SINGLE, 'local', false),
  ];
}

/** What a row says of a server that was measured. */
const WITHHELD = [
  ...['requestsPerSecond', 'credentialsPerSecond', 'roundsRequestsPerSecond', 'serverCpuUsPerRequest'],
  ...['p50Ms', 'p99Ms', 'shareOfEmpty', 'shareIsUpperBound', 'shareOfPlain'],
];

/** The empty handler takes the same requests as the gateway, and may take them again: it remembers none. */
export function requestsOf(
  { kind, server, hasProof }: PresenceCell,
  { batches, singles }: PresentationRequests,
): LoadSpec['requests'] {
  if (!hasProof) return undefined;
  return { ...(kind.request === 'batch' ? batches : singles), isSentOnce: server !== 'empty' };
}

/**
 * A cell's figures; without rates where they would be the generator's, since it held them down, or where some answers
 * were wrong or refused, which is sooner done.
 */
export function rowOf(cell: PresenceCell, cells: readonly PresenceCell[], ticksPerSecond: number): Row {
  const { kind, server, hasProof, rounds } = cell;
  const alike = cells.filter((other) => other.kind.request === kind.request);
  const plain = alike.find((other) => !other.hasProof);
  const empty = alike.find((other) => other.server === 'empty');
  const isCompared = hasProof && server !== 'empty';
  const figures = figuresOf(cell, 'wrk', ticksPerSecond);
  const beside = median(rounds.map((r) => utilisationOf(r, r.besideTicks ?? 0, ticksPerSecond)));
  const row = {
    suite: 'presence',
    case: caseOf(cell),
    server,
    hasProof,
    ...figures,
    ...(isCompared && empty && shareOf(cell, empty, ticksPerSecond)),
    ...(isCompared && plain && { shareOfPlain: significant(median(ratios(cell, plain)), 3) }),
    ...(server === 'redis' && { redisUtilisation: significant(beside, 3) }),
  };
  // The generator and Redis have one core together.
  const bottleneck = bottleneckOf(figures.serverUtilisation, figures.generatorUtilisation + beside);
  const generatorWasBottleneck = bottleneck === 'generator';
  const judged = { ...row, bottleneck, generatorWasBottleneck };
  const faults = figures.non2xx + figures.socketErrors + figures.notValid;
  if (!generatorWasBottleneck && faults === 0) return judged;
  return Object.fromEntries(Object.entries(judged).filter(([name]) => !WITHHELD.includes(name))) as Row;
}

function caseOf({ kind, server, hasProof }: Pick<PresenceCell, 'kind' | 'server' | 'hasProof'>): string {
  if (!hasProof) return `${kind.request}, credential alone`;
  const of = { local: 'local guard', redis: 'guard with Redis', empty: 'empty handler' }[server];
  return `${kind.request}, credential and proof, ${of}`;
}
