/** Which cards a status command is about: from its options, or from standard input. */
import { isJsonObject, parseStrictJson } from '../encoding/strict-json.ts';
import { readStdin } from './read-input.ts';
import type { InputStream } from './terminal.ts';

export interface Card {
  readonly iss: string;
  readonly jti: string;
}

export type Cards =
  | { readonly ok: true; readonly cards: readonly Card[] }
  | { readonly ok: false; readonly fault: string };

/** A thousand lines with the longest names a trust list admits stay below this. */
const MAX_STDIN_BYTES = 8 * 1024 * 1024;

/** `--iss` and `--jti`; or `--iss` and a jti a line; or a line `{"iss":…,"jti":…}` each. */
export async function readCards(
  stdin: InputStream,
  { iss, jti }: { readonly iss?: string; readonly jti?: string },
): Promise<Cards> {
  if (iss === '' || jti === '') return { ok: false, fault: '--iss and --jti must not be empty' };
  if (jti !== undefined) {
    if (iss === undefined) return { ok: false, fault: '--jti needs --iss' };
    return { ok: true, cards: [{ iss, jti }] };
  }
  const what =
    iss === undefined ? 'without --iss and --jti, lines {"iss":…,"jti":…}' : 'without --jti, a jti a line';
  const input = await readStdin(stdin, MAX_STDIN_BYTES, what);
  if (!input.ok) return input;
  const lines = input.bytes.toString('utf8').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) return { ok: false, fault: 'standard input names no card' };
  const cards: Card[] = [];
  for (const [index, line] of lines.entries()) {
    const card = iss === undefined ? parseCard(line) : line === '' ? undefined : { iss, jti: line };
    // The line is not quoted: it names a card.
    if (card === undefined) return { ok: false, fault: `standard input, line ${index + 1}: names no card` };
    cards.push(card);
  }
  return { ok: true, cards };
}

function parseCard(line: string): Card | undefined {
  const json = parseStrictJson(line);
  if (!json.ok || !isJsonObject(json.value) || Object.keys(json.value).length !== 2) return undefined;
  const { iss, jti } = json.value;
  if (typeof iss !== 'string' || iss === '' || typeof jti !== 'string' || jti === '') return undefined;
  return { iss, jti };
}
