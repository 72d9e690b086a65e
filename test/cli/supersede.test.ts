/** What `vigie status supersede` asks of a gateway, and how it ends; what the gateway does has its own tests. */
import { describe, expect, it } from 'vitest';
import { type Scripted, startStub } from '../client/stub-server.ts';
import { runVigie } from './run-vigie.ts';

const BEFORE = ['--issued-before', '2026-11-26T08:00:00Z'];
const BEFORE_SECONDS = Date.UTC(2026, 10, 26, 8) / 1000;
const DONE: Scripted = { status: 200, body: '{"seq":813}' };

async function supersede(args: readonly string[], stdin = '', script: Scripted = DONE) {
  const stub = await startStub(script);
  try {
    const ran = await runVigie(['status', 'supersede', '--url', stub.url, ...args], { stdin });
    return { ran, asked: stub.asked.map(({ path, body }) => ({ path, body: JSON.parse(body) })) };
  } finally {
    await stub.close();
  }
}

describe('status supersede', () => {
  it('names issuer, holder and instant, and says what holds from now on', async () => {
    const { ran, asked } = await supersede(['--iss', 'i', '--sub', 's', ...BEFORE]);
    const changes = [{ iss: 'i', sub: 's', issuedBefore: BEFORE_SECONDS }];
    expect(asked).toEqual([{ path: '/admin/v1/status-changes', body: { changes } }]);
    expect(ran).toEqual({
      code: 0,
      stderr: '',
      stdout:
        'All credentials of the holder issued before 2026-11-26T08:00:00.000Z are now revoked (sequence 813).\n',
    });
  });

  it('takes seconds, an expiry and a token, and answers in one document', async () => {
    const args = ['--iss', 'i', '--sub', 's', '--issued-before', '1795000000', '--expires-at', '1800000000'];
    const { ran, asked } = await supersede([...args, '--confirm', 'token-1', '--json']);
    const changes = [{ iss: 'i', sub: 's', issuedBefore: 1_795_000_000, expiresAt: 1_800_000_000 }];
    expect(asked[0]?.body).toEqual({ changes, confirm: 'token-1' });
    expect(JSON.parse(ran.stdout)).toEqual({ issuedBefore: 1_795_000_000, changed: 1, seq: 813 });
  });

  it('takes holders from standard input, where no process list shows them', async () => {
    const named = await supersede(['--iss', 'i', ...BEFORE], 'one\r\ntwo\n');
    const lines = await supersede(BEFORE, '{"iss":"i","sub":"one"}\n{"iss":"i","sub":"two"}\n');
    const changes = ['one', 'two'].map((sub) => ({ iss: 'i', sub, issuedBefore: BEFORE_SECONDS }));
    for (const { ran, asked } of [named, lines]) {
      expect(asked[0]?.body).toEqual({ changes });
      expect(ran.stdout).toContain('All credentials of 2 holders issued before ');
    }
    const broken = await supersede(BEFORE, '{"iss":"i","jti":"one"}\n');
    expect(broken.asked).toEqual([]);
    expect(broken.ran).toEqual({
      code: 2,
      stdout: '',
      stderr: 'vigie: standard input, line 1: names no card\n',
    });
  });

  it('asks for a thousand in a call at most', async () => {
    const { ran, asked } = await supersede(['--iss', 'i', ...BEFORE], 'one\n'.repeat(1_001));
    expect([ran.code, asked]).toEqual([2, []]);
    expect(ran.stderr).toBe('vigie: at most 1000 at once; status import takes any number of cards by jti\n');
  });

  it('tells a hold with its token, and a refusal in the gateway’s words', async () => {
    const held = { type: 'mass-change-held', title: 'Held', token: 'token-1' };
    const card = ['--iss', 'i', '--sub', 's', ...BEFORE];
    const stopped = await supersede(card, '', { status: 409, body: JSON.stringify(held) });
    expect(stopped.ran.code).toBe(1);
    expect(stopped.ran.stderr).toMatch(/^vigie: held, nothing was applied: .* --confirm token-1\n$/);
    const refusal = { type: 'bad-envelope', title: 'Bad', detail: 'no such change' };
    const refused = await supersede(card, '', { status: 400, body: JSON.stringify(refusal) });
    expect(refused.ran).toEqual({ code: 1, stdout: '', stderr: 'vigie: refused (400): no such change\n' });
  });

  it.each([
    ['no instant', ['--iss', 'i', '--sub', 's'], /required option '--issued-before <time>' not specified\n$/],
    ['no issuer', ['--sub', 's', ...BEFORE], /^vigie: --sub needs --iss\n$/],
    ['an empty holder', ['--iss', 'i', '--sub', '', ...BEFORE], /must not be empty\n$/],
    [
      'milliseconds',
      ['--iss', 'i', '--sub', 's', '--issued-before', '1795000000000'],
      /seconds since the epoch/,
    ],
    [
      'an instant to come',
      ['--iss', 'i', '--sub', 's', '--issued-before', '2999-01-01'],
      /--issued-before lies in the future: /,
    ],
    ['a day that is none', ['--iss', 'i', '--issued-before', '2027-02-31'], /seconds since the epoch/],
  ])('given %s asks nobody', async (_what, args, message) => {
    const { ran, asked } = await supersede(args);
    expect([ran.code, ran.stdout, asked]).toEqual([2, '', []]);
    expect(ran.stderr).toMatch(message);
  });
});

describe('status show of a holder', () => {
  const since = '2026-11-26T08:00:01.000Z';
  const superseded = { status: 'superseded', since, why: 'superseded', issuedBefore: BEFORE_SECONDS };

  async function show(args: readonly string[], document: object, stdin = '') {
    const stub = await startStub({ status: 200, body: JSON.stringify(document) });
    try {
      const ran = await runVigie(['status', 'show', '--url', stub.url, ...args], { stdin });
      return { ran, asked: stub.asked.map(({ path, body }) => ({ path, body: JSON.parse(body) })) };
    } finally {
      await stub.close();
    }
  }

  it('asks by --sub, or by a line of standard input', async () => {
    const shows = [
      await show(['--iss', 'i', '--sub', 's'], superseded),
      await show(['--holder'], superseded, '{"iss":"i","sub":"s"}\n'),
      await show(['--holder', '--iss', 'i'], superseded, 's\n'),
    ];
    for (const { ran, asked } of shows) {
      expect(asked).toEqual([{ path: '/admin/v1/status-query', body: { iss: 'i', sub: 's' } }]);
      expect(ran).toEqual({
        code: 0,
        stderr: '',
        stdout:
          'Credentials of the holder issued before 2026-11-26T08:00:00.000Z are revoked, ' +
          `since ${since}, why: superseded.\n`,
      });
    }
  });

  it('gives the answer whole with --json, and says that nothing is superseded', async () => {
    const { ran } = await show(['--iss', 'i', '--sub', 's', '--json'], superseded);
    expect(JSON.parse(ran.stdout)).toEqual(superseded);
    const none = await show(['--iss', 'i', '--sub', 's'], { status: 'active' });
    expect(none.ran.stdout).toBe('No credentials of the holder are superseded.\n');
  });

  it('takes an answer of another shape for none, and asks for one thing at a time', async () => {
    const other = await show(['--iss', 'i', '--sub', 's'], { status: 'superseded' });
    expect(other.ran.code).toBe(3);
    const both = await show(['--iss', 'i', '--sub', 's', '--jti', 'j'], superseded);
    expect([both.ran.code, both.ran.stderr, both.asked]).toEqual([2, 'vigie: --jti names no holder\n', []]);
  });
});
