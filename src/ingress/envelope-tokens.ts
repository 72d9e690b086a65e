/** The tokens of a batch's envelope: what may stand where, and what was read, in the fewest words that say it. */

export type Place =
  | 'start'
  | 'name'
  | 'colon'
  | 'array'
  | 'behindBracket'
  | 'behindComma'
  | 'behindItem'
  | 'itemName'
  | 'itemColon'
  | 'itemValue'
  | 'itemEnd'
  | 'itemComma'
  | 'behindArray'
  | 'end';

export type Member = 'credential' | 'holderProof';
export const MEMBERS: readonly string[] = ['credential', 'holderProof'] satisfies Member[];

/** What may stand at a place, by its first character, and the place behind it. */
export const TOKENS: Readonly<Record<Place, Readonly<Record<string, Place>>>> = {
  start: { '{': 'name' },
  name: { '"': 'colon' },
  colon: { ':': 'array' },
  array: { '[': 'behindBracket' },
  behindBracket: { '"': 'behindItem', '{': 'itemName', ']': 'behindArray' },
  behindComma: { '"': 'behindItem', '{': 'itemName' },
  behindItem: { ',': 'behindComma', ']': 'behindArray' },
  itemName: { '"': 'itemColon' },
  itemColon: { ':': 'itemValue' },
  itemValue: { '"': 'itemEnd' },
  itemEnd: { ',': 'itemComma', '}': 'behindItem' },
  itemComma: { '"': 'itemColon' },
  behindArray: { '}': 'end' },
  end: {},
};

/** What a strict parser is given in place of all that was read: one empty credential stands for all items. */
const READ: Readonly<Record<Place, string>> = {
  start: '',
  name: '{',
  colon: '{"credentials"',
  array: '{"credentials":',
  behindBracket: '{"credentials":[',
  behindComma: '{"credentials":["",',
  behindItem: '{"credentials":[""',
  itemName: '{"credentials":["",{',
  itemColon: '{"credentials":["",{',
  itemValue: '{"credentials":["",{',
  itemEnd: '{"credentials":["",{',
  itemComma: '{"credentials":["",{',
  behindArray: '{"credentials":[""]',
  end: '{"credentials":[""]}',
};

/** The same where a place is within an item: `members` that it has so far, and the name `named` behind them. */
export function readText(place: Place, members: readonly Member[], named: Member | undefined): string {
  const whole = members.map((member) => `"${member}":""`);
  switch (place) {
    case 'itemComma':
      return `${READ[place]}${whole.join(',')},`;
    case 'itemColon':
      return `${READ[place]}${[...whole, `"${named}"`].join(',')}`;
    case 'itemValue':
      return `${READ[place]}${[...whole, `"${named}":`].join(',')}`;
    default:
      return READ[place] + whole.join(',');
  }
}
