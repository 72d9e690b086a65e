import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runVigie, startGateway, VIGIE } from '../run-vigie.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vigie-test-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('vigie demo', () => {
  it('gets every answer right, singly and in batches, and leaves nothing behind', async () => {
    // An operator's settings must not bend it.
    const env = { TMPDIR: directory, VIGIE_PORT: '1', VIGIE_ENGINE: 'magic' };
    const { code, stdout, stderr } = await runVigie(['demo', '--count', '200', '--json'], { env });
    expect(stderr).toBe('');
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      ok: true,
      count: 200,
      wrongSingly: 0,
      wrongInBatches: 0,
      disagreements: 0,
      revocation: { before: 'ok', after: 'revoked' },
    });
    expect(report.counter).toEqual([
      { step: 'shown', expected: 'ok', said: 'ok' },
      { step: 'photographed', expected: 'replayed', said: 'replayed' },
      { step: 'elsewhere', expected: 'holder_proof_invalid', said: 'holder_proof_invalid' },
      { step: 'copied', expected: 'holder_proof_missing', said: 'holder_proof_missing' },
      { step: 'rights_ended', expected: 'rights_not_open', said: 'rights_not_open' },
      { step: 'superseded', expected: 'revoked', said: 'revoked' },
      { step: 'renewed', expected: 'ok', said: 'ok' },
    ]);
    expect(report.reasons).toHaveLength(17);
    for (const { expected, singly, inBatches } of report.reasons) {
      expect([singly, inBatches]).toEqual([expected, expected]);
    }
    expect(code).toBe(0);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('shows a table, without colour or progress where there is no terminal', async () => {
    const { code, stdout, stderr } = await runVigie(['demo', '--count', '100'], {
      env: { TMPDIR: directory },
    });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('100 synthetic credentials');
    expect(stdout).toMatch(/^revoked +revoked +10 +10 +10 +✓ +The card is revoked, or /m);
    expect(stdout).toContain(
      'Somebody shows a photograph of that screen.\n  ✗ invalid (replayed): This showing of the card was used before.',
    );
    expect(stdout).toMatch(/✓ every answer was the expected one, the same alone and in a batch\n$/);
    expect(stdout).not.toContain('\u001b');
  });

  it('tells what happens at the counter in French', async () => {
    const env = { TMPDIR: directory, LANG: 'fr_FR.UTF-8' };
    const { code, stdout } = await runVigie(['demo', '--count', '1'], { env });
    expect(code).toBe(0);
    expect(stdout).toContain(
      "Quelqu'un montre une photo de cet écran.\n  ✗ non valide (replayed)\u00a0: Cette présentation de la carte a " +
        "déjà servi. Il s'agit peut-être d'une photo de l'écran.\n  Au comptoir\u00a0: scanner de nouveau la carte.\n",
    );
  });

  it('interrupted, ends by that signal with its gateway and files gone', async () => {
    const child = spawn(process.execPath, [VIGIE, 'demo', '--count', '200000'], {
      env: { ...process.env, TMPDIR: directory },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = new Promise<NodeJS.Signals | null>((resolve) => {
      child.once('close', (_code, signal) => resolve(signal));
    });
    await new Promise((resolve) => {
      child.stdout.once('data', resolve);
    });
    child.kill('SIGINT');
    expect(await ended).toBe('SIGINT');
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('vigie serve without a trust list', () => {
  it('prints a call that works, with the demo issuer marked as such', async () => {
    const gateway = await startGateway(['--data-dir', join(directory, 'data'), '--workers', '1']);
    try {
      const said = gateway.stdout.join('\n');
      expect(said).toContain('DEMO');
      const credential = /[\w-]{20,}\.[\w-]{20,}\.[\w-]{86}/.exec(said)?.[0] ?? '';
      const { code, stdout } = await runVigie(['verify', '--json', '--url', gateway.dataUrl], {
        stdin: credential,
      });
      expect(code).toBe(0);
      expect(JSON.parse(stdout).credential.claims).toMatchObject({ test: true });
    } finally {
      expect(await gateway.stop()).toBe(0);
    }
  });
});
