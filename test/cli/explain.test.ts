/** `vigie explain` as a process: every reason in words, in the language of whoever asks. */
import { describe, expect, it } from 'vitest';
import { LANGUAGES } from '../../src/cli/words/language.ts';
import { REASONS } from '../../src/verdict.ts';
import { runVigie } from './run-vigie.ts';

describe('explain', () => {
  it.each(LANGUAGES)('names all 21 reasons in %s, each with its code, verdict and action', async (lang) => {
    const { code, stdout, stderr } = await runVigie(['explain', '--lang', lang, '--json']);
    expect([code, stderr]).toEqual([0, '']);
    const { language, reasons } = JSON.parse(stdout);
    expect([language, reasons.length]).toEqual([lang, 21]);
    for (const [index, row] of REASONS.entries()) {
      expect(reasons[index]).toMatchObject(row);
      expect(reasons[index].finding).toMatch(/\S\.$/);
      expect(reasons[index].counter).toMatch(/^(At the counter|Au comptoir\u00a0): \S/);
    }
  });

  it('takes a reason by its name, or by its code in byte answers', async () => {
    const env = { LANG: 'fr_FR.UTF-8' };
    const byName = await runVigie(['explain', 'expired'], { env });
    expect(byName).toEqual({
      code: 0,
      stderr: '',
      stdout:
        '✗ non valide (expired)\u00a0: La carte a expiré.\n  Au comptoir\u00a0: ' +
        "demander à l'assuré d'actualiser l'application, puis scanner de nouveau la carte.\n",
    });
    expect(await runVigie(['explain', '9'], { env })).toEqual(byName);
  });

  it('is English where the environment has no language, and lays all out in blocks', async () => {
    const { stdout } = await runVigie(['explain']);
    expect(stdout.split('\n\n')).toHaveLength(REASONS.length);
    expect(stdout).toMatch(
      /^✓ valid \(ok\): The card is genuine, .*\n {2}At the counter: bill as usual\.\n\n/,
    );
  });
});
