/**
 * The scenarios. Rates of steady load are a nation's: 490 calls a second are the worst second of the French central
 * estimate, 4,400 credentials a second its lots; assumptions both.
 */
import type { Phase, Scenario } from './plan.ts';

export const SCENARIOS = [
  ...['smoke', 'steady', 'ramp', 'spike', 'soak'],
  ...['lots', 'hot', 'cold', 'adversarial', 'churn'],
] as const;

const NATION_PER_SECOND = 490;
const CALM_PER_SECOND = 163;
const CONNECTIONS = 100;
const SPIKE_CONNECTIONS = 350;
const LOT = 200;
const LOTS_PER_SECOND = 22;
/** A hundred times a nation's (1.5 million a year), so that a run of seconds has some dozens. */
const REVOCATIONS_PER_SECOND = 5;
/** More than a runner that looks at each answer brings from one core: it ends at the knee of whoever gives in first. */
const RAMP_PER_SECOND = 20_000;

/** What heaps grow to in the first minutes is in it. */
const SOAK_MEMORY_MIB = 256;
const SOAK_MEMORY_MIB_PER_HOUR = 256;
/** What a shorter run grows by the hour is noise. */
const MINUTES_THAT_TELL_GROWTH = 10;

/**
 * What a counter expects of the server: an assumption. Calls that are not sent are in no quantile, so they must be far
 * fewer than the quantile leaves out.
 */
const COUNTER = { p99Ms: 50, p999Ms: 200, unsentShare: 0.0005 };
/** Nobody stands at a counter while a lot is looked at. */
const BACK_OFFICE = { p99Ms: 1_000, unsentShare: 0.005 };
/** Of scenarios that ask for verdicts: any machine, however busy, is to pass. */
const PATIENT = { p99Ms: 5_000, unsentShare: 0.25 };

const GOOD = [{ pool: 'good', percent: 100, order: 'sequence' }] as const;
const flat = (seconds: number, rate: number): Phase => ({ seconds, from: rate, to: rate });

/** Follows the ramp at once: after the flood the calm must be as it is without one. */
export const CALM = 'calm after ramp';

export function scenariosOf(name: string, seconds: number, soakMinutes: number): Scenario[] {
  const names = name === 'ramp' ? [name, CALM] : [name];
  return names.map((each) => scenarioOf(each, seconds, soakMinutes));
}

/** `seconds` of each, but of the soak. */
export function scenarioOf(name: string, seconds: number, soakMinutes: number): Scenario {
  const steady = {
    ...{ name, phases: [flat(seconds, NATION_PER_SECOND)], mix: GOOD },
    ...{ connections: CONNECTIONS, thresholds: COUNTER },
  };
  switch (name) {
    case 'smoke':
      return {
        ...steady,
        phases: [flat(seconds, 50)],
        mix: [
          { pool: 'good', percent: 40, order: 'sequence' },
          { pool: 'bad', percent: 40, order: 'sequence' },
          { pool: 'odd', percent: 20, order: 'sequence' },
        ],
        thresholds: PATIENT,
      };
    case 'ramp': {
      // Refusals are part of the answer on the way up.
      const ramp = { seconds: 2 * seconds, from: 100, to: RAMP_PER_SECOND };
      return { ...steady, phases: [ramp], mayRefuse: true, thresholds: {} };
    }
    case CALM:
      return { ...steady, phases: [flat(Math.max(3, seconds / 2), CALM_PER_SECOND)] };
    case 'spike': {
      // A storm of reconnections has ten times the calm rate.
      const third = seconds / 3;
      const rates = [CALM_PER_SECOND, 10 * CALM_PER_SECOND, CALM_PER_SECOND];
      return { ...steady, phases: rates.map((rate) => flat(third, rate)), connections: SPIKE_CONNECTIONS };
    }
    case 'soak':
      return {
        ...steady,
        phases: [flat(60 * soakMinutes, NATION_PER_SECOND)],
        mix: MOSTLY_GOOD,
        thresholds: {
          ...{ ...COUNTER, memoryMiB: SOAK_MEMORY_MIB },
          ...(soakMinutes >= MINUTES_THAT_TELL_GROWTH && { memoryMiBPerHour: SOAK_MEMORY_MIB_PER_HOUR }),
        },
      };
    case 'lots':
      return {
        ...steady,
        phases: [flat(seconds, LOTS_PER_SECOND)],
        mix: MOSTLY_GOOD,
        lot: LOT,
        thresholds: BACK_OFFICE,
      };
    case 'hot':
      return { ...steady, mix: [{ pool: 'good', percent: 100, order: 'zipf' }] };
    case 'cold':
      return { ...steady, mix: [{ pool: 'cold', percent: 100, order: 'sequence' }] };
    case 'adversarial':
      return { ...steady, mix: HOSTILE, thresholds: PATIENT };
    case 'churn':
      return { ...steady, revocationsPerSecond: REVOCATIONS_PER_SECOND };
    default:
      return steady;
  }
}

const MOSTLY_GOOD = [
  { pool: 'good', percent: 95, order: 'sequence' },
  { pool: 'bad', percent: 5, order: 'sequence' },
] as const;

const HOSTILE = [
  { pool: 'good', percent: 70, order: 'sequence' },
  { pool: 'bad', percent: 22, order: 'sequence' },
  { pool: 'odd', percent: 8, order: 'sequence' },
] as const;

/** Cards that the scenario revokes: none twice, and some to spare. */
export function cardsToRevoke({ revocationsPerSecond = 0, phases }: Scenario): number {
  const seconds = phases.reduce((sum, phase) => sum + phase.seconds, 0);
  return revocationsPerSecond === 0 ? 0 : Math.ceil(revocationsPerSecond * seconds) + 50;
}
