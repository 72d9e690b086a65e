/** Thousands of handshakes, honest and not, at once: every honest caller is served, and nothing is left behind. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { COUNTS_DESCRIPTORS, openDescriptors } from '../../soak/at-rest.ts';
import { scrape, until } from '../../support/call.ts';
import { type Certificates, createCertificates } from '../../support/certificates.ts';
import { startGateway } from '../../support/gateway.ts';
import { exchangeRaw, head } from '../../support/raw-http.ts';
import { credential, goodClaims } from '../../support/synthetic-issuer.ts';
import { clientHello, hurl } from '../../support/tls-client.ts';

const BODY = JSON.stringify({
  credential: credential({ payload: goodClaims({}, Math.floor(Date.now() / 1000)) }),
});
const HONEST =
  head(
    'POST /v1/verify HTTP/1.1',
    'Host: x',
    'Content-Type: application/json',
    `Content-Length: ${BODY.length}`,
  ) + BODY;
const ROUNDS = 3;
const HONEST_A_ROUND = 1_000;
const HOSTILE_A_ROUND = 2_500;
/** What the allocator may keep beyond what it kept after the first round. */
const KEPT_KIB = 48 * 1024;

let made: Certificates;
beforeAll(() => {
  made = createCertificates();
  made.authority('authority', ['server', 'pharmacy']);
  made.authority('stranger', ['intruder']);
});
afterAll(() => made.dispose());

/** So many at once, until all are done. */
async function many(count: number, atOnce: number, one: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const line = async (): Promise<void> => {
    while (next < count) await one(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, line));
}

it('a storm of handshakes', { timeout: 300_000 }, async () => {
  const gateway = await startGateway({
    env: {
      ...COUNTS_DESCRIPTORS,
      VIGIE_WORKERS: '2',
      VIGIE_TLS_CERT_FILE: made.file('server.pem'),
      VIGIE_TLS_KEY_FILE: made.file('server.key'),
      VIGIE_TLS_CLIENT_CA_FILE: made.file('authority.pem'),
    },
  });
  const descriptors = () => openDescriptors(gateway);
  const memoryKib = (): number =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))?.[1]);
  const hello = await clientHello();
  const good = { ...made.client('pharmacy'), minVersion: 'TLSv1.2' } as const;
  const statuses = new Map<number, number>();
  const honest = async (index: number): Promise<void> => {
    const tls = { ...good, maxVersion: index % 3 === 0 ? ('TLSv1.2' as const) : ('TLSv1.3' as const) };
    const { answers } = await exchangeRaw(gateway.dataPort, [HONEST], { tls });
    const status = answers[0]?.status ?? 0;
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  };
  const bent = (index: number): Buffer => {
    const bytes = Buffer.from(hello);
    for (let i = 0; i < 3; i++) bytes[(index * (i + 7)) % bytes.length] = index & 0xff;
    return bytes;
  };
  const hostile = async (index: number): Promise<void> => {
    if (index % 6 === 0) return hurl(gateway, HONEST);
    if (index % 6 === 1) return hurl(gateway, randomBytes(1 + (index % 3_000)), 50);
    if (index % 6 === 2) return hurl(gateway, hello.subarray(0, 1 + (index % hello.length)), index % 15);
    if (index % 6 === 3) return hurl(gateway, hello, index % 15);
    if (index % 6 === 4) return hurl(gateway, bent(index), 20);
    const answered = exchangeRaw(gateway.dataPort, [HONEST], { tls: made.client('intruder') });
    return answered.then(
      ({ answers }) => expect(answers).toEqual([]),
      () => undefined,
    );
  };
  const descriptorsAtRest = await descriptors();
  let memoryAfterFirst = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all([many(HONEST_A_ROUND, 20, honest), many(HOSTILE_A_ROUND, 20, hostile)]);
    await until(async () => (await scrape(gateway.metrics)).get('vigie_connections') === 0);
    if (round === 0) memoryAfterFirst = memoryKib();
  }
  expect(statuses).toEqual(new Map([[200, ROUNDS * HONEST_A_ROUND]]));
  expect(memoryKib() - memoryAfterFirst).toBeLessThan(KEPT_KIB);
  // Those of the last scrapes may still be open.
  await until(async () => (await descriptors()) <= descriptorsAtRest + 2);
  expect(gateway.stderr()).not.toMatch(/"level":"(warn|error|fatal)"/);
  gateway.signal('SIGTERM');
  expect(await gateway.ended).toEqual({ code: 0, signal: null });
  await gateway.dispose();
});
