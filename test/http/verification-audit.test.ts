/** The audit of verifications as real gateways write it: every answer given has its line, which names nobody. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CODES } from '../../src/verdict.ts';
import { runVigie } from '../cli/run-vigie.ts';
import { type AuditLine, auditLines, auditText } from '../support/audit-lines.ts';
import { call, scrape, until } from '../support/call.ts';
import { bearer, callersFile, oneKey, type TestCaller, type TestCallers } from '../support/callers.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { credential, goodClaims, ISS, tampered } from '../support/synthetic-issuer.ts';

const NOW = Math.floor(Date.now() / 1000);
const CANARY = 'VERIFICATION-CANARY-4711';
const PHARMACY: TestCaller = { name: 'pharmacy-a', scopes: ['verify', 'batch', 'lots'], keys: [oneKey()] };

const good = credential({ payload: goodClaims({ jti: CANARY, sub: CANARY }, NOW) });
const expired = credential({ payload: goodClaims({ jti: CANARY, exp: 1 }, NOW) });
const strange = credential({ payload: goodClaims({ jti: { [CANARY]: 1 } }, NOW) });
const other = credential({ payload: goodClaims({ jti: 'another' }, NOW) });

let files: TestCallers;
let gateway: Gateway;
beforeAll(async () => {
  files = callersFile([PHARMACY]);
  gateway = await startGateway({ env: { ...files.env, VIGIE_VERIFICATION_AUDIT: 'on', VIGIE_WORKERS: '2' } });
});
afterAll(async () => {
  await gateway.dispose();
  files.dispose();
});

const lines = (): AuditLine[] => {
  try {
    return auditLines(gateway.dataDir, 'verifications');
  } catch {
    return [];
  }
};
const since = async (before: number, count: number): Promise<AuditLine[]> => {
  await until(() => lines().length >= before + count);
  expect(lines()).toHaveLength(before + count);
  return lines().slice(before);
};
const show = (body: unknown, path = 'verify', more = {}) =>
  call(`${gateway.data}/v1/${path}`, { body, headers: bearer(PHARMACY), ...more });

it('has a line for each single call, with the reason that was given, and one pseudonym for one card', async () => {
  const texts = [good, expired, tampered(good), strange, other, 'no credential'];
  for (const text of texts) await show({ credential: text });
  const found = await since(0, texts.length);
  const byCode = new Map(found.map((line) => [line.code, line]));
  expect([...byCode.keys()].sort((a, b) => a - b)).toEqual([
    CODES.ok,
    CODES.malformed,
    CODES.bad_signature,
    CODES.expired,
  ]);
  expect(new Set(found.map(({ caller }) => caller))).toEqual(new Set([PHARMACY.name]));
  const named = found.filter(({ card }) => card !== undefined);
  // Of a forged credential, and of what is none, nobody vouches for the card.
  expect(named.map(({ code }) => code).sort()).toEqual([CODES.ok, CODES.ok, CODES.expired]);
  expect(new Set(named.map(({ card }) => card)).size).toBe(2);
});

it('has a line for each item of a batch that was answered, and none of one that was refused', async () => {
  const before = lines().length;
  await show({ credentials: [good, tampered(good), other] }, 'verify/batch');
  expect((await since(before, 3)).map(({ code }) => code)).toEqual([CODES.ok, CODES.bad_signature, CODES.ok]);
  const body = `{"credentials":["${good}","${other}"],"more":1}`;
  expect((await show(body, 'verify/batch')).status).toBe(400);
  // What comes behind it is there when it would be.
  await show({ credential: other });
  expect(await since(before + 3, 1)).toHaveLength(1);
});

it('tells the final reason of a large batch whose answers take many slices', async () => {
  const before = lines().length;
  const items = Array.from({ length: 3_000 }, (_, i) => (i % 2 === 0 ? good : tampered(good)));
  const answer = await show(items.join('\n'), 'verify/batch', {
    type: 'text/plain',
    headers: { ...bearer(PHARMACY), accept: 'application/octet-stream' },
  });
  const found = await since(before, items.length);
  expect(found.map(({ code }) => code)).toEqual([...answer.bytes]);
  const named = new Set(found.map(({ card, code }) => (code === CODES.ok ? card : `none ${card}`)));
  expect(named.size).toBe(2);
});

it('is found by whoever has the secret and names the card, on standard input too', async () => {
  const env = { VIGIE_SECRET_FILE: files.env.VIGIE_SECRET_FILE as string };
  const args = ['audit', 'card', '--json', '--data-dir', gateway.dataDir];
  const ran = await runVigie([...args, '--iss', ISS], { env, stdin: `${CANARY}\n` });
  expect([ran.code, ran.stderr]).toEqual([0, '']);
  const { verifications, daysWithoutKey } = JSON.parse(ran.stdout);
  const pseudonym = lines().find(({ code }) => code === CODES.expired)?.card;
  expect(verifications).toEqual(lines().filter(({ card }) => card === pseudonym));
  expect(verifications.length).toBeGreaterThan(1_500);
  expect(daysWithoutKey).toBe(0);
});

it('is in no plain form, and counted', async () => {
  const text = auditText(gateway.dataDir, 'verifications');
  for (const plain of [CANARY, ISS, PHARMACY.keys[0]?.accessKey as string]) expect(text).not.toContain(plain);
  const samples = await scrape(gateway.metrics);
  expect(samples.get('vigie_verification_audit_records_total{result="written"}')).toBe(lines().length);
  expect(samples.get('vigie_verification_audit_records_total{result="dropped"}')).toBe(0);
});

it('is whole when the gateway has ended in good order', async () => {
  const before = lines().length;
  await show({ credential: good });
  gateway.signal('SIGTERM');
  expect((await gateway.ended).code).toBe(0);
  expect(lines()).toHaveLength(before + 1);
});
