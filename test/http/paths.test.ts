/**
 * The same credentials in every form of call, before and after their headers were learnt, by native code and without
 * any: one and the same answer each, to the byte, but for the age of what is known and the time.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawPayload, mutateBytes } from '../credential/credential-cases.ts';
import { createRandom } from '../signature/fuzz-cases.ts';
import { call, changeStatus } from '../support/call.ts';
import { FASTEST_ENGINE, type Gateway, listedIssuer, startGateway } from '../support/gateway.ts';
import { exchangeRaw, head, open } from '../support/raw-http.ts';
import {
  credential,
  goodClaims,
  ISS,
  KID,
  SIGNER,
  sealed,
  signerOf,
  tampered,
} from '../support/synthetic-issuer.ts';

const NOW = Math.floor(Date.now() / 1000);
const PAST = signerOf('no longer active', 'past');
const STRANGER = signerOf('on no list', 'stranger');
const LIST = {
  version: 42,
  issuers: [
    {
      ...listedIssuer({ audiences: ['pharmacy-network'] }),
      keys: [
        { kty: 'OKP', crv: 'Ed25519', kid: KID, x: SIGNER.x },
        { kty: 'OKP', crv: 'Ed25519', kid: 'past', x: PAST.x, exp: NOW - 1 },
      ],
    },
    listedIssuer({ iss: 'https://proof-issuer.example', holderProof: 'required' }),
  ],
};
const REVOKED = ['card-revoked', 'Åse 💊'];

/** One of every kind, and random ones; without line breaks, since one form has a credential a line. */
function credentials(): Buffer[] {
  const random = createRandom(31);
  const signed = (claims: object, more: object = {}): string =>
    credential({ payload: goodClaims({ jti: 'card-0', ...claims }, NOW), ...more });
  const texts = [
    signed({}),
    signed({ jti: 'Åse', sub: '', given: 'Øst 💊' }),
    signed({}, { header: `{"typ":"JWT","alg":"Ed25519","kid":"${KID}"}` }),
    signed({}, { payload: `{"iss":"${ISS}",\n"jti":"c","exp":${NOW + 99},"n":1e400}` }),
    signed({ jti: '\u0007 "quoted"' }),
    tampered(signed({})),
    signed({ exp: NOW - 60 }),
    signed({ nbf: NOW + 600 }),
    signed({ aud: ['x', 'pharmacy-network'] }),
    signed({ aud: 'other' }),
    signed({ aud: 7 }),
    signed({ test: true }),
    signed({ iss: 'https://nobody.example' }),
    signed({ iss: 'https://proof-issuer.example' }),
    signed({}, { signer: PAST }),
    signed({}, { signer: STRANGER }),
    signed({}, { header: { alg: 'none' } }),
    signed({}, { header: { crit: ['x'] } }),
    signed({ filler: 'x'.repeat(30_000) }),
    ...REVOKED.map((jti) => signed({ jti })),
    ...['', '.', '..', 'Ö', 'not a credential'],
  ].map((text): Buffer => Buffer.from(text));
  const header = Buffer.from(`{"alg":"EdDSA","kid":"${KID}"}`).toString('base64url');
  for (let i = 0; i < 40; i++) {
    const payload = Buffer.from(drawPayload(random, { issuers: [ISS] })).toString('base64url');
    const text = Buffer.from(sealed(`${header}.${payload}`));
    texts.push(Buffer.from(i % 5 === 0 ? mutateBytes(random, text) : text));
  }
  return texts.filter((text) => !text.includes('\n') && !text.includes('\r'));
}

const TEXTS = credentials();
/** As JSON can carry them: what is no text anyway is no credential either. */
const STRINGS = TEXTS.map((text) => text.toString('latin1'));

/** An answer without what may differ from call to call. */
function timeless(answer: string): string {
  return answer
    .replace(/"ageMs":\d+/, '"ageMs":0')
    .replace(/"checkedAt":"[^"]+"/, '"checkedAt":""')
    .trimEnd();
}

function request(body: Uint8Array, type: string): Buffer {
  const lines = [
    'POST /v1/verify HTTP/1.1',
    'host: x',
    `content-type: ${type}`,
    `content-length: ${body.length}`,
  ];
  return Buffer.concat([Buffer.from(head(...lines)), body]);
}

/** Sends groups of requests, each group at once on a connection of its own; what was answered, in order. */
async function pipelined(port: number, size: number): Promise<string[]> {
  const answers: string[] = [];
  for (let at = 0; at < TEXTS.length; ) {
    const group = TEXTS.slice(at, at + size).map((text) => request(text, 'text/plain'));
    const { answers: given, closed } = await exchangeRaw(port, [Buffer.concat(group)], {
      answers: group.length,
    });
    // All of them, or the first ones and then the end of the connection; the client asks the rest again.
    if (given.length === 0 || (given.length < group.length && !closed))
      throw new Error(`${given.length} answers`);
    answers.push(...given.map(({ body }) => Buffer.from(body, 'latin1').toString('utf8')));
    at += given.length;
  }
  return answers;
}

/** Head and body in pieces, at places of every kind. */
async function inPieces(port: number): Promise<string[]> {
  const answers: string[] = [];
  for (const [i, text] of TEXTS.entries()) {
    const whole = request(text, 'application/jwt');
    // The parser wants the request line's end in one piece: it answers 505 to a version cut in two.
    const wanted = [30 + (i % 20), whole.length - text.length + (i % 3), whole.length - (i % 2)];
    const cuts = wanted.map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b);
    const pieces = cuts.map((cut, at) => whole.subarray(at === 0 ? 0 : cuts[at - 1], cut));
    const all = [...pieces, whole.subarray(cuts.at(-1))].filter(({ length }) => length > 0);
    const { answers: given } = await exchangeRaw(port, all);
    answers.push(...given.map(({ body }) => Buffer.from(body, 'latin1').toString('utf8')));
  }
  return answers;
}

async function batch(gateway: Gateway, type: string, accept: string): Promise<string[]> {
  const lines = Buffer.concat(TEXTS.flatMap((text) => [text, Buffer.from('\n')]));
  const body = type === 'text/plain' ? lines : { credentials: STRINGS };
  const { text, status } = await call(`${gateway.data}/v1/verify/batch`, { body, type, headers: { accept } });
  if (status !== 200) throw new Error(`status ${status}: ${text}`);
  if (accept === 'application/x-ndjson') return text.trimEnd().split('\n');
  // To the letter: what stands between the answers of a batch is `},{"verdict":`, and nothing like it in them.
  const results = text.slice('{"results":['.length, text.indexOf('],"summary":'));
  return results.split(/,(?=\{"verdict":)/);
}

const single = async (gateway: Gateway, body: unknown, type: string): Promise<string> =>
  (await call(`${gateway.data}/v1/verify`, { body, type })).text;

const FORMS: Readonly<Record<string, (gateway: Gateway) => Promise<string[]>>> = {
  'single calls in JSON': async (gateway) => {
    const answers: string[] = [];
    for (const text of STRINGS) answers.push(await single(gateway, { credential: text }, 'application/json'));
    return answers;
  },
  'single calls, bare, all at once': (gateway) =>
    Promise.all(TEXTS.map((text) => single(gateway, text, 'application/jwt'))),
  'single calls in JSON with escapes, all at once': (gateway) =>
    Promise.all(
      STRINGS.map((text) => {
        const escaped = JSON.stringify(text).replace('A', '\\u0041');
        return single(gateway, `{"credential":${escaped}}`, 'application/json');
      }),
    ),
  'requests alone on their connections': (gateway) => pipelined(gateway.dataPort, 1),
  'two pipelined requests': (gateway) => pipelined(gateway.dataPort, 2),
  'three pipelined requests': (gateway) => pipelined(gateway.dataPort, 3),
  'requests in pieces': (gateway) => inPieces(gateway.dataPort),
  'a batch in JSON': (gateway) => batch(gateway, 'application/json', 'application/json'),
  'a batch of lines': (gateway) => batch(gateway, 'text/plain', 'application/json'),
  'a batch answered in lines': (gateway) => batch(gateway, 'text/plain', 'application/x-ndjson'),
};

/** A slow engine sheds what comes all at once: what is shed is answered by no path. */
const PATIENT = { VIGIE_QUEUE_TARGET_MS: '1000' };

async function startWithCards(env: Readonly<Record<string, string>>): Promise<Gateway> {
  const gateway = await startGateway({
    trustList: LIST,
    env: { VIGIE_BATCH_SLICE: '7', ...PATIENT, ...env },
  });
  for (const jti of REVOKED) await changeStatus(gateway.admin, { iss: ISS, jti, status: 'revoked' });
  return gateway;
}

describe('every form of call', () => {
  let native: Gateway;
  let without: Gateway;
  let expected: string[];
  beforeAll(async () => {
    native = await startWithCards(FASTEST_ENGINE);
    without = await startWithCards({ VIGIE_ENGINE: 'openssl' });
    const answers = await FORMS['single calls, bare, all at once']?.(without);
    expected = (answers ?? []).map(timeless);
  });
  afterAll(() => Promise.all([native?.dispose(), without?.dispose()]));

  it('is about credentials of every kind', () => {
    const reasons = new Set(expected.map((answer) => JSON.parse(answer).reason));
    for (const reason of [
      'ok',
      'malformed',
      'bad_signature',
      'expired',
      'revoked',
      'unknown_issuer',
      'unknown_key',
    ]) {
      expect([...reasons]).toContain(reason);
    }
    expect(JSON.parse(expected[0] as string).reason).toBe('ok');
  });

  // Twice: at first no header is known, and the reference reads all; then native code reads what it can.
  describe.each(['at first', 'once more'])('%s', () => {
    it.each(Object.keys(FORMS))('has the same answers: %s', async (form) => {
      const ask = FORMS[form] as (gateway: Gateway) => Promise<string[]>;
      for (const gateway of [native, without]) expect((await ask(gateway)).map(timeless)).toEqual(expected);
    });

    it('has the same answers as bytes', async () => {
      const codes = async (gateway: Gateway): Promise<number[]> => {
        const headers = { accept: 'application/octet-stream' };
        const answer = await call(`${gateway.data}/v1/verify/batch`, {
          body: { credentials: STRINGS },
          headers,
        });
        return [...answer.bytes];
      };
      expect(await codes(native)).toEqual(await codes(without));
      expect(await codes(native)).toHaveLength(TEXTS.length);
    });
  });

  it('is answered to those who stay, while others go away between their request and its answer', async () => {
    const [text, answer] = [TEXTS[0] as Buffer, expected[0] as string];
    for (let round = 0; round < 20; round++) {
      const leaving = await Promise.all(Array.from({ length: 10 }, () => open(native.dataPort)));
      const staying = Array.from({ length: 5 }, () => single(native, text, 'application/jwt'));
      for (const socket of leaving)
        socket.end(request(text, 'application/jwt'), () => socket.resetAndDestroy());
      expect((await Promise.all(staying)).map(timeless)).toEqual(staying.map(() => answer));
    }
    expect(native.stderr()).not.toMatch(/"level":(50|60)/);
  });
});
