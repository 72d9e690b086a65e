/** What CI makes of npm's answers about signatures and advisories; the answers are in npm's own forms. */
import { describe, expect, it } from 'vitest';
import { judgeAdvisories, judgeSignatures } from '../support/audit-packages.mjs';

const said = (answer: unknown, status: number | null = 0) => ({ status, stdout: JSON.stringify(answer) });

describe('signatures', () => {
  it('that are bad fail, whatever else is said', () => {
    const bad = { code: 'EINTEGRITYSIGNATURE', name: 'zod', version: '4.6.7', message: 'invalid signature' };
    const judged = judgeSignatures(said({ invalid: [bad], missing: [{ name: 'a', version: '1.0.0' }] }, 1));
    expect(judged).toEqual({ failed: true, line: 'signatures: BAD: zod@4.6.7' });
  });

  it('that are all good, or all that are there', () => {
    expect(judgeSignatures(said({ invalid: [], missing: [] }))).toMatchObject({ failed: false });
    const missing = [{ name: 'a', version: '1.0.0' }];
    expect(judgeSignatures(said({ invalid: [], missing }, 1))).toEqual({
      failed: false,
      line: 'signatures: 1 packages have none here',
    });
  });

  it.each([
    ['ENOTFOUND', { error: { code: 'ENOTFOUND', summary: 'x' } }],
    ['ENOAUDIT', { error: { code: 'ENOAUDIT' } }],
    ['the registry does not answer', undefined],
  ])('that could not be asked for (%s) are told, and fail nothing', (why, answer) => {
    const judged = judgeSignatures({
      status: null,
      stdout: answer === undefined ? '' : JSON.stringify(answer),
    });
    expect(judged).toEqual({ failed: false, line: `signatures: not checked (${why})` });
  });

  it('of which npm says nothing bad and yet fails are a failure', () => {
    expect(judgeSignatures(said({ invalid: [], missing: [] }, 1))).toMatchObject({ failed: true });
  });
});

describe('advisories', () => {
  it('are named with how grave they are; that there are none, or no answer, is said too', () => {
    const found = {
      vulnerabilities: { ioredis: { severity: 'high' } },
      metadata: { vulnerabilities: { high: 1, total: 1 } },
    };
    expect(judgeAdvisories(said(found, 1))).toBe('advisories: LOOK AT ioredis (high)');
    const none = { vulnerabilities: {}, metadata: { vulnerabilities: { total: 0 } } };
    expect(judgeAdvisories(said(none))).toBe('advisories: none for what production installs');
    const refused = { message: '405 Method Not Allowed', statusCode: 405 };
    expect(judgeAdvisories(said(refused, 1))).toBe('advisories: not asked (405)');
  });
});
