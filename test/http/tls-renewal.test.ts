/** A certificate's files as they stand in the middle of a renewal: whoever reads them then has nothing to serve with. */
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { restartsFor } from '../support/broken-worker.ts';
import { scrape, until } from '../support/call.ts';
import { createCertificates } from '../support/certificates.ts';
import { startGateway, workerFault } from '../support/gateway.ts';
import { stay } from '../support/tls-client.ts';

it('threads that take another’s place serve on with what was read at start, and nothing of it stays', async () => {
  const made = createCertificates();
  onTestFinished(() => made.dispose());
  made.authority('authority', ['server', 'next']);
  const [cert, key] = [made.file('server.pem'), made.file('server.key')];
  // Ended further down the chain, where nobody may need it any more: no reason not to start, and told.
  made.until('authority', 'ended', new Date(Date.now() - 60_000));
  appendFileSync(cert, readFileSync(made.file('ended.pem')));
  const strike = made.file('now');
  const gateway = await startGateway({
    env: {
      VIGIE_WORKERS: '2',
      VIGIE_TLS_CERT_FILE: cert,
      VIGIE_TLS_KEY_FILE: key,
      VIGIE_TLS_CLIENT_CA_FILE: made.file('authority.pem'),
      ...workerFault('exits', strike),
    },
  });
  onTestFinished(() => gateway.dispose());
  const endsAt = (await scrape(gateway.metrics)).get(
    'vigie_tls_certificate_expiry_seconds{file="certificate"}',
  );
  expect(endsAt).toBeLessThan(Date.now() / 1000);
  const serial = async (): Promise<string> => {
    const socket = await stay(gateway, made.client());
    onTestFinished(() => void socket.destroy());
    return socket.getPeerCertificate().serialNumber;
  };
  const before = await serial();
  const kept = join(gateway.dataDir, 'tls');
  expect(readdirSync(kept).sort()).toEqual(['cert.pem', 'client-ca.pem', 'key.pem']);
  for (const name of readdirSync(kept)) expect(statSync(join(kept, name)).mode & 0o777).toBe(0o600);

  // The new certificate is there, its key is not yet; of the authorities half is written.
  writeFileSync(cert, readFileSync(made.file('next.pem')));
  const authorities = readFileSync(made.file('authority.pem'));
  writeFileSync(made.file('authority.pem'), authorities.subarray(0, authorities.length / 2));
  writeFileSync(strike, '');
  await until(async () => (await restartsFor(gateway, 'exit')) === 1);
  await until(async () => (await scrape(gateway.metrics)).get('vigie_workers') === 2);
  writeFileSync(made.file('authority.pem'), authorities);
  // Both threads: connections come to them by turns.
  expect(await Promise.all([serial(), serial(), serial(), serial()])).toEqual(Array(4).fill(before));
  expect(gateway.stderr()).not.toContain('a worker did not start');
  gateway.signal('SIGTERM');
  expect((await gateway.ended).code).toBe(0);
  expect(existsSync(kept)).toBe(false);
});
