/** Presentations over HTTP: the same answers alone, gathered, in batches of every form and cut anywhere, each proof once. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, type ProblemAnswer, scrape, type VerdictAnswer } from '../support/call.ts';
import { type Gateway, listedIssuer, startGateway } from '../support/gateway.ts';
import { cnfOf, HOLDER, holderProof, NONCE, PHARMACY, type Proof } from '../support/presentation.ts';
import { credential, goodClaims, signerOf } from '../support/synthetic-issuer.ts';

const STRICT_ISS = 'https://strict.example';
const LIST = {
  version: 1,
  issuers: [
    listedIssuer({ audiences: [PHARMACY] }),
    listedIssuer({ iss: STRICT_ISS, audiences: [PHARMACY], holderProof: 'required', rights: 'check' }),
  ],
};
const OPEN_RIGHTS = { from: '2000-01-01', until: '2999-12-31' };

let drawn = 0;
const now = (): number => Date.now() / 1000;

/** A card that nobody has shown yet. */
function card(claims: Record<string, unknown> = {}): string {
  const payload = goodClaims({ jti: `card ${drawn++}`, cnf: cnfOf(), ...claims }, Math.floor(now()));
  return credential({ payload });
}

function shown(text = card(), { claims, ...proof }: Proof = {}) {
  const made = holderProof(text, { ...proof, claims: { iat: now(), nonce: `n ${drawn++}`, ...claims } });
  return { credential: text, holderProof: made };
}

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ trustList: LIST });
});
afterAll(() => gateway.dispose());

const single = async (body: unknown, of = gateway): Promise<VerdictAnswer> =>
  (await call<VerdictAnswer>(`${of.data}/v1/verify`, { body })).json;

const batch = <T>(items: readonly unknown[], accept: string) =>
  call<T>(`${gateway.data}/v1/verify/batch`, { body: { credentials: items }, headers: { accept } });

async function codes(items: readonly unknown[]): Promise<number[]> {
  return [...(await batch(items, 'application/octet-stream')).bytes];
}

describe('single calls', () => {
  it('name the holder beside the issuer, once', async () => {
    const body = shown();
    expect(await single(body)).toMatchObject({ verdict: 'valid', verified: ['issuer', 'holder'] });
    const again = await single(body);
    expect(again).toMatchObject({ reason: 'replayed', action: 'rescan', verified: ['issuer'] });
    expect(again).not.toHaveProperty('replay');
    expect(await single({ credential: body.credential })).toMatchObject({
      reason: 'ok',
      verified: ['issuer'],
    });
    expect(await single({ credential: card({ iss: STRICT_ISS, rights: OPEN_RIGHTS }) })).toMatchObject({
      reason: 'holder_proof_missing',
      verified: ['issuer'],
    });
  });

  it('hold proofs to the audience and to the nonce that they name', async () => {
    const nonce = NONCE;
    const claims = { nonce, iat: 0 };
    const remote = { channel: 'remote', nonce };
    expect(await single({ ...shown(card(), { claims }), ...remote })).toMatchObject({ reason: 'ok' });
    const refused = [
      { ...shown(card(), { claims }), ...remote, nonce: 'x' },
      { ...shown(card(), { claims }) },
      { ...shown(), audience: 'https://another.example' },
      { ...shown(card(), { holder: signerOf('another holder') }) },
      { ...shown(), holderProof: '' },
      // As a code point that native code leaves to the parser.
      { ...shown(), holderProof: 'é' },
    ];
    for (const body of refused) expect(await single(body)).toMatchObject({ reason: 'holder_proof_invalid' });
    const another = shown(card(), { claims: { aud: 'Åse' } });
    expect(await single({ ...another, audience: 'Åse' })).toMatchObject({ reason: 'ok' });
  });

  it('may not ask about another instant, unless the gateway allows it', async () => {
    const at = '2020-01-01T00:00:00Z';
    const refused = await call<ProblemAnswer>(`${gateway.data}/v1/verify`, { body: { ...shown(), at } });
    expect([refused.status, refused.json.type]).toEqual([403, 'forbidden']);
    const auditing = await startGateway({ trustList: LIST, env: { VIGIE_ALLOW_AT: 'true' } });
    try {
      const day = { from: '2020-01-01', until: '2020-01-01' };
      const body = shown(card({ iss: STRICT_ISS, rights: day }), { claims: { iat: 1_577_000_000 } });
      const asked = await Promise.all(
        [at, at, '2019-12-31T23:00:00Z', '2019-12-31T22:59:59Z', '2099-01-01T00:00:00Z', undefined].map(
          (instant) => single({ ...body, ...(instant && { at: instant }) }, auditing),
        ),
      );
      const reasons = asked.map(({ reason }) => reason);
      expect(reasons).toEqual(['ok', 'ok', 'ok', 'rights_not_open', 'expired', 'rights_not_open']);
      expect(asked[0]?.verified).toEqual(['issuer', 'holder']);
      expect(Math.abs(Date.parse(asked[0]?.checkedAt as string) - Date.now())).toBeLessThan(60_000);
      const wrong = await call<ProblemAnswer>(`${auditing.data}/v1/verify`, {
        body: { ...body, at: '2020' },
      });
      expect([wrong.status, wrong.json.type]).toEqual([400, 'bad-envelope']);
    } finally {
      await auditing.dispose();
    }
  });

  it('that arrive together are each answered for themselves, and of equal ones one is accepted', async () => {
    const body = shown();
    const bodies = [body, ...Array.from({ length: 20 }, () => shown()), { credential: card() }, body, body];
    const reasons = await Promise.all(bodies.map(async (each) => (await single(each)).reason));
    expect(reasons.filter((reason) => reason === 'replayed')).toHaveLength(2);
    expect(reasons.filter((reason) => reason === 'ok')).toHaveLength(bodies.length - 2);
  });
});

describe('batches', () => {
  /** Of each kind, never shown before; what each is in a batch. */
  const items = (): [unknown, string][] => {
    const twice = shown();
    return [
      [twice, 'ok'],
      [card(), 'ok'],
      [{ credential: card() }, 'ok'],
      [shown(card({ iss: STRICT_ISS, rights: OPEN_RIGHTS })), 'ok'],
      [shown(card({ iss: STRICT_ISS, rights: { ...OPEN_RIGHTS, until: '2000-01-02' } })), 'rights_not_open'],
      [card({ iss: STRICT_ISS, rights: OPEN_RIGHTS }), 'holder_proof_missing'],
      [shown(card(), { claims: { iat: 1 } }), 'holder_proof_invalid'],
      [twice, 'replayed'],
      [{ ...shown(), holderProof: 'é"\\' }, 'holder_proof_invalid'],
      [{ ...shown(), credential: 'é"\\' }, 'malformed'],
      [shown(card({ note: '"' })), 'ok'],
      [shown(card(), { header: { alg: 'none' } }), 'holder_proof_invalid'],
      [shown(card({ cnf: { jwk: { ...cnfOf().jwk, d: HOLDER.x } } })), 'holder_proof_invalid'],
    ];
  };
  const many = (): [unknown, string][] => Array.from({ length: 60 }, items).flat();

  it('answer in order, the first of two equal items ok, in every form of answer', async () => {
    const cases = many();
    const expected = cases.map(([, reason]) => reason);
    const json = await batch<{ results: VerdictAnswer[] }>(
      cases.map(([item]) => item),
      'application/json',
    );
    expect(json.json.results.map(({ reason }) => reason)).toEqual(expected);
    const holder = json.json.results.map(({ verified }) => verified.includes('holder'));
    expect(holder.filter(Boolean)).toHaveLength(180);
    expect(json.text).not.toContain('"replay":"local"');
    const others = many();
    const lines = await batch(
      others.map(([item]) => item),
      'application/x-ndjson',
    );
    const told = lines.text.trimEnd().split('\n');
    expect(told.map((line) => JSON.parse(line).reason)).toEqual(expected);
    const bytes = await batch(
      many().map(([item]) => item),
      'application/octet-stream',
    );
    const table = json.json.results.map(({ reason }) => reason);
    const byCode = new Map(table.map((reason, i) => [bytes.bytes[i], reason]));
    expect([...bytes.bytes].map((code) => byCode.get(code))).toEqual(expected);
    expect(bytes.headers.get('vigie-replay')).toBeNull();
  });

  it('answer alike however their bodies are cut, and whatever stands between the tokens', async () => {
    for (const [indent, size] of [
      [0, 1],
      [0, 997],
      [3, 64],
    ] as const) {
      const cases = items();
      const body = Buffer.from(
        JSON.stringify({ credentials: cases.map(([item]) => item) }, undefined, indent),
      );
      const answer = await sendInPieces(body, size);
      expect(answer).toEqual(cases.map(([, reason]) => CODE_OF[reason]));
    }
  });

  it('and single calls share what they have seen', async () => {
    const [first, second] = [shown(), shown()];
    expect(await codes([first])).toEqual([0]);
    expect(await single(first)).toMatchObject({ reason: 'replayed' });
    expect(await single(second)).toMatchObject({ reason: 'ok' });
    expect(await codes([second, card()])).toEqual([13, 0]);
  });

  it('are counted by reason', async () => {
    const before = await scrape(gateway.metrics);
    const body = shown();
    expect(await codes([body, body, shown(card(), { claims: { aud: 'x' } })])).toEqual([0, 13, 12]);
    const after = await scrape(gateway.metrics);
    for (const reason of ['replayed', 'holder_proof_invalid']) {
      const name = `vigie_verdicts_total{reason="${reason}",verdict="invalid"}`;
      expect((after.get(name) ?? 0) - (before.get(name) ?? 0)).toBe(1);
    }
  });
});

const CODE_OF: Readonly<Record<string, number>> = {
  ok: 0,
  malformed: 1,
  holder_proof_missing: 11,
  holder_proof_invalid: 12,
  replayed: 13,
  rights_not_open: 19,
};

/** The codes of a batch whose body goes out in pieces of so many bytes, each a segment of its own as far as may be. */
function sendInPieces(body: Buffer, size: number): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(gateway.dataPort, '127.0.0.1').setNoDelay(true);
    const chunks: Buffer[] = [];
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      const answer = Buffer.concat(chunks);
      const head = answer.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(answer.toString('latin1', 0, head))?.[1]);
      if (head < 0 || answer.length < head + 4 + length) return;
      socket.destroy();
      resolve([...answer.subarray(head + 4)]);
    });
    socket.write(
      `POST /v1/verify/batch HTTP/1.1\r\nHost: vigie\r\nContent-Type: application/json\r\n` +
        `Accept: application/octet-stream\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    let at = 0;
    const next = (): void => {
      if (at >= body.length) return;
      socket.write(body.subarray(at, at + size));
      at += size;
      setImmediate(next);
    };
    next();
  });
}
