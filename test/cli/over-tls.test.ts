/** The command line before a gateway that speaks TLS: calls that check its certificate, and the doctor. */
import { chmodSync, copyFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificates, createCertificates } from '../support/certificates.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { credential, goodClaims } from '../support/synthetic-issuer.ts';
import { runVigie } from './run-vigie.ts';

const GOOD = credential({ payload: goodClaims({}, Math.floor(Date.now() / 1000)) });

let made: Certificates;
let gateway: Gateway;
beforeAll(async () => {
  made = createCertificates();
  made.authority('authority', ['server', 'other']);
  copyFileSync(made.file('server.pem'), made.file('shown.pem'));
  copyFileSync(made.file('server.key'), made.file('shown.key'));
  gateway = await startGateway({ env: files('shown') });
});
afterAll(async () => {
  await gateway.dispose();
  made.dispose();
});

function files(name: string): Record<string, string> {
  return { VIGIE_TLS_CERT_FILE: made.file(`${name}.pem`), VIGIE_TLS_KEY_FILE: made.file(`${name}.key`) };
}

describe('verify', () => {
  const verify = (env: Record<string, string>) =>
    runVigie(['verify', '--json', '--url', gateway.data], { stdin: GOOD, env });

  it('takes the authorities that NODE_EXTRA_CA_CERTS names', async () => {
    const { code, stdout } = await verify({ NODE_EXTRA_CA_CERTS: made.file('authority.pem') });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ verdict: 'valid', reason: 'ok' });
  });

  it('sends nothing to a gateway whose certificate nobody vouches for, and says how to mend it', async () => {
    const { code, stdout, stderr } = await verify({});
    expect(code).toBe(3);
    expect(stdout + stderr).toContain('NODE_EXTRA_CA_CERTS');
  });
});

describe('doctor', () => {
  interface Found {
    readonly level: string;
    readonly subject: string;
    readonly detail: string;
  }
  async function diagnose(env: Record<string, string>): Promise<(subject: string) => Found | undefined> {
    const ports = ['--port', gateway.data, '--admin-port', gateway.admin, '--metrics-port', gateway.metrics];
    const args = ports.map((part) => (part.startsWith('http') ? new URL(part).port : part));
    const { stdout } = await runVigie(['doctor', '--json', '--data-dir', gateway.dataDir, ...args], { env });
    const { findings } = JSON.parse(stdout) as { findings: Found[] };
    return (subject) => findings.find((found) => found.subject === subject);
  }

  it('knows the gateway that runs, and warns of a certificate that ends soon', async () => {
    const of = await diagnose({ ...files('shown'), VIGIE_TLS_CLIENT_CA_FILE: made.file('authority.pem') });
    expect(of('data port')).toMatchObject({ level: 'ok', detail: expect.stringContaining('running vigie') });
    expect(of('gateway')).toMatchObject({ level: 'ok', detail: expect.stringContaining('is ready') });
    const soon = { level: 'warning', detail: expect.stringMatching(/^ends in 1 day, on 20\d\d-/) };
    expect(of('tls certificate')).toMatchObject(soon);
    expect(of('tls client ca')).toMatchObject(soon);
    expect(of('file modes')).toBeUndefined();
  });

  it('calls a certificate good that is, and sees that the gateway shows another', async () => {
    made.until('authority', 'lasting', new Date(Date.now() + 90 * 86_400_000));
    const of = await diagnose(files('lasting'));
    expect(of('tls certificate')).toMatchObject({
      level: 'ok',
      detail: expect.stringContaining('good until'),
    });
    expect(of('data port')).toMatchObject({
      level: 'warning',
      detail: expect.stringContaining('shows another certificate'),
    });
  });

  it('fails a key that others can read, and files that do not belong together', async () => {
    chmodSync(made.file('other.key'), 0o644);
    const told = (await diagnose(files('other')))('file modes');
    expect(told).toMatchObject({ level: 'failure', detail: expect.stringContaining('other.key') });
    const mixed = { ...files('server'), VIGIE_TLS_KEY_FILE: made.file('other.key') };
    expect((await diagnose(mixed))('tls')).toMatchObject({
      level: 'failure',
      detail: expect.stringContaining('VIGIE_TLS_KEY_FILE'),
    });
  });

  it('takes no other program for a gateway', async () => {
    const port = String(new URL(gateway.metrics).port);
    const args = ['doctor', '--json', '--data-dir', gateway.dataDir, '--port', port, '--admin-port', '0'];
    const { stdout } = await runVigie([...args, '--metrics-port', '0'], { env: files('server') });
    const found = (JSON.parse(stdout) as { findings: Found[] }).findings;
    expect(found.find(({ subject }) => subject === 'data port')).toMatchObject({ level: 'failure' });
  });
});
