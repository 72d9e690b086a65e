/** TLS on the data listener, and certificates of callers: by real certificates, made for the run by openssl. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { reasonOf, scrape, until } from '../support/call.ts';
import { type Certificates, createCertificates } from '../support/certificates.ts';
import { FASTEST_ENGINE, type Gateway, startGateway } from '../support/gateway.ts';
import { exchangeRaw, head, parseAnswers } from '../support/raw-http.ts';
import { credential, goodClaims } from '../support/synthetic-issuer.ts';
import { clientHello, hurl, stay } from '../support/tls-client.ts';

const GOOD = credential({ payload: goodClaims({}, Math.floor(Date.now() / 1000)) });
const BODY = JSON.stringify({ credential: GOOD });
const TYPE = 'Content-Type: application/json';
const post = (path: string, body: string, ...more: string[]): string =>
  head(`POST ${path} HTTP/1.1`, 'Host: x', TYPE, `Content-Length: ${body.length}`, ...more) + body;
const HONEST = post('/v1/verify', BODY);

let made: Certificates;
beforeAll(() => {
  made = createCertificates();
  made.authority('authority', ['server', 'pharmacy']);
  made.authority('stranger', ['intruder']);
});
afterAll(() => made.dispose());

const serverCert = () => ({
  VIGIE_TLS_CERT_FILE: made.file('server.pem'),
  VIGIE_TLS_KEY_FILE: made.file('server.key'),
});
const mutual = () => ({ ...serverCert(), VIGIE_TLS_CLIENT_CA_FILE: made.file('authority.pem') });

interface Got {
  readonly status: number;
  readonly reason: string;
}

function read(body: string, status: number): Got {
  const { reason, type } = JSON.parse(body);
  return { status, reason: reason ?? type };
}

/** One call on a connection of its own; rejects where the handshake or the connection fails. */
async function ask(
  gateway: Gateway,
  client?: string,
  path = '/v1/verify',
  more: ConnectionOptions = {},
): Promise<Got> {
  const tls = { ...made.client(client), ...more };
  const { answers } = await exchangeRaw(gateway.dataPort, [post(path, BODY)], { tls });
  const [answer] = answers;
  if (answer === undefined) throw new Error('closed without an answer');
  return read(answer.body, answer.status);
}

const OK = { status: 200, reason: 'ok' };
const FORBIDDEN = { status: 403, reason: 'forbidden' };

async function askAgain(socket: TLSSocket): Promise<Got> {
  let text = '';
  const take = (chunk: Buffer): void => {
    text += chunk.toString('latin1');
  };
  socket.on('data', take);
  socket.write(HONEST);
  await until(() => parseAnswers(text).length > 0 || socket.destroyed);
  socket.off('data', take);
  const [answer] = parseAnswers(text);
  return answer === undefined ? { status: 0, reason: 'closed' } : read(answer.body, answer.status);
}

describe('with a certificate of its own', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway({ env: { ...FASTEST_ENGINE, ...serverCert(), VIGIE_WORKERS: '2' } });
  });
  afterAll(() => gateway.dispose());

  it('the listener speaks TLS, on each of its threads, and says so', async () => {
    expect(gateway.data).toMatch(/^https:/);
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask(gateway)));
    expect(answers).toEqual(Array(40).fill(OK));
  });

  it.each<[string, ConnectionOptions, string]>([
    ['TLS 1.3', { minVersion: 'TLSv1.3' }, 'TLS_AES_256_GCM_SHA384'],
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }, 'ECDHE-ECDSA-AES128-GCM-SHA256'],
  ])('%s is spoken', async (_, options, cipher) => {
    const socket = await stay(gateway, { ...made.client(), ...options });
    expect(socket.getCipher().name).toBe(cipher);
    expect(await askAgain(socket)).toEqual(OK);
    socket.destroy();
  });

  it.each<[string, ConnectionOptions]>([
    ['TLS 1.1', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }],
    [
      'a cipher without authenticated encryption',
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' },
    ],
    ['a key exchange that is not ephemeral', { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' }],
  ])('%s is not', async (_, options) => {
    await expect(ask(gateway, undefined, undefined, options)).rejects.toThrow(/alert|handshake/i);
  });

  it('a handshake cannot be asked for again within a connection', async () => {
    const args = ['s_client', '-connect', `127.0.0.1:${gateway.dataPort}`, '-tls1_2'];
    const client = spawn('openssl', args, { stdio: 'pipe' });
    onTestFinished(() => void client.kill('SIGKILL'));
    let said = '';
    for (const stream of [client.stdout, client.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        said += chunk;
      });
    }
    // Said once the handshake is over; from then on a line that is an R asks for another.
    await until(() => said.includes('Verify return code'));
    client.stdin.write('R\n');
    await until(() => said.includes('no renegotiation'));
  });

  it('plain HTTP, noise and handshakes that break off are not understood, and hurt nobody', async () => {
    await expect(reasonOf(gateway.data.replace('https', 'http'), GOOD)).rejects.toThrow();
    const hello = await clientHello();
    const sent: Promise<void>[] = [];
    for (let i = 0; i < 60; i++) {
      sent.push(hurl(gateway, HONEST));
      // The first byte of a record of nobody's protocol.
      sent.push(hurl(gateway, Buffer.concat([Buffer.of(0x80 + i), randomBytes(40 * i)]), 100));
      sent.push(hurl(gateway, hello.subarray(0, 1 + 5 * i), i % 10));
      sent.push(hurl(gateway, hello, i % 10));
      const bent = Buffer.from(hello);
      bent[(7 * i) % bent.length] = 0xff;
      sent.push(hurl(gateway, bent, 50));
      if (sent.length > 40) await Promise.all(sent.splice(0));
    }
    await Promise.all(sent);
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(gateway)));
    expect(answers).toEqual(Array(20).fill(OK));
    await until(async () => (await scrape(gateway.metrics)).get('vigie_connections') === 0);
    expect(gateway.stderr()).not.toMatch(/"level":"(warn|error|fatal)"/);
  });

  it('a request with another inside gets one refusal, and its connection is closed', async () => {
    const two = `${head('POST /v1/verify HTTP/1.1', 'Host: x', TYPE, 'Content-Length: 0', `Content-Length: ${BODY.length}`)}${HONEST}`;
    const { answers, closed, text } = await exchangeRaw(gateway.dataPort, [two], {
      answers: 0,
      tls: made.client(),
    });
    expect(answers.map(({ status }) => status)).toEqual([400]);
    expect([closed, text.includes('"verdict"')]).toEqual([true, false]);
  });

  it('pipelined requests are answered in their order; a large answer reaches a client that reads late', async () => {
    const batch = post('/v1/verify/batch', JSON.stringify({ credentials: Array(3_000).fill(GOOD) }));
    const socket = await stay(gateway, made.client());
    socket.pause();
    socket.write(HONEST + HONEST + batch);
    await until(async () => {
      const samples = await scrape(gateway.metrics);
      return (
        (samples.get('vigie_requests_total{route="verify_batch",status="200"}') ?? 0) > 0 ||
        (samples.get('vigie_requests_in_flight') ?? 0) > 1
      );
    });
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.resume();
    await until(() => text.includes('"summary"') && parseAnswers(text).length === 3);
    const [one, two, many] = parseAnswers(text).map(({ body }) => JSON.parse(body));
    expect([one.reason, two.reason, many.summary.valid]).toEqual(['ok', 'ok', 3_000]);
    socket.destroy();
  });

  it('callers whose certificates nobody asked for are served', async () => {
    expect(await ask(gateway, 'intruder')).toEqual(OK);
  });

  it('says in its metrics when its certificate ends', async () => {
    const samples = await scrape(gateway.metrics);
    const endsAt = samples.get('vigie_tls_certificate_expiry_seconds{file="certificate"}') ?? 0;
    expect(Math.abs(endsAt - Date.now() / 1000 - 2 * 86_400)).toBeLessThan(600);
    expect(samples.has('vigie_tls_certificate_expiry_seconds{file="client_ca"}')).toBe(false);
  });
});

describe('with certificates of callers required', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway({ env: { ...mutual(), VIGIE_WORKERS: '2' } });
  });
  afterAll(() => gateway.dispose());

  it('a caller of the authority is served', async () => {
    expect(await ask(gateway, 'pharmacy')).toEqual(OK);
    expect(
      (await scrape(gateway.metrics)).has('vigie_tls_certificate_expiry_seconds{file="client_ca"}'),
    ).toBe(true);
  });

  it.each(['intruder', 'ended'])(
    'one whose certificate is not good does not get through: %s',
    async (name) => {
      made.until('authority', 'ended', new Date(Date.now() - 60_000));
      await expect(ask(gateway, name)).rejects.toThrow();
    },
  );

  it.each(['/v1/verify', '/v1/verify/batch', '/healthz', '/nothing'])(
    'one without a certificate is refused, whatever is asked: %s',
    async (path) => {
      expect(await ask(gateway, undefined, path)).toEqual(FORBIDDEN);
    },
  );

  it('one whose certificate ends is refused from then on, connected and in a session that is resumed', async () => {
    // Time enough for what must come before its end, on a machine that is busy too.
    const endsAtMs = Date.now() + 11_000;
    made.until('authority', 'brief', new Date(endsAtMs));
    const judge = async (maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<Got[]> => {
      const options = { ...made.client('brief'), maxVersion };
      const connected = await stay(gateway, options);
      const got = [await askAgain(connected)];
      const session = connected.getSession();
      // Of two threads one knows the session; connections come to them by turns.
      const resumed = async (): Promise<Got> => {
        for (;;) {
          const socket = await stay(gateway, { ...options, session }).catch(() => undefined);
          if (socket?.isSessionReused() === true) return askAgain(socket).finally(() => socket.destroy());
          socket?.destroy();
        }
      };
      got.push(await resumed());
      // Asked now and then, since the listener closes what is idle for some ten seconds; not too near the end.
      await until(async () => {
        if (Date.now() < endsAtMs - 1_000) expect(await askAgain(connected)).toEqual(OK);
        return Date.now() > endsAtMs + 2_000;
      });
      got.push(await resumed(), await askAgain(connected));
      return got;
    };
    for (const got of await Promise.all([judge('TLSv1.2'), judge('TLSv1.3')])) {
      expect(got).toEqual([OK, OK, FORBIDDEN, FORBIDDEN]);
    }
  });

  it('a session of a gateway that trusted another authority is not resumed', async () => {
    const socket = await stay(gateway, made.client('pharmacy'));
    expect(await askAgain(socket)).toEqual(OK);
    const session = socket.getSession();
    socket.destroy();
    const env = { ...mutual(), VIGIE_TLS_CLIENT_CA_FILE: made.file('stranger.pem') };
    const other = await startGateway({ env });
    const more = { session };
    await expect(ask(other, 'pharmacy', undefined, more)).rejects.toThrow();
    expect(await ask(other, 'intruder')).toEqual(OK);
    await other.dispose();
  });
});

describe('a start', () => {
  it.each<[string, () => Record<string, string>, string]>([
    [
      'a certificate without its key',
      () => ({ VIGIE_TLS_CERT_FILE: made.file('server.pem') }),
      'belong together',
    ],
    [
      "another certificate's key",
      () => ({ ...serverCert(), VIGIE_TLS_KEY_FILE: made.file('pharmacy.key') }),
      'VIGIE_TLS_KEY_FILE',
    ],
    [
      'no certificate',
      () => ({ ...serverCert(), VIGIE_TLS_CERT_FILE: made.file('server.key') }),
      'VIGIE_TLS_CERT_FILE',
    ],
    ['no file', () => ({ ...serverCert(), VIGIE_TLS_KEY_FILE: made.file('nowhere') }), 'no such file'],
    [
      'an authority that is none',
      () => ({ ...serverCert(), VIGIE_TLS_CLIENT_CA_FILE: made.file('server.key') }),
      'VIGIE_TLS_CLIENT_CA_FILE',
    ],
    [
      'certificates of callers without TLS',
      () => ({ VIGIE_TLS_CLIENT_CA_FILE: made.file('authority.pem') }),
      'needs VIGIE_TLS_CERT_FILE',
    ],
    [
      'a trusted proxy before TLS',
      () => ({ ...serverCert(), VIGIE_TRUSTED_PROXIES: '10.0.0.1' }),
      'without TLS',
    ],
  ])('with %s is refused', async (_, env, line) => {
    await expect(startGateway({ env: env() })).rejects.toThrow(line);
  });
});
