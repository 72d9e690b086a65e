/** TLS on the data listener, and certificates of callers: by real certificates, made for the run by openssl. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reasonOf } from '../support/call.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { credential, goodClaims } from '../support/synthetic-issuer.ts';

const GOOD = credential({ payload: goodClaims({}, Math.floor(Date.now() / 1000)) });

let dir: string;
const file = (name: string): string => join(dir, name);
const openssl = (...args: string[]): void => {
  execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
};

/** An authority, and certificates that it signs: `NAME.key`, `NAME.pem`. */
function authority(name: string, signs: readonly string[]): void {
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = (of: string) => ['-subj', `/CN=${of} (synthetic)`];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.pem`,
    '-days',
    '2',
    ...subject(name),
  );
  for (const one of signs) {
    openssl('req', ...newKey, '-keyout', `${one}.key`, '-out', `${one}.csr`, ...subject(one));
    writeFileSync(file('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1');
    const issued = ['-CA', `${name}.pem`, '-CAkey', `${name}.key`, '-CAcreateserial', '-days', '2'];
    openssl('x509', '-req', '-in', `${one}.csr`, ...issued, '-out', `${one}.pem`, '-extfile', 'names');
  }
}

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'vigie-tls-'));
  authority('authority', ['server', 'pharmacy']);
  authority('stranger', ['intruder']);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Got {
  readonly status: number;
  readonly reason: string;
}

/** One verification over TLS; rejects where the handshake or the connection fails. */
function verify(gateway: Gateway, client?: string, path = '/v1/verify'): Promise<Got> {
  const body = JSON.stringify({ credential: GOOD });
  const certificate = client && {
    cert: readFileSync(file(`${client}.pem`)),
    key: readFileSync(file(`${client}.key`)),
  };
  return new Promise((resolve, reject) => {
    const sent = request(
      `${gateway.data}${path}`,
      {
        method: 'POST',
        agent: false,
        ca: readFileSync(file('authority.pem')),
        headers: { 'content-type': 'application/json', 'content-length': body.length },
        ...certificate,
      },
      (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => {
          const { reason, type } = JSON.parse(text);
          resolve({ status: response.statusCode ?? 0, reason: reason ?? type });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

const serverCert = () => ({
  VIGIE_TLS_CERT_FILE: file('server.pem'),
  VIGIE_TLS_KEY_FILE: file('server.key'),
});

describe('with a certificate of its own', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway({ env: { ...serverCert(), VIGIE_WORKERS: '2' } });
  });
  afterAll(() => gateway.dispose());

  it('the listener speaks TLS, on each of its threads, and says so', async () => {
    expect(gateway.data).toMatch(/^https:/);
    const answers = await Promise.all(Array.from({ length: 20 }, () => verify(gateway)));
    expect(answers).toEqual(Array(20).fill({ status: 200, reason: 'ok' }));
  });

  it('plain HTTP is not understood, and hurts nobody', async () => {
    await expect(reasonOf(gateway.data.replace('https', 'http'), GOOD)).rejects.toThrow();
    expect(await verify(gateway)).toEqual({ status: 200, reason: 'ok' });
  });

  it('callers whose certificates nobody asked for are served', async () => {
    expect(await verify(gateway, 'intruder')).toEqual({ status: 200, reason: 'ok' });
  });
});

describe('with certificates of callers required', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway({
      env: { ...serverCert(), VIGIE_TLS_CLIENT_CA_FILE: file('authority.pem'), VIGIE_WORKERS: '2' },
    });
  });
  afterAll(() => gateway.dispose());

  it('a caller of the authority is served', async () => {
    expect(await verify(gateway, 'pharmacy')).toEqual({ status: 200, reason: 'ok' });
  });

  it('one of another authority does not get through the handshake', async () => {
    await expect(verify(gateway, 'intruder')).rejects.toThrow();
  });

  it.each(['/v1/verify', '/v1/verify/batch', '/healthz', '/nothing'])(
    'one without a certificate is refused, whatever is asked: %s',
    async (path) => {
      expect(await verify(gateway, undefined, path)).toEqual({ status: 403, reason: 'forbidden' });
    },
  );
});

describe('a start', () => {
  it.each<[string, () => Record<string, string>, string]>([
    ['a certificate without its key', () => ({ VIGIE_TLS_CERT_FILE: file('server.pem') }), 'belong together'],
    [
      "another certificate's key",
      () => ({ ...serverCert(), VIGIE_TLS_KEY_FILE: file('pharmacy.key') }),
      'VIGIE_TLS_KEY_FILE',
    ],
    [
      'no certificate',
      () => ({ ...serverCert(), VIGIE_TLS_CERT_FILE: file('server.key') }),
      'VIGIE_TLS_CERT_FILE',
    ],
    ['no file', () => ({ ...serverCert(), VIGIE_TLS_KEY_FILE: file('nowhere') }), 'no such file'],
    [
      'an authority that is none',
      () => ({ ...serverCert(), VIGIE_TLS_CLIENT_CA_FILE: file('server.key') }),
      'VIGIE_TLS_CLIENT_CA_FILE',
    ],
    [
      'certificates of callers without TLS',
      () => ({ VIGIE_TLS_CLIENT_CA_FILE: file('authority.pem') }),
      'needs VIGIE_TLS_CERT_FILE',
    ],
  ])('with %s is refused', async (_, env, line) => {
    await expect(startGateway({ env: env() })).rejects.toThrow(line);
  });
});
