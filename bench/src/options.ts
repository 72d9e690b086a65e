/** Command-line options, validated before anything is started. */
import { parseArgs } from 'node:util';

export type EngineChoice = 'auto' | 'native' | 'openssl' | 'noble';
export type GeneratorChoice = 'wrk' | 'autocannon';
type RunnerChoice = 'auto' | 'k6' | 'own';

export interface Options {
  readonly json: boolean;
  /** Seconds measured for each configuration in each round; `undefined` is the suite's default. */
  readonly seconds: number | undefined;
  readonly rounds: number;
  /** Core of everything that is measured, and core of what puts load on it. */
  readonly serverCore: number;
  readonly generatorCore: number;
  /** http: the gateway's VIGIE_ENGINE. kernel: the one engine to run beside OpenSSL; auto runs all. */
  readonly engine: EngineChoice;
  readonly generator: GeneratorChoice;
  /** Distinct credentials in the corpus. */
  readonly credentials: number;
  /** The suite's parts to run. */
  readonly only: readonly string[];
  /** scale: how long memory is watched; scenarios: the soak. */
  readonly minutes: number;
  /** revocation: entries of the log, and the filter's target rate. */
  readonly entries: number;
  readonly rate: number;
  /** nation: cards revoked before a run begins, and at once in the part `mass`. */
  readonly standing: number;
  readonly mass: number;
  /** scenarios: who puts the load on, and whether one expectation is made wrong to see that the run fails. */
  readonly runner: RunnerChoice;
  readonly falsify: boolean;
  /** Refuse to measure when the machine is not quiet, instead of warning. */
  readonly strict: boolean;
  /** Keep the report as the suite's latest one. */
  readonly save: boolean;
  /** report: the suites to measure and store before, by commas, or `all`. */
  readonly run: string | undefined;
  /** gate: the commit to compare with, the ratio above 1 that is let pass, and the slowdown put in on purpose. */
  readonly base: string | undefined;
  readonly threshold: number;
  readonly inject: number;
}

/** A command line that makes no sense; exit code 2. */
export class UsageError extends Error {}

export const OPTIONS_HELP = `Options:
  --json                 one JSON object {machine, suite, rows, columns, warnings, failed} on standard output
  --seconds N            seconds for each configuration in each round (kernel: 0.4, http, peers, presence and scale: 5, whole ones;
                         nation: 60, scenarios: 10)
  --rounds N             interleaved rounds, of which the median counts (3; gate: 6)
  --engine NAME          auto, native, openssl or noble (auto)
  --server-core N        core of what is measured (0)
  --generator-core N     core of the load generator (1)
  --generator NAME       http: wrk or autocannon (wrk)
  --credentials N        http, overload, nation, peers, presence, scale: distinct credentials in the corpus, thousands (200000)
  --entries N            revocation: entries of the log, 60000 to 16000000 (10000000)
  --only PART,PART       revocation: import, start, filter, enforcement; scale: workers, latency, memory; peers: gateways, engines;
                         nation: central, high, herd, audit, proofs, mass, outage;
                         scenarios: smoke, steady, ramp, spike, soak, lots, hot, cold, adversarial, churn (all)
  --minutes N            scale: how long memory is watched at full load; scenarios: how long the soak takes (10)
  --rate P               revocation, nation: target false-positive rate of the filter (0.000001)
  --standing N           nation: cards revoked before a run begins, 1000 to 16000000 (1500000)
  --mass N               nation: cards revoked at once, 1000 to 16000000 (4000000)
  --runner NAME          scenarios: k6, own, or auto: k6 where it can be built (auto)
  --falsify              scenarios: make one expectation of each pool wrong: the run must exit with 1
  --strict               refuse to measure while something else runs on the machine
  --save                 store the run as bench/results/latest/SUITE.json: a whole one, of a commit
  --run SUITE,SUITE      report: measure and store these first, or all
  --base COMMIT          gate: what to compare this checkout with; --rounds counts blocks with processes of their own
  --threshold SHARE      gate: more CPU time than the base's that is let pass (0.05)
  --inject SHARE         gate: slow this checkout's copy down by so much, to see it caught (0)`;

const DEFAULT_ROUNDS = 3;

/** Parses what follows the suite's name; `parts` is what `--only` may name. */
export function parseOptions(
  args: readonly string[],
  parts: readonly string[] = [],
  defaultRounds = DEFAULT_ROUNDS,
): Options {
  const values = parse(args);
  return {
    json: values.json,
    seconds: values.seconds === undefined ? undefined : numberOf('--seconds', values.seconds, 0.2, 600),
    rounds: integerOf('--rounds', values.rounds ?? String(defaultRounds), 1, 1_000),
    serverCore: integerOf('--server-core', values['server-core'], 0, 4_095),
    generatorCore: integerOf('--generator-core', values['generator-core'], 0, 4_095),
    engine: choiceOf('--engine', values.engine, ['auto', 'native', 'openssl', 'noble']),
    generator: choiceOf('--generator', values.generator, ['wrk', 'autocannon']),
    credentials: thousandsOf('--credentials', values.credentials),
    entries: integerOf('--entries', values.entries, 60_000, 16_000_000),
    only: values.only === undefined ? parts : partsOf(values.only, parts),
    minutes: numberOf('--minutes', values.minutes, 0.2, 1_440),
    rate: numberOf('--rate', values.rate, 1e-8, 0.1),
    standing: integerOf('--standing', values.standing, 1_000, 16_000_000),
    mass: integerOf('--mass', values.mass, 1_000, 16_000_000),
    runner: choiceOf('--runner', values.runner, ['auto', 'k6', 'own']),
    falsify: values.falsify,
    strict: values.strict,
    save: values.save,
    run: values.run,
    base: values.base,
    threshold: numberOf('--threshold', values.threshold, 0.01, 1),
    inject: numberOf('--inject', values.inject, 0, 1),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean', default: false },
        seconds: { type: 'string' },
        rounds: { type: 'string' },
        'server-core': { type: 'string', default: '0' },
        'generator-core': { type: 'string', default: '1' },
        engine: { type: 'string', default: 'auto' },
        generator: { type: 'string', default: 'wrk' },
        credentials: { type: 'string', default: '200000' },
        entries: { type: 'string', default: '10000000' },
        only: { type: 'string' },
        minutes: { type: 'string', default: '10' },
        rate: { type: 'string', default: '1e-6' },
        standing: { type: 'string', default: '1500000' },
        mass: { type: 'string', default: '4000000' },
        runner: { type: 'string', default: 'auto' },
        falsify: { type: 'boolean', default: false },
        strict: { type: 'boolean', default: false },
        save: { type: 'boolean', default: false },
        run: { type: 'string' },
        base: { type: 'string' },
        threshold: { type: 'string', default: '0.05' },
        inject: { type: 'string', default: '0' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function numberOf(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= min && value <= max) return value;
  throw new UsageError(`${flag} must be a number from ${min} to ${max}`);
}

function integerOf(flag: string, text: string, min: number, max: number): number {
  const value = numberOf(flag, text, min, max);
  if (Number.isInteger(value)) return value;
  throw new UsageError(`${flag} must be a whole number`);
}

/** Batches take 1,000 credentials each, and the sixteen connections of a run share none. */
function thousandsOf(flag: string, text: string): number {
  const value = integerOf(flag, text, 16_000, 2_000_000);
  if (value % 1_000 === 0) return value;
  throw new UsageError(`${flag} must be a multiple of 1000`);
}

function partsOf(text: string, parts: readonly string[]): readonly string[] {
  if (parts.length === 0) throw new UsageError('--only: this suite has no parts');
  return text.split(',').map((part) => choiceOf('--only', part, parts));
}

function choiceOf<Choice extends string>(flag: string, text: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((known) => known === text);
  if (choice !== undefined) return choice;
  throw new UsageError(`${flag} must be one of ${choices.join(', ')}`);
}
