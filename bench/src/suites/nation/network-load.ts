/** The open-loop generator on a network: phases that last as long as what is done meanwhile, with their CPU time. */
import {
  type OpenLoopReport,
  prepareOpenLoop,
  type StreamSpec,
  startOpenLoop,
} from '../../load/open-loop.ts';
import { clockTicksPerSecond, readCpuTicks } from '../../process/cpu-time.ts';
import type { Network } from './network.ts';
import type { CpuUse } from './rows.ts';
import { CENTRAL_PER_SECOND, PATIENCE_SECONDS } from './workload.ts';

/** The next phase: begins now, and ends when `act` does. */
export type During = <T>(act: () => Promise<T>) => Promise<T>;

export interface FinishedLoad {
  readonly report: OpenLoopReport;
  /** One for each phase. */
  readonly uses: readonly CpuUse[];
  readonly generatorLagMs: number;
}

/** The first phase counts for nothing: what the machine's compiler has not seen often enough is slower by half. */
export const WARM_UP_SECONDS = 5;
export const WARM_UP_PER_SECOND = 3_000;
/** Callers wait on connections; one that finds none free is not served. */
export const SINGLE_CONNECTIONS = 500;

/**
 * The load goes on for as many phases as `phases` has, each with its `limits`: the seconds that it may take at most.
 * The rates of `streams` are by phase.
 */
export async function underLoad<Value>(
  network: Network,
  limits: readonly number[],
  streams: readonly StreamSpec[],
  phases: (during: During) => Promise<Value>,
): Promise<FinishedLoad & { readonly value: Value }> {
  const [first] = network.gateways;
  const generator = startOpenLoop(prepareOpenLoop(), {
    port: portOf(first?.data as string),
    credentialsFile: network.corpus.credentialsFile,
    core: network.options.generatorCore,
    // A warm-up is a phase of its own here.
    settleSeconds: 0,
    patienceSeconds: PATIENCE_SECONDS,
    phaseSeconds: limits,
    streams,
  });
  const meter = () => meterOf(network, generator.pid);
  const uses: CpuUse[] = [];
  const during: During = async (act) => {
    const before = meter();
    const value = await act();
    uses.push(useBetween(before, meter()));
    generator.endPhase();
    return value;
  };
  try {
    await generator.begun;
    const value = await phases(during);
    const report = await generator.report;
    return { value, report, uses, generatorLagMs: report.lag.p99Us / 1000 };
  } finally {
    // Where a phase broke off: it would go on to its limit, on a core that the next part needs.
    generator.stop();
  }
}

/** After the warm-up single calls at the central rate over all phases, divided among the gateways. */
export function centralSingles({ gateways }: Pick<Network, 'gateways'>, phases: number): StreamSpec[] {
  return gateways.map(({ data }, i) => ({
    name: singlesAt(i),
    items: 0,
    connections: SINGLE_CONNECTIONS,
    source: '127.0.0.1',
    rates: Array.from(
      { length: phases },
      (_, phase) => (phase === 0 ? WARM_UP_PER_SECOND : CENTRAL_PER_SECOND) / gateways.length,
    ),
    port: portOf(data),
  }));
}

/** The streams are told apart by their gateways, so that the worse one can be told. */
export function singlesAt(gateway: number): string {
  return `singles-${gateway + 1}`;
}

export function portOf(url: string): number {
  return Number(new URL(url).port);
}

interface Meter {
  readonly atMs: number;
  readonly gateways: readonly number[];
  readonly redis: number;
  readonly generator: number;
}

/** A process that has ended has used what it had, which is not known any more: it counts from nothing again. */
function meterOf({ gateways, redis }: Network, generator: number): Meter {
  return {
    atMs: performance.now(),
    gateways: gateways.map(({ server }) => readCpuTicks(server.pid) ?? 0),
    redis: readCpuTicks(redis().pid) ?? 0,
    generator: readCpuTicks(generator) ?? 0,
  };
}

function useBetween(before: Meter, after: Meter): CpuUse {
  const ticks = (clockTicksPerSecond() * (after.atMs - before.atMs)) / 1000;
  const cores = (from: number, to: number): number => Math.max(0, to - from) / ticks;
  return {
    gatewayCores: after.gateways.map((used, i) => cores(before.gateways[i] as number, used)),
    redisCores: cores(before.redis, after.redis),
    generatorCores: cores(before.generator, after.generator),
  };
}
