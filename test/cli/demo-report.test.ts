/** What the demo says when an answer at the counter is not the expected one. */
import { describe, expect, it } from 'vitest';
import { COUNTER_WORDS } from '../../src/cli/demo/counter-words.ts';
import { describeReport, makeReport } from '../../src/cli/demo/report.ts';
import { LANGUAGES } from '../../src/cli/words/language.ts';

const NOTHING = { said: [], callMs: new Float64Array(1), elapsedMs: 1 };
const paint = (_colour: unknown, text: string) => text;

function reportOf(said: string) {
  const revocation = { before: 'ok', after: 'revoked', tookMs: 1 };
  const counter = [{ step: 'photographed', expected: 'replayed', said }] as const;
  return makeReport([], NOTHING, NOTHING, { revocation, counter });
}
const linesOf = (said: string, language: 'en' | 'fr') =>
  describeReport(reportOf(said), { batchSize: 1_000, language, paint });

describe('the story at the counter', () => {
  it('is part of whether the demo went well', () => {
    expect(reportOf('replayed').ok).toBe(true);
    expect(reportOf('ok').ok).toBe(false);
    expect(linesOf('ok', 'en').at(-1)).toContain('1 at the counter');
  });

  it('shows what was answered, and what should have been', () => {
    const lines = linesOf('ok', 'fr');
    const at = lines.indexOf("Quelqu'un montre une photo de cet écran.");
    expect(lines.slice(at + 1, at + 4)).toEqual([
      expect.stringMatching(/^ {2}✓ valide \(ok\)/),
      expect.stringMatching(/^ {2}Au comptoir/),
      '  ✗ attendu replayed',
    ]);
    // A call that ended without a verdict is told as it ended.
    expect(linesOf('unavailable', 'en')).toContain('  unavailable');
    expect(linesOf('replayed', 'en').join('\n')).not.toContain('expected replayed');
  });

  it('has other words for each step, in each language', () => {
    for (const language of LANGUAGES) {
      const said = Object.values(COUNTER_WORDS[language].steps);
      expect(new Set(said).size).toBe(said.length);
      for (const text of said) expect(text).toMatch(/^\p{Lu}.*\.$/u);
    }
    const english = new Set(Object.values(COUNTER_WORDS.en.steps));
    expect(Object.values(COUNTER_WORDS.fr.steps).filter((text) => english.has(text))).toEqual([]);
  });
});
