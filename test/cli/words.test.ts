/** The words for verdicts, in each language, and which language is spoken. */
import { describe, expect, it } from 'vitest';
import type { Paint } from '../../src/cli/terminal.ts';
import { findingLines, verdictLines } from '../../src/cli/verdict-lines.ts';
import { explain, WORDS } from '../../src/cli/words/explain.ts';
import { LANGUAGES, languageOf } from '../../src/cli/words/language.ts';
import type { VerifyAnswer } from '../../src/client/gateway-client.ts';
import type { JsonObject } from '../../src/encoding/strict-json.ts';
import { REASONS, type Reason } from '../../src/verdict.ts';

const sorted = (names: Iterable<string>) => [...new Set(names)].sort();
const plain: Paint = (_colour, text) => text;

describe.each(LANGUAGES)('the words in %s', (language) => {
  const words = WORDS[language];

  it('are there for every verdict, reason and action, and for nothing else', () => {
    expect(sorted(Object.keys(words.verdicts))).toEqual(sorted(REASONS.map(({ verdict }) => verdict)));
    expect(sorted(Object.keys(words.reasons))).toEqual(sorted(REASONS.map(({ reason }) => reason)));
    expect(sorted(Object.keys(words.actions))).toEqual(sorted(REASONS.map(({ action }) => action)));
    expect(sorted(Object.keys(words.details.states))).toEqual(['expired', 'fresh', 'stale']);
  });

  it('say something different for each', () => {
    for (const table of [words.verdicts, words.reasons, words.actions]) {
      const said = Object.values(table);
      expect(new Set(said).size).toBe(said.length);
    }
  });

  it('are whole sentences, without stray space', () => {
    const texts = [...Object.values(words.reasons), ...Object.values(words.actions)];
    for (const text of texts) expect(text).toMatch(/^\S(?!.*\s{2}).*[^\s.]\.$/u);
    for (const finding of Object.values(words.reasons)) expect(finding).toMatch(/^\p{Lu}/u);
    for (const action of Object.values(words.actions)) expect(action).toMatch(/^\p{Ll}/u);
  });
});

describe('the words in French', () => {
  const french = WORDS.fr;
  const all = [
    ...[french.verdicts, french.reasons, french.actions, french.details.states].flatMap((table) =>
      Object.values(table),
    ),
    french.details.holderPresent,
    french.details.holderNotChecked,
    french.details.replayLocal,
  ];

  it('are none of the English ones', () => {
    const english = new Set([...Object.values(WORDS.en.reasons), ...Object.values(WORDS.en.actions)]);
    expect(all.filter((text) => english.has(text))).toEqual([]);
  });

  it('say what to do in the infinitive, and speak to nobody as « tu »', () => {
    for (const action of Object.values(french.actions)) {
      expect(action).toMatch(/^(ne pas )?\p{Ll}+(er|ir|re)\b/u);
    }
    for (const text of all) expect(text).not.toMatch(/\b(tu|toi|ton|ta|tes|vos|votre)\b/iu);
  });

  it('set a colon off by a space that does not break', () => {
    expect(explain('ok', 'fr').counter).toBe("Au comptoir\u00a0: facturer comme d'habitude.");
    for (const text of all) expect(text).not.toMatch(/[:;!?]/);
  });
});

describe('a reason explained', () => {
  it('is its finding, and its own action at the counter', () => {
    expect(explain('suspended', 'en')).toEqual({
      verdict: 'suspended',
      finding: 'The card is suspended.',
      counter: 'At the counter: ask for the physical card.',
    });
    expect(explain('suspended', 'fr')).toEqual({
      verdict: 'suspendue',
      finding: 'La carte est suspendue.',
      counter: 'Au comptoir\u00a0: demander la carte physique.',
    });
  });

  it('names the reason as the wire does, in any language', () => {
    for (const language of LANGUAGES) {
      for (const row of REASONS) expect(findingLines(row, language, plain)[0]).toContain(`(${row.reason})`);
    }
  });
});

describe('an answer laid out', () => {
  const answer = (reason: Reason, more: JsonObject): VerifyAnswer => {
    const row = REASONS.find((known) => known.reason === reason) as (typeof REASONS)[number];
    const revocation = { state: 'fresh', seq: 1, ageMs: 12 };
    return { ...row, document: { credential: { iss: 'https://i.invalid' }, revocation, ...more } };
  };
  const linesOf = (language: 'en' | 'fr', reason: Reason, more: JsonObject) =>
    verdictLines(answer(reason, more), language, plain);

  it('says whether the holder was there', () => {
    expect(linesOf('en', 'ok', { verified: ['issuer', 'holder'] })).toContain(
      'holder      present, as the phone proved',
    );
    expect(linesOf('en', 'ok', { verified: ['issuer'] })).toContain('holder      presence not checked');
    expect(linesOf('fr', 'ok', { verified: ['issuer', 'holder'] })).toContain(
      'assuré       présence prouvée par le téléphone',
    );
    expect(linesOf('en', 'expired', { verified: ['issuer'] }).join('\n')).not.toContain('presence');
  });

  it('says when the proof was looked for at one gateway alone', () => {
    const verified = ['issuer', 'holder'];
    expect(linesOf('en', 'ok', { verified, replay: 'local' }).at(-1)).toMatch(/^replay .*this gateway alone/);
    expect(linesOf('fr', 'ok', { verified, replay: 'local' }).at(-1)).toMatch(/^réutilisation .*seulement/);
    expect(linesOf('en', 'ok', { verified }).at(-1)).toMatch(/^revocation {2}fresh, 12 ms old$/);
  });

  it('names the age of what is known of revocations, or that nothing was ever confirmed', () => {
    const revocation = { state: 'expired', seq: 0, ageMs: null };
    expect(linesOf('en', 'revocation_stale', { revocation }).at(-1)).toBe(
      'revocation  expired, never confirmed',
    );
    expect(linesOf('fr', 'revocation_stale', { revocation }).at(-1)).toBe(
      'révocations  périmées, jamais confirmées',
    );
    expect(linesOf('fr', 'expired', {}).at(-1)).toBe('révocations  à jour, relevées il y a 12 ms');
  });

  it('shows nothing of a card whose signature does not hold, and no control characters of any', () => {
    expect(linesOf('en', 'bad_signature', { verified: [] }).join('\n')).not.toContain('i.invalid');
    const steering = linesOf('en', 'ok', { verified: ['issuer'], credential: { iss: '\u001b[2Jx' } });
    expect(steering.join('\n')).not.toContain('\u001b');
  });
});

describe('the language', () => {
  it.each([
    [{}, 'en'],
    [{ LANG: 'fr_FR.UTF-8' }, 'fr'],
    [{ LANG: 'fr' }, 'fr'],
    [{ LANG: 'fr_CA@euro' }, 'fr'],
    [{ LANG: 'FR_fr' }, 'fr'],
    [{ LANG: 'frp_FR.UTF-8' }, 'en'],
    [{ LANG: 'C.UTF-8' }, 'en'],
    [{ LANG: 'de_DE.UTF-8' }, 'en'],
    [{ LANG: 'fr_FR.UTF-8', LC_MESSAGES: 'en_GB.UTF-8' }, 'en'],
    [{ LANG: 'en_GB.UTF-8', LC_MESSAGES: 'fr_FR.UTF-8' }, 'fr'],
    [{ LC_ALL: 'C', LC_MESSAGES: 'fr_FR.UTF-8', LANG: 'fr_FR.UTF-8' }, 'en'],
    [{ LC_ALL: 'fr_FR.UTF-8', LC_MESSAGES: 'C', LANG: 'C' }, 'fr'],
    [{ LC_ALL: '', LC_MESSAGES: '', LANG: 'fr_FR.UTF-8' }, 'fr'],
  ])('of %j is %s', (environment, language) => {
    expect(languageOf({}, environment)).toBe(language);
  });

  it('is the one asked for, whatever the environment says', () => {
    expect(languageOf({ lang: 'en' }, { LC_ALL: 'fr_FR.UTF-8' })).toBe('en');
    expect(languageOf({ lang: 'fr' }, { LC_ALL: 'C' })).toBe('fr');
  });
});
