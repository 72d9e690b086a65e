/** A gateway's answer about one card, laid out for people. */
import type { VerifyAnswer } from '../client/gateway-client.ts';
import { isJsonObject, type JsonValue } from '../encoding/strict-json.ts';
import type { Reason, Verdict } from '../verdict.ts';
import { isoInstant } from './command.ts';
import { formatTable, type Paint } from './terminal.ts';
import { explain, WORDS } from './words/explain.ts';
import type { Language } from './words/language.ts';
import type { DetailWords } from './words/word-table.ts';

/** The verdict with its reason in words, what to do at the counter, and below what the answer says besides. */
export function verdictLines(answer: VerifyAnswer, language: Language, paint: Paint): string[] {
  const details = formatTable(detailRows(answer, WORDS[language].details)).map((line) => paint('dim', line));
  return [...findingLines(answer, language, paint), ...details];
}

/** Two lines: the verdict and why, and what to do at the counter. */
export function findingLines(
  { verdict, reason }: { readonly verdict: Verdict; readonly reason: Reason },
  language: Language,
  paint: Paint,
): string[] {
  const words = explain(reason, language);
  const [mark, colour] = verdict === 'valid' ? ['✓', 'green' as const] : ['✗', 'red' as const];
  const head = paint(colour, `${mark} ${words.verdict}`);
  return [`${head} (${reason})${WORDS[language].colon}${words.finding}`, words.counter];
}

function detailRows({ verdict, document }: VerifyAnswer, words: DetailWords): string[][] {
  const { credential, key, revocation, replay } = document;
  const verified = Array.isArray(document.verified) ? document.verified : [];
  const rows: string[][] = [];
  // The issuer's name and the expiry are only worth showing once its signature holds.
  if (verified.includes('issuer')) {
    if (isJsonObject(credential)) {
      rows.push([words.issuer, text(credential.iss)]);
      if (typeof credential.exp === 'number') rows.push([words.expires, isoInstant(credential.exp)]);
    }
    if (isJsonObject(key)) rows.push([words.key, words.keyOf(text(key.kid), text(key.set))]);
  }
  if (verified.includes('holder')) rows.push([words.holder, words.holderPresent]);
  // A card may be valid without its holder: whoever bills by it should know.
  else if (verdict === 'valid') rows.push([words.holder, words.holderNotChecked]);
  if (isJsonObject(revocation)) {
    const { ageMs } = revocation;
    const state = words.states[text(revocation.state)] ?? text(revocation.state);
    rows.push([words.revocation, typeof ageMs === 'number' ? words.age(state, ageMs) : words.never(state)]);
  }
  if (replay === 'local') rows.push([words.replay, words.replayLocal]);
  return rows;
}

/** A value on one line, without control characters: what a credential says must not steer a terminal. */
function text(value: JsonValue | undefined): string {
  return String(value ?? '-').replace(/\p{C}/gu, '\ufffd');
}
