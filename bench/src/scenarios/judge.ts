/** Whether an answer is the expected one, to the action at the counter. Runs in Node.js and in k6. */
import type { Expected, Item } from './plan.ts';

export interface Answer {
  /** 0: none came. */
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | undefined;
}

/** `undefined`: as expected; else what it was instead. Nothing of the credential stands in it. */
export function faultOf({ expected, kind }: Item, answer: Answer): string | undefined {
  if (answer.status !== expected.status) return `${kind}: ${wanted(expected)}, got HTTP ${answer.status}`;
  const said = parse(answer.body);
  if (expected.status !== 200) {
    const problem = String(said?.type ?? 'no problem document').replace(/^.*[/:]/, '');
    return problem === expected.problem ? undefined : `${kind}: ${wanted(expected)}, got ${problem}`;
  }
  return faultOfResult(kind, expected, said);
}

/** Of a batch answered with JSON: each of its results. */
export function faultsOfResults(items: readonly Item[], answer: Answer): string[] {
  const results = answer.status === 200 ? parse(answer.body)?.results : undefined;
  if (!Array.isArray(results) || results.length !== items.length) return [notWhole(items, answer)];
  return items.flatMap(({ kind, expected }, at) => faultOfResult(kind, expected, results[at]) ?? []);
}

/** Of a batch answered with a byte for each: the codes of their reasons. */
export function faultsOfCodes(items: readonly Item[], answer: Answer): string[] {
  if (answer.status !== 200 || answer.body.length !== items.length) return [notWhole(items, answer)];
  return items.flatMap(({ kind, expected }, at) => {
    const code = answer.body.charCodeAt(at);
    const isRight = expected.status === 200 && code === CODES.indexOf(expected.reason);
    return isRight ? [] : `${kind}: ${wanted(expected)}, got code ${code}`;
  });
}

/** Shed before any work, and told when to come again. */
export function isRefusal({ status, retryAfter }: Answer): boolean {
  return status === 503 && /^\d+$/.test(retryAfter ?? '');
}

/** The contract's own numbers, written down here anew: what a byte means is not asked of whoever sends it. */
const CODES: readonly string[] = [
  ...['ok', 'malformed', 'alg_not_allowed', 'crit_unsupported', 'unknown_issuer', 'unknown_key'],
  ...['key_not_active', 'bad_signature', 'not_yet_valid', 'expired', 'audience_mismatch'],
  ...['holder_proof_missing', 'holder_proof_invalid', 'replayed', 'revoked', 'suspended'],
  ...['revocation_stale', 'keys_stale', 'overloaded', 'rights_not_open', 'test_credential'],
];

function faultOfResult(kind: string, expected: Expected, said: Record<string, unknown> | undefined) {
  if (expected.status !== 200) return `${kind}: not for a batch`;
  const { verdict, reason, action } = said ?? {};
  const isRight = verdict === expected.verdict && reason === expected.reason && action === expected.action;
  return isRight ? undefined : `${kind}: ${wanted(expected)}, got ${verdict} (${reason}), ${action}`;
}

function wanted(expected: Expected): string {
  if (expected.status !== 200) return `expected HTTP ${expected.status} ${expected.problem}`;
  return `expected ${expected.verdict} (${expected.reason}), ${expected.action}`;
}

function notWhole({ length }: readonly Item[], { status }: Answer): string {
  return `batch: expected ${length} results, got HTTP ${status} with another number of them`;
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
