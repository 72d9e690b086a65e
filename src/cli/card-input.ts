/** Which cards a command means: one named by options, or several on standard input, which no process list shows. */
import { isJsonObject, parseStrictJson } from '../encoding/strict-json.ts';
import { readStdin } from './read-input.ts';
import type { InputStream } from './terminal.ts';

/** By which claim of its credentials a card is named: one credential's id, or the holder of all of them. */
export type CardMember = 'jti' | 'sub';

export interface Card {
  readonly iss: string;
  /** The value of the member by which it is named. */
  readonly id: string;
}

export type Cards =
  | { readonly ok: true; readonly cards: readonly Card[] }
  | { readonly ok: false; readonly fault: string };

/** A thousand lines with the longest names a trust list admits stay below this. */
const MAX_STDIN_BYTES = 8 * 1024 * 1024;

/** `--iss` and `--jti` (or `--sub`); or `--iss` and a jti a line; or a line `{"iss":…,"jti":…}` each. */
export async function readCards(
  stdin: InputStream,
  member: CardMember,
  { iss, id }: { readonly iss?: string | undefined; readonly id?: string | undefined },
): Promise<Cards> {
  if (iss === '' || id === '') return { ok: false, fault: `--iss and --${member} must not be empty` };
  if (id !== undefined) {
    if (iss === undefined) return { ok: false, fault: `--${member} needs --iss` };
    return { ok: true, cards: [{ iss, id }] };
  }
  const what =
    iss === undefined
      ? `without --iss and --${member}, lines {"iss":…,"${member}":…}`
      : `without --${member}, a ${member} a line`;
  const input = await readStdin(stdin, MAX_STDIN_BYTES, what);
  if (!input.ok) return input;
  const lines = input.bytes.toString('utf8').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) return { ok: false, fault: 'standard input names no card' };
  const cards: Card[] = [];
  for (const [index, line] of lines.entries()) {
    const card = iss === undefined ? parseCard(line, member) : line === '' ? undefined : { iss, id: line };
    // The line is not quoted: it names a card.
    if (card === undefined) return { ok: false, fault: `standard input, line ${index + 1}: names no card` };
    cards.push(card);
  }
  return { ok: true, cards };
}

function parseCard(line: string, member: CardMember): Card | undefined {
  const json = parseStrictJson(line);
  if (!json.ok || !isJsonObject(json.value) || Object.keys(json.value).length !== 2) return undefined;
  const { iss, [member]: id } = json.value;
  if (typeof iss !== 'string' || iss === '' || typeof id !== 'string' || id === '') return undefined;
  return { iss, id };
}
