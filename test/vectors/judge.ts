/** Puts vector cases to engines and says where an engine and a vector, or two engines, disagree. */
import type { SignatureEngine } from '../../src/signature/engine.ts';
import type { ExpectedResult, VectorCase } from './vector-file.ts';

/** `unsteady`: the verdict in a batch of all cases and the verdict alone differ. */
export type Got = 'valid' | 'invalid' | 'unsteady';

export interface Disagreement {
  readonly file: string;
  readonly tcId: number;
  readonly comment: string;
  readonly expected: ExpectedResult;
  readonly got: Got;
}

export interface EngineScore {
  readonly engine: string;
  readonly implementation: string;
  readonly cases: number;
  readonly agreements: number;
  readonly disagreements: readonly Disagreement[];
}

/** A case on which the engines differ among themselves, whatever the vector expects. */
export interface Conflict {
  readonly file: string;
  readonly tcId: number;
  readonly comment: string;
  readonly expected: ExpectedResult;
  readonly got: Readonly<Record<string, Got>>;
}

export interface Judgement {
  readonly engines: readonly EngineScore[];
  readonly conflicts: readonly Conflict[];
}

export function judge(engines: readonly SignatureEngine[], cases: readonly VectorCase[]): Judgement {
  const answers = engines.map((engine) => ({ engine, got: ask(engine, cases) }));
  const conflicts = cases.flatMap((vector, i): Conflict[] => {
    const got = Object.fromEntries(
      answers.map((answer) => [nameAmong(engines, answer.engine), answer.got[i] as Got]),
    );
    return new Set(Object.values(got)).size > 1 ? [{ ...labelOf(vector), got }] : [];
  });
  return { engines: answers.map(({ engine, got }) => score(engine, cases, got)), conflicts };
}

/** An engine's name, with its implementation where several share the name. */
function nameAmong(engines: readonly SignatureEngine[], { name, implementation }: SignatureEngine): string {
  return engines.filter((other) => other.name === name).length > 1 ? `${name} (${implementation})` : name;
}

function score(engine: SignatureEngine, cases: readonly VectorCase[], got: readonly Got[]): EngineScore {
  const disagreements = cases.flatMap((vector, i): Disagreement[] => {
    const verdict = got[i] as Got;
    return agrees(vector.expected, verdict) ? [] : [{ ...labelOf(vector), got: verdict }];
  });
  return {
    engine: engine.name,
    implementation: engine.implementation,
    cases: cases.length,
    agreements: cases.length - disagreements.length,
    disagreements,
  };
}

/** Every case is asked twice, in one batch of all and alone: a verdict must not hang on its neighbours. */
function ask(engine: SignatureEngine, cases: readonly VectorCase[]): Got[] {
  const inBatch = engine.verify(cases.map(({ check }) => check));
  return cases.map(({ check }, i) => {
    const alone = engine.verify([check])[0];
    if (inBatch[i] !== alone) return 'unsteady';
    return alone === 1 ? 'valid' : 'invalid';
  });
}

function agrees(expected: ExpectedResult, got: Got): boolean {
  return got !== 'unsteady' && (expected === 'acceptable' || expected === got);
}

function labelOf({ file, tcId, comment, expected }: VectorCase) {
  return { file, tcId, comment, expected };
}
