/** Single calls gathered in one turn: each is answered for itself, whatever becomes of the others. */
import { describe, expect, it, vi } from 'vitest';
import type { GatewayParts } from '../../src/gateway.ts';
import { createAnswerWriter } from '../../src/ingress/answer-writer.ts';
import type { Exchange } from '../../src/ingress/exchange.ts';
import { createSingleHandler, GATHERED_SLICE, MAX_GATHERED_CALLS } from '../../src/ingress/gathering.ts';
import type { ProveRevoked } from '../../src/ingress/prove-stale.ts';
import type { Behind } from '../../src/ingress/route.ts';
import type { NativeAddon } from '../../src/native/addon.ts';
import { nativeAddon, pathParts } from '../support/path-world.ts';
import { credential, goodClaims, tampered } from '../support/synthetic-issuer.ts';

const GOOD = Buffer.from(credential());
const BAD = Buffer.from(tampered(credential()));

/** A caller who keeps what he is told: a reason, or a problem's type. */
function caller(contentLength: number) {
  const told: string[] = [];
  const exchange: Exchange = {
    head: undefined as never,
    contentLength,
    requestId: '',
    loggableId: undefined,
    caller: undefined,
    credentials: 0,
    spend: () => 0,
    isOver: () => told.length > 0,
    isDone: () => told.length > 0,
    waitElsewhere: () => {},
    reply: () => told.push('reply'),
    replyJson: (body) => {
      if (told.length === 0) told.push(JSON.parse(Buffer.from(body).toString()).reason);
    },
    problem: ({ type }) => {
      if (told.length === 0) told.push(type);
    },
  };
  return { exchange, told };
}

function handlerOn(
  parts: GatewayParts,
  proveRevoked: ProveRevoked | undefined = undefined,
  { addon }: { readonly addon: NativeAddon | undefined } = { addon: nativeAddon() },
) {
  const errors: unknown[] = [];
  const queued: number[] = [];
  const verified: number[] = [];
  const { handle, landing } = createSingleHandler({
    parts,
    addon,
    revocation: () => ({ state: 'fresh', seq: 1, ageMs: 5 }),
    proveRevoked: () => proveRevoked,
    mayChooseAt: () => true,
    writer: createAnswerWriter(GATHERED_SLICE, addon),
    onVerified: (codes) => verified.push(codes.length),
    onQueued: (seconds) => queued.push(seconds),
    onUnexpectedError: (error) => errors.push(error),
    onTurnBegun: () => {},
    onTurnAnswered: () => {},
  });
  const call = (body: Buffer, { type = 'application/jwt', behind = 'nothing' as Behind } = {}): string[] => {
    const { exchange, told } = caller(body.length);
    handle(exchange, body, type, behind);
    return told;
  };
  /** As native code does where a body was read with its head; `undefined` where there is no room for it. */
  const land = (body: Buffer, type = 'application/jwt'): string[] | undefined => {
    const { exchange, told } = caller(body.length);
    if (body.length > landing.bytes.length - landing.at()) return undefined;
    landing.bytes.set(body, landing.at());
    landing.take(exchange, type);
    return told;
  };
  return { call, land, errors, queued, verified };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('calls of one turn', () => {
  it('are answered together at its end, each with its own answer', async () => {
    const { call } = handlerOn(pathParts(nativeAddon()));
    for (const round of ['read by the reference', 'recognised']) {
      const json = Buffer.from(JSON.stringify({ credential: GOOD.toString(), audience: 'a' }));
      const told = [
        call(GOOD),
        call(BAD),
        call(json, { type: 'application/json' }),
        call(Buffer.from('{"credential":7}'), { type: 'application/json' }),
        call(Buffer.from('{"credential":"\\u0041"}'), { type: 'application/json' }),
        call(Buffer.alloc(0)),
      ];
      expect(told.flat()).toEqual([]);
      await turn();
      expect(told.flat(), round).toEqual([
        'ok',
        'bad_signature',
        'ok',
        'bad-envelope',
        'malformed',
        'malformed',
      ]);
    }
  });

  it('are answered alike whether their bodies have landed or were handed over, in whatever order', async () => {
    const { call, land, verified } = handlerOn(pathParts(nativeAddon()));
    const json = Buffer.from(JSON.stringify({ credential: GOOD.toString(), audience: 'a' }));
    const told = [
      call(BAD),
      land(GOOD),
      land(json, 'application/json'),
      call(GOOD, { behind: 'request' }),
      land(BAD),
      land(Buffer.from('{"credential":7}'), 'application/json'),
      call(GOOD),
    ];
    expect(told.flat()).toEqual(['ok']);
    await turn();
    const expected = ['bad_signature', 'ok', 'ok', 'ok', 'bad_signature', 'bad-envelope', 'ok'];
    expect(told.flat()).toEqual(expected);
    expect(verified).toEqual([1, 5]);
  });

  it('have no room for bodies to land when they are too many, or too long together', async () => {
    const { land, verified } = handlerOn(pathParts(nativeAddon()));
    const short = Array.from({ length: MAX_GATHERED_CALLS }, () => land(Buffer.from('x')));
    expect(land(Buffer.from('x'))).toBeUndefined();
    await turn();
    expect(short.every((told) => told?.[0] === 'malformed')).toBe(true);
    const long = Buffer.alloc(64 * 1024, 'x');
    let landed = 0;
    while (land(long) !== undefined) landed++;
    expect(landed).toBe(64);
    await turn();
    expect(verified.reduce((sum, count) => sum + count)).toBe(MAX_GATHERED_CALLS + 64);
    expect(land(long)).toEqual([]);
    await turn();
  });

  it('do not include one behind which more stands: it is answered at once, and alone', async () => {
    const { call } = handlerOn(pathParts(nativeAddon()));
    const waiting = call(GOOD);
    expect(call(BAD, { behind: 'request' })).toEqual(['bad_signature']);
    expect(waiting).toEqual([]);
    await turn();
    expect(waiting).toEqual(['ok']);
  });

  it('are answered in order however many they are', async () => {
    const { call } = handlerOn(pathParts(nativeAddon()));
    const many = Array.from({ length: 2 * GATHERED_SLICE + 3 }, (_, i) => call(i % 3 === 0 ? BAD : GOOD));
    expect(many.flat()).toEqual([]);
    await turn();
    const expected = many.map((_, i) => (i % 3 === 0 ? ['bad_signature'] : ['ok']));
    expect(many).toEqual(expected);
  });

  it('are not verified for clients that left meanwhile, whose places shift no answer to another', async () => {
    for (const addon of [nativeAddon(), undefined]) {
      const { call, verified } = handlerOn(pathParts(addon), undefined, { addon });
      const json = (audience: string) =>
        Buffer.from(JSON.stringify({ credential: GOOD.toString(), audience }));
      const told = [
        call(BAD),
        call(json('a'), { type: 'application/json' }),
        call(Buffer.from('{"credential":7}'), { type: 'application/json' }),
        call(GOOD),
        call(json('b'), { type: 'application/json' }),
        call(BAD),
      ];
      for (const index of [0, 1, 2]) told[index]?.push('left');
      await turn();
      expect(told.flat()).toEqual(['left', 'left', 'left', 'ok', 'ok', 'bad_signature']);
      expect(verified).toEqual([3]);
      const gone = call(GOOD);
      gone.push('left');
      await turn();
      expect([gone, verified]).toEqual([['left'], [3]]);
    }
  });

  it('beyond what is gathered, by number or by bytes, are answered alone', async () => {
    const { call } = handlerOn(pathParts(nativeAddon()));
    const many = Array.from({ length: MAX_GATHERED_CALLS + 1 }, () => call(GOOD));
    expect(many.flat()).toEqual(['ok']);
    expect(many.at(-1)).toEqual(['ok']);
    await turn();
    const payload = goodClaims({ filler: 'x'.repeat(40_000) });
    const large = Buffer.from(credential({ payload }));
    const told = Array.from({ length: 120 }, () => call(large));
    expect(told.some(({ length }) => length === 1)).toBe(true);
    await turn();
    expect([...many, ...told].every(([only, ...more]) => only === 'ok' && more.length === 0)).toBe(true);
  });
});

describe('queue delay', () => {
  it('is measured once a turn, and not of calls that need not wait', async () => {
    let nowMs = 1_000;
    const parts = pathParts(nativeAddon());
    const clock = { ...parts.clock, monotonicMs: () => nowMs };
    const { call, queued } = handlerOn({ ...parts, clock });
    call(GOOD, { behind: 'request' });
    await turn();
    expect(queued).toEqual([]);
    call(GOOD);
    nowMs += 250;
    call(GOOD);
    await turn();
    expect(queued).toEqual([0.25]);
    call(GOOD);
    nowMs += 500;
    call(GOOD, { behind: 'request' });
    await turn();
    expect(queued).toEqual([0.25, 0.5]);
  });
});

describe('a bare credential', () => {
  it.each(['application/jwt', 'text/plain'])('as %s is the body to its last byte', async (type) => {
    const bodies = [
      GOOD,
      Buffer.concat([GOOD, Buffer.from('\n')]),
      Buffer.concat([GOOD, Buffer.of(0xc1)]),
      Buffer.from(JSON.stringify({ credential: GOOD.toString() })),
      Buffer.alloc(0),
    ];
    for (const addon of [nativeAddon(), undefined]) {
      const { call } = handlerOn(pathParts(addon), undefined, { addon });
      const told = bodies.map((body) => call(body, { type }));
      await turn();
      expect(told.flat()).toEqual(['ok', 'malformed', 'malformed', 'malformed', 'malformed']);
    }
  });
});

describe('an error', () => {
  it.each([
    ['at the end of the turn', true],
    ['when a call cannot wait', false],
  ])('%s answers all that were gathered, and the next are served', async (_what, isGathered) => {
    const parts = pathParts(nativeAddon());
    const trust = vi.fn(parts.trust).mockImplementationOnce(() => {
      throw new Error('synthetic');
    });
    const { call, errors } = handlerOn({ ...parts, trust });
    const told = isGathered ? [call(GOOD), call(GOOD)] : [call(GOOD, { behind: 'request' })];
    await turn();
    expect(told.flat()).toEqual(told.map(() => 'internal-error'));
    expect(errors).toHaveLength(1);
    const next = call(GOOD);
    await turn();
    expect(next).toEqual(['ok']);
  });

  it('where others are asked for a proof answers all that wait for it', async () => {
    const parts = pathParts(nativeAddon());
    const payload = goodClaims({ jti: 'card-unreadable' });
    const unreadable = Buffer.from(credential({ payload }));
    const { call, errors } = handlerOn(parts, () => Promise.reject(new Error('synthetic')));
    const told = [call(unreadable), call(GOOD)];
    await turn();
    expect(told.flat()).toEqual(['internal-error', 'internal-error']);
    expect(errors).toHaveLength(1);
  });
});

describe('a proof asked elsewhere', () => {
  it('settles its own cards alone, while other calls are answered meanwhile', async () => {
    const proofs: ((revoked: readonly boolean[]) => void)[] = [];
    const asked: string[] = [];
    const prove: ProveRevoked = (cards) => {
      asked.push(...cards.map(({ jti }) => jti));
      return new Promise((resolve) => proofs.push(resolve));
    };
    const { call } = handlerOn(pathParts(nativeAddon()), prove);
    const unreadable = Buffer.from(credential({ payload: goodClaims({ jti: 'card-unreadable' }) }));
    await turn();
    for (const revoked of [false, true]) {
      const waiting = [call(unreadable), call(GOOD)];
      await turn();
      expect(waiting.flat()).toEqual([]);
      const others = [call(BAD), call(GOOD)];
      await turn();
      expect(others.flat()).toEqual(['bad_signature', 'ok']);
      proofs.pop()?.([revoked]);
      await turn();
      expect(waiting.flat()).toEqual([revoked ? 'revoked' : 'revocation_stale', 'ok']);
    }
    expect(asked).toEqual(['card-unreadable', 'card-unreadable']);
  });
});
