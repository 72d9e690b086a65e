/** A data-plane thread that hangs, ends or throws is replaced: no call is left without an answer or a closed connection. */
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  BODY,
  becomesTwoAgain,
  bodyOf,
  HEAD,
  restartsFor,
  startCaller,
  startWithFault,
  threadsOf,
  watch,
} from '../../support/broken-worker.ts';
import { call, changeStatus, scrape, until } from '../../support/call.ts';
import { logLines, trustListDocument } from '../../support/gateway.ts';
import { exchangeRaw, open, parseAnswers } from '../../support/raw-http.ts';
import { ISS } from '../../support/synthetic-issuer.ts';

const PATIENT = { VIGIE_WORKER_HANG_MS: '20000' };
const FAULTS = [
  ['loops', 'silent', {}],
  // At the end of its memory a thread does nothing but look for some.
  ['hoards', 'out_of_memory', PATIENT],
  ['exits', 'exit', PATIENT],
  ['throws-once', 'uncaught', PATIENT],
] as const;

describe.each(FAULTS)('a worker that %s', (fault, why, env) => {
  it('is replaced under load; every call is answered or its connection closed', async (test) => {
    const { gateway, strike } = await startWithFault(test, fault, env);
    const before = await threadsOf(gateway);
    const callers = Array.from({ length: 12 }, () => startCaller(gateway));
    // Half a request each: in flight on either thread.
    const begun = await Promise.all(Array.from({ length: 10 }, () => open(gateway.dataPort)));
    const stories = begun.map(watch);
    for (const connection of begun) connection.write(HEAD + BODY.slice(0, 9));
    const answered = (): number => callers.reduce((sum, { seen }) => sum + (seen.answers.get(200) ?? 0), 0);
    await until(() => answered() > 100);
    await until(async () => ((await scrape(gateway.metrics)).get('vigie_requests_in_flight') ?? 0) >= 10);
    strike();
    const struckAt = answered();
    // The other thread answers meanwhile, and a change is enforced and acknowledged.
    await changeStatus(gateway.admin, { iss: ISS, jti: 'withdrawn', status: 'revoked' });
    await until(() => answered() > struckAt + 50);
    await until(async () => (await restartsFor(gateway, why)) === 1);
    // Whoever is still there is on a thread that answers.
    await until(() => {
      for (const [index, connection] of begun.entries()) {
        if (stories[index]?.text() === '' && !connection.destroyed && connection.writableLength === 0) {
          connection.write(connection.bytesWritten < HEAD.length + BODY.length ? BODY.slice(9) : '');
        }
      }
      return stories.every(({ text, isClosed }) => isClosed() || parseAnswers(text()).length === 1);
    });
    await becomesTwoAgain(gateway, before);
    const later = answered();
    await until(() => answered() > later + 100);
    for (const caller of callers) await caller.stop();
    for (const connection of begun) connection.destroy();

    // None but the scrape itself.
    await until(async () => (await scrape(gateway.metrics)).get('vigie_requests_in_flight') === 1);
    const metrics = await scrape(gateway.metrics);
    expect(metrics.get('vigie_verdicts_total{reason="ok",verdict="valid"}')).toBeGreaterThanOrEqual(
      answered(),
    );
    const statuses = new Set(callers.flatMap(({ seen }) => [...seen.answers.keys()]));
    expect(statuses).toEqual(new Set([200]));
    const { text } = await call(`${gateway.data}/v1/verify`, { body: bodyOf('withdrawn') });
    expect(text).toContain('"revoked"');
    expect(gateway.stderr()).not.toContain('CANARY');

    gateway.signal('SIGTERM');
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
    expect(gateway.stderr()).toContain('"unanswered":0,"msg":"ended"');
  });
});

describe('a worker that hangs', () => {
  it('holds up a new trust list until it is replaced, and no longer', async (test) => {
    const { gateway, strike, struck } = await startWithFault(test, 'loops');
    const before = await threadsOf(gateway);
    strike();
    await struck();
    writeFileSync(gateway.trustListFile, JSON.stringify(trustListDocument(2)));
    const reloaded = await call(`${gateway.admin}/admin/v1/trust-list/reload`, { method: 'POST' });
    expect(reloaded.json).toEqual({ version: 2, changed: true, enforced: true });
    await becomesTwoAgain(gateway, before);
    for (let round = 0; round < 8; round++) {
      const { json } = await call(`${gateway.data}/v1/verify`, {
        body: BODY,
        headers: { connection: 'close' },
      });
      expect(json).toMatchObject({ reason: 'ok', key: { set: 2 } });
    }
  });

  it('is the only one: the gateway is not ready until there is another', async (test) => {
    const env = { VIGIE_WORKERS: '1', FAULT_NO_SUCCESSOR: '1' };
    const { gateway, strike, letNext } = await startWithFault(test, 'loops', env);
    const readyz = () => call(`${gateway.metrics}/readyz`);
    strike();
    await until(async () => (await readyz()).status === 503);
    expect((await readyz()).json.reasons).toEqual(['no_workers']);
    // Nobody is there to answer, and a connection that was kept would never come to one that is.
    const meanwhile = await exchangeRaw(gateway.dataPort, [HEAD + BODY], { answers: 0 });
    expect(meanwhile).toMatchObject({ text: '', closed: true });
    letNext();
    await until(async () => (await readyz()).status === 200);
    expect(await restartsFor(gateway, 'silent')).toBe(1);
    expect((await call(`${gateway.data}/v1/verify`, { body: BODY })).status).toBe(200);
  });

  it('does not hold up the end of the gateway', async (test) => {
    const { gateway, strike, struck } = await startWithFault(test, 'loops');
    const begun = await Promise.all(Array.from({ length: 8 }, () => open(gateway.dataPort)));
    const stories = begun.map(watch);
    for (const connection of begun) connection.write(HEAD + BODY.slice(0, 9));
    await until(async () => ((await scrape(gateway.metrics)).get('vigie_requests_in_flight') ?? 0) >= 8);
    strike();
    await struck();
    gateway.signal('SIGTERM');
    for (const connection of begun) connection.write(BODY.slice(9));
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
    await until(() => stories.every(({ isClosed }) => isClosed()));
    const answers = stories.map(({ text }) => parseAnswers(text())[0]?.status);
    // Those of the thread that hung are cut off, those of the other answered.
    expect(answers.toSorted()).toEqual([200, 200, 200, 200, undefined, undefined, undefined, undefined]);
    expect(gateway.stderr()).toContain('"unanswered":0,"msg":"ended"');
  });
});

describe('a worker that hangs where there is no native code', () => {
  it('ends the gateway in order but for its very end; what the others were asked is answered', async (test) => {
    const { gateway, strike, struck } = await startWithFault(test, 'loops', {
      FAULT_NO_ADDON: '1',
      VIGIE_ENGINE: 'openssl',
      VIGIE_DRAIN_TIMEOUT_MS: '4000',
    });
    const connections = await Promise.all([open(gateway.dataPort), open(gateway.dataPort)]);
    const stories = connections.map(watch);
    strike();
    await struck();
    for (const connection of connections) connection.write(HEAD + BODY);
    // With everything closed the process ends by an abort: the parser's, in the thread that still hangs.
    expect((await gateway.ended).code).not.toBe(0);
    await until(() => stories.every(({ isClosed }) => isClosed()));
    const answers = stories.map(({ text }) => parseAnswers(text())[0]?.status);
    expect(answers.toSorted()).toEqual([200, undefined]);
    expect(gateway.stderr()).toContain('"why":"a worker hangs"');
    expect(gateway.stderr()).toContain('"msg":"ended"');
  });
});

describe('a worker that leaves a request to the parser', () => {
  it('stands still for ever, is replaced, and does not hold up the end of the process', async (test) => {
    const { gateway, strike } = await startWithFault(test, 'throws-into-parser', PATIENT);
    const before = await threadsOf(gateway);
    const callers = Array.from({ length: 12 }, () => startCaller(gateway));
    strike();
    await until(() => gateway.stderr().includes('left standing'));
    for (const caller of callers) await caller.stop();
    await becomesTwoAgain(gateway, before);
    expect(callers.flatMap(({ seen }) => [...seen.answers.keys()]).every((status) => status === 200)).toBe(
      true,
    );
    gateway.signal('SIGTERM');
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
    expect(gateway.stderr()).not.toContain('CANARY');
  });
});

describe('workers that end, and are not to be replaced', () => {
  it('end the gateway after some tries, with 3 and an order', async (test) => {
    const { gateway, strike } = await startWithFault(test, 'barren');
    strike();
    await until(async () => (await call(`${gateway.metrics}/readyz`)).text.includes('no_workers'));
    expect(await gateway.ended).toEqual({ code: 3, signal: null });
    const lines = logLines(gateway);
    expect(lines.filter(({ msg }) => msg === 'a worker did not start').length).toBeGreaterThan(5);
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: 'draining', why: 'workers end again and again' }),
    );
    expect(lines.at(-1)).toMatchObject({ msg: 'ended', unanswered: 0 });
  });
});
