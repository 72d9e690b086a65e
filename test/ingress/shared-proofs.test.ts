/** What other gateways say of proofs, and what an answer says where they could not be asked: single calls and batches. */
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/config.ts';
import type { GatewayParts } from '../../src/gateway.ts';
import { createAdmission } from '../../src/ingress/admission/admission.ts';
import { createAnswerWriter } from '../../src/ingress/answer-writer.ts';
import type { Exchange, Reply } from '../../src/ingress/exchange.ts';
import { createSingleHandler, GATHERED_SLICE } from '../../src/ingress/gathering.ts';
import type { Behind, BodyFlow } from '../../src/ingress/route.ts';
import type { RevocationView } from '../../src/ingress/verdict-reply.ts';
import { createBatchHandler } from '../../src/ingress/verify-batch.ts';
import type { ReplayGuard } from '../../src/replay/replay-guard.ts';
import { nativeAddon } from '../support/path-world.ts';
import { heldCredential, holderProof, NONCE } from '../support/presentation.ts';
import { presentationParts } from '../support/presentation-world.ts';
import { type RecordedGuard, replayGuard } from '../support/replay-guard.ts';
import { NOW_SECONDS } from '../support/synthetic-issuer.ts';

type Share = NonNullable<ReplayGuard['share']>;
const ADDONS = { 'native code': nativeAddon(), 'TypeScript alone': undefined } as const;
const SLICE = 4;

const show = (jti: string, claims: Record<string, unknown> = {}) => {
  const credential = heldCredential({ jti });
  return { credential, holderProof: holderProof(credential, { claims }) };
};

interface World {
  readonly addon: (typeof ADDONS)[keyof typeof ADDONS];
  readonly replay: RecordedGuard;
  /** Monotonic time of each reading; later ones are later. */
  readonly stepMs?: number;
  readonly statusAgain?: 'revoked';
  /** Before the first trust list. */
  readonly isListless?: boolean;
}

function handlers({ addon, replay, stepMs = 0, statusAgain, isListless = false }: World) {
  let nowMs = 0;
  const monotonicMs = (): number => {
    nowMs += stepMs;
    return nowMs;
  };
  const base = presentationParts(addon, { replay, ...(isListless && { trust: () => undefined }) });
  const parts: GatewayParts = { ...base, clock: { ...base.clock, monotonicMs } };
  const verified: number[] = [];
  const common = {
    parts,
    addon,
    revocation: (): RevocationView => ({ state: 'fresh', seq: 1, ageMs: 5 }),
    proveRevoked: () => undefined,
    mayChooseAt: () => false,
    onVerified: (codes: Uint8Array): void => void verified.push(...codes),
  };
  const { handle: single } = createSingleHandler({
    ...common,
    writer: createAnswerWriter(GATHERED_SLICE, addon),
    onQueued: () => {},
    onUnexpectedError: (error) => {
      throw error;
    },
    onTurnBegun: () => {},
    onTurnAnswered: () => {},
  });
  const admission = createAdmission({
    queueTargetMs: 1e9,
    batchQueueMs: 1e9,
    batchWaitMs: 1e9,
    monotonicMs: () => 0,
    afterTurn: setImmediate,
    onShed: () => {},
    onBatchQueue: () => {},
    onOverload: () => {},
  });
  const batch = createBatchHandler({
    ...common,
    batchSlice: SLICE,
    writer: createAnswerWriter(SLICE, addon),
    admission,
    knownCards: {
      watch: () => () => true,
      statusAgain: () => statusAgain ?? 'active',
      supersedes: { areInForce: () => false, supersededAgain: () => false },
    },
    onBatch: () => {},
  });

  /** Resolves with the answer. */
  const exchangeOf = (contentLength: number, accept: string, answered: (reply: Reply) => void): Exchange => {
    let isOver = false;
    const give = (reply: Reply): void => {
      if (!isOver) answered(reply);
      isOver = true;
    };
    return {
      head: { accept } as Exchange['head'],
      contentLength,
      requestId: '',
      loggableId: undefined,
      caller: undefined,
      credentials: 0,
      spend: () => 0,
      isOver: () => isOver,
      isDone: () => isOver,
      waitElsewhere: () => {},
      reply: (reply) => give({ ...reply, body: Buffer.from(reply.body as Uint8Array) }),
      replyJson: (body) => give({ status: 200, contentType: 'application/json', body: Buffer.from(body) }),
      problem: ({ type }) => give({ status: 400, contentType: 'problem', body: type }),
    };
  };
  const askSingle = (body: unknown, behind: Behind = 'nothing'): Promise<Reply> =>
    new Promise((resolve) => {
      const bytes = Buffer.from(JSON.stringify(body));
      single(exchangeOf(bytes.length, '', resolve), bytes, 'application/json', behind);
    });
  const askBatch = (items: readonly unknown[], accept = 'application/json'): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const bytes = Buffer.from(JSON.stringify({ credentials: items }));
      const exchange = exchangeOf(bytes.length, accept, resolve);
      const flow: BodyFlow = { hold: yes, reserve: yes, pause: () => {}, resume: () => {}, fail: reject };
      admission.batches.admit(exchange, bytes.length);
      batch(exchange, 'application/json', flow).take(bytes, true);
    });
  return { askSingle, askBatch, verified };
}

const yes = (): boolean => true;
const json = ({ body }: Reply) => JSON.parse(body.toString());

/** Says of each proof what it is told, call by call. */
function answering(...calls: Awaited<ReturnType<Share>>[]) {
  const asked: number[] = [];
  const share: Share = async (ids, expiresAtMs) => {
    expect(ids).toHaveLength(expiresAtMs.length);
    asked.push(ids.length);
    await new Promise(setImmediate);
    return calls.shift() ?? ids.map(() => 'first' as const);
  };
  return { share, asked };
}

const UNREACHABLE = Array.from({ length: 5 }, () => 'unreachable' as const);

describe.each(Object.entries(ADDONS))('proofs shared with other gateways, by %s', (_name, addon) => {
  it('are asked about in one go, for those that are new here alone', async () => {
    const { share, asked } = answering(['first', 'seen', 'first']);
    const { askSingle, verified } = handlers({ addon, replay: replayGuard(Number.POSITIVE_INFINITY, share) });
    const twice = show('a');
    const bodies = [
      twice,
      show('b'),
      twice,
      show('c', { aud: 'x' }),
      { credential: heldCredential() },
      show('d'),
    ];
    const answers = (await Promise.all(bodies.map((body) => askSingle(body)))).map(json);
    expect(answers.map(({ reason }) => reason)).toEqual([
      'ok',
      'replayed',
      'replayed',
      'holder_proof_invalid',
      'ok',
      'ok',
    ]);
    expect(answers.map(({ verified: who }) => who.length)).toEqual([2, 1, 1, 1, 1, 2]);
    expect(asked).toEqual([3]);
    expect(verified).toEqual([0, 13, 13, 12, 0, 0]);
    expect(answers.filter((answer) => 'replay' in answer)).toEqual([]);
  });

  it('that nobody could be asked about are accepted by what is known here, and each answer says so', async () => {
    const { share } = answering(UNREACHABLE.slice(0, 2));
    const { askSingle } = handlers({ addon, replay: replayGuard(Number.POSITIVE_INFINITY, share) });
    const plain = { credential: heldCredential() };
    const answers = (
      await Promise.all([show('a'), plain, show('b'), show('c', { aud: 'x' })].map((body) => askSingle(body)))
    ).map(json);
    expect(answers.map(({ reason, replay }) => [reason, replay])).toEqual([
      ['ok', 'local'],
      ['ok', undefined],
      ['ok', 'local'],
      ['holder_proof_invalid', undefined],
    ]);
    expect(Object.keys(answers[0]).slice(-3)).toEqual(['revocation', 'replay', 'checkedAt']);
    // The next slice of the same arrays is nobody's but its own.
    expect(json(await askSingle(show('d')))).not.toHaveProperty('replay');
  });

  const items = () => {
    const plain = heldCredential();
    const twice = show('a');
    return [twice, plain, show('b'), plain, show('c'), plain, show('d'), twice, plain, show('e')];
  };
  /** Five of the batch are new here; the second of them was seen elsewhere. */
  const told = () => answering(['first', 'seen', 'first', 'first', 'first']);
  const LATE = ['ok', 'ok', 'replayed', 'ok', 'ok', 'ok', 'ok', 'replayed', 'ok', 'ok'];
  const HERE = ['ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'replayed', 'ok', 'ok'];
  const withProof = [0, 2, 4, 6, 9];

  it('in batches are asked about once, when all is read', async () => {
    const { share, asked } = told();
    const { askBatch } = handlers({ addon, replay: replayGuard(Number.POSITIVE_INFINITY, share) });
    const answer = json(await askBatch(items()));
    const results: Record<string, unknown>[] = answer.results;
    expect(results.map(({ reason }) => reason)).toEqual(LATE);
    expect(results.map(({ verified }) => (verified as string[]).length)).toEqual([
      2, 1, 1, 1, 2, 1, 2, 1, 1, 2,
    ]);
    expect(answer.summary).toEqual({ valid: 8, invalid: 2 });
    expect(Object.keys(answer)).toEqual(['results', 'summary', 'revocation', 'key']);
    expect(asked).toEqual([5]);
    const lines = handlers({ addon, replay: replayGuard(Number.POSITIVE_INFINITY, told().share) });
    const { body } = await lines.askBatch(items(), 'application/x-ndjson');
    const each = body.toString().trimEnd().split('\n');
    expect(each.map((line) => JSON.parse(line))).toEqual(results);
  });

  it('in batches about which nobody could be asked are said of by item and by the whole', async () => {
    const { share } = answering(UNREACHABLE);
    const { askBatch } = handlers({ addon, replay: replayGuard(Number.POSITIVE_INFINITY, share) });
    const answer = json(await askBatch(items()));
    const results: Record<string, unknown>[] = answer.results;
    expect(results.map(({ reason }) => reason)).toEqual(HERE);
    expect(results.flatMap(({ replay }, i) => (replay === 'local' ? [i] : []))).toEqual(withProof);
    expect(Object.keys(answer)).toEqual(['results', 'summary', 'revocation', 'replay', 'key']);
  });

  it('of which others could tell of some alone are each what is known of them', async () => {
    const partly = () => answering(['unreachable', 'seen', 'first', 'unreachable', 'seen']).share;
    const REASONS = ['ok', 'ok', 'replayed', 'ok', 'ok', 'ok', 'ok', 'replayed', 'ok', 'replayed'];
    const bulk = handlers({ addon, replay: replayGuard(Number.POSITIVE_INFINITY, partly()) });
    const answer = json(await bulk.askBatch(items()));
    const results: Record<string, unknown>[] = answer.results;
    expect(results.map(({ reason }) => reason)).toEqual(REASONS);
    expect(results.flatMap(({ replay }, i) => (replay === 'local' ? [i] : []))).toEqual([0, 6]);
    expect(answer.replay).toBe('local');
    const singles = handlers({ addon, replay: replayGuard(Number.POSITIVE_INFINITY, partly()) });
    const bodies = ['a', 'b', 'c', 'd', 'e'].map((jti) => show(jti));
    const alone = (await Promise.all(bodies.map((body) => singles.askSingle(body)))).map(json);
    expect(alone.map(({ reason, replay }) => [reason, replay])).toEqual([
      ['ok', 'local'],
      ['replayed', undefined],
      ['ok', undefined],
      ['ok', 'local'],
      ['replayed', undefined],
    ]);
  });

  it('in byte answers are said of by a header', async () => {
    for (const [share, header] of [
      [answering(UNREACHABLE).share, 'local'],
      [answering(['first', 'seen', 'first', 'first', 'unreachable']).share, 'local'],
      [answering().share, undefined],
      [undefined, undefined],
    ] as const) {
      const { askBatch } = handlers({ addon, replay: replayGuard(Number.POSITIVE_INFINITY, share) });
      const { headers } = await askBatch(items(), 'application/octet-stream');
      expect(headers?.['vigie-replay']).toBe(header);
    }
  });

  it('of a batch that is answered late are not taken where its cards are revoked meanwhile', async () => {
    const { share, asked } = answering();
    const replay = replayGuard(Number.POSITIVE_INFINITY, share);
    const { askBatch } = handlers({ addon, replay, stepMs: 150, statusAgain: 'revoked' });
    const answer = json(await askBatch(items()));
    const results: Record<string, unknown>[] = answer.results;
    expect(results.map(({ reason }) => reason)).toEqual(results.map(() => 'revoked'));
    expect(replay.taken).toEqual([]);
    expect(asked).toEqual([]);
  });

  it('of a batch that is answered late and still good are taken, and the answer is put right twice', async () => {
    const { share } = told();
    const replay = replayGuard(Number.POSITIVE_INFINITY, share);
    const { askBatch } = handlers({ addon, replay, stepMs: 150 });
    const answer = json(await askBatch(items()));
    const results: Record<string, unknown>[] = answer.results;
    expect(results.map(({ reason }) => reason)).toEqual(LATE);
    expect(replay.taken).toHaveLength(5);
  });

  it('of a batch that is refused at its end are not used up', async () => {
    const replay = replayGuard();
    const { askBatch } = handlers({ addon, replay });
    const refused = await askBatch([...items(), { credential: 1 }]);
    expect(refused.body).toBe('bad-envelope');
    expect(replay.taken).toEqual([]);
    expect(json(await askBatch(items())).results.map(({ reason }: { reason: string }) => reason)).toEqual(
      HERE,
    );
  });

  it('are nobody’s before the first trust list, and spoil no other call', async () => {
    const { askSingle, askBatch } = handlers({ addon, replay: replayGuard(), isListless: true });
    const bodies = [show('a'), { credential: heldCredential() }];
    const answers = await Promise.all(bodies.map((body) => askSingle(body)));
    expect(answers.map((answer) => json(answer).reason)).toEqual(['keys_stale', 'keys_stale']);
    const batch = json(await askBatch(bodies));
    expect(batch.summary).toEqual({ indeterminate: 2 });
  });

  // Only native code can tell that a call cannot wait.
  it.runIf(addon !== undefined)(
    'are not used up by a call that cannot wait for others: it is told to come again, at once',
    async () => {
      const { share, asked } = answering();
      const replay = replayGuard(Number.POSITIVE_INFINITY, share);
      const { askSingle } = handlers({ addon, replay });
      const shown = show('a');
      const deferred = json(await askSingle(shown, 'request'));
      expect([deferred.verdict, deferred.reason, deferred.verified]).toEqual([
        'indeterminate',
        'overloaded',
        ['issuer'],
      ]);
      expect(replay.taken).toEqual([]);
      expect(json(await askSingle({ credential: heldCredential() }, 'request')).reason).toBe('ok');
      expect(json(await askSingle(shown)).reason).toBe('ok');
      expect(asked).toEqual([1]);
    },
  );

  it('are asked about, too, where nobody can tell what stands behind the call', async () => {
    const { share, asked } = answering(['first'], ['seen']);
    const { askSingle } = handlers({ addon, replay: replayGuard(Number.POSITIVE_INFINITY, share) });
    expect(json(await askSingle(show('a'), 'unknown')).reason).toBe('ok');
    expect(json(await askSingle(show('b'), 'unknown')).reason).toBe('replayed');
    expect(asked).toEqual([1, 1]);
  });

  it('are told to come again where too many wait for others, and are taken when those have their answer', async () => {
    const waiting: (() => void)[] = [];
    const share: Share = (ids) =>
      new Promise((resolve) => waiting.push(() => resolve(ids.map(() => 'first' as const))));
    const { askSingle } = handlers({ addon, replay: replayGuard(Number.POSITIVE_INFINITY, share) });
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const answers: Promise<Reply>[] = [];
    for (let i = 0; i < LIMITS.waitingSlices; i++) {
      answers.push(askSingle(show(`waits ${i}`)));
      await turn();
    }
    expect(waiting).toHaveLength(LIMITS.waitingSlices);
    const late = show('late');
    expect(json(await askSingle(late)).reason).toBe('overloaded');
    expect(json(await askSingle({ credential: heldCredential() })).reason).toBe('ok');
    for (const go of waiting.splice(0)) go();
    for (const answer of await Promise.all(answers)) expect(json(answer).reason).toBe('ok');
    const again = askSingle(late);
    await turn();
    for (const go of waiting) go();
    expect(json(await again).reason).toBe('ok');
  });

  it('with a nonce are remembered as long as they could be shown without', async () => {
    const replay = replayGuard();
    const { askSingle } = handlers({ addon, replay });
    const iat = NOW_SECONDS + 600;
    expect(json(await askSingle({ ...show('a', { iat }), nonce: NONCE })).reason).toBe('ok');
    expect(json(await askSingle({ ...show('b'), nonce: NONCE })).reason).toBe('ok');
    expect(replay.taken).toEqual([(iat + 60) * 1000 + 1, (NOW_SECONDS + 120) * 1000]);
  });
});
