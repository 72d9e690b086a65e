/**
 * A second, slow reading of strict JSON, written from RFC 8259 alone: it shares no code and no idea with the
 * parser under test (no JSON.parse, no counting), so that both are wrong together only by chance.
 */

export type Read = { readonly ok: true; readonly value: unknown } | { readonly ok: false };

class Refused extends Error {}

export function readReferenceJson(text: string, maxDepth: number): Read {
  let at = 0;
  const refuse = (): never => {
    throw new Refused();
  };
  const take = (token: string): boolean => {
    if (!text.startsWith(token, at)) return false;
    at += token.length;
    return true;
  };
  const space = (): void => {
    while (at < text.length && ' \t\n\r'.includes(text.charAt(at))) at++;
  };
  /** From here to the next quote, backslash or control character. */
  const plainRun = (): string => {
    const from = at;
    while (at < text.length && !'"\\'.includes(text.charAt(at)) && text.charCodeAt(at) >= 0x20) at++;
    return text.slice(from, at);
  };
  const match = (pattern: RegExp): string | undefined => {
    const sticky = new RegExp(pattern.source, 'y');
    sticky.lastIndex = at;
    const found = sticky.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const string = (): string => {
    if (!take('"')) refuse();
    let content = '';
    while (!take('"')) {
      const plain = plainRun();
      if (plain !== '') {
        content += plain;
      } else if (take('\\')) {
        const short = match(/["\\/bfnrt]/);
        if (short !== undefined) content += ESCAPES[short];
        else {
          const hex = match(/u[0-9a-fA-F]{4}/) ?? refuse();
          content += String.fromCharCode(Number.parseInt(hex.slice(1), 16));
        }
      } else {
        refuse();
      }
    }
    return content;
  };
  /** `depth` containers are open already. */
  const value = (depth: number): unknown => {
    space();
    const found = take('{') ? object(depth + 1) : take('[') ? array(depth + 1) : scalar();
    space();
    return found;
  };
  const scalar = (): unknown => {
    if (text[at] === '"') return string();
    if (take('true')) return true;
    if (take('false')) return false;
    if (take('null')) return null;
    return Number(match(/-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/) ?? refuse());
  };
  const array = (depth: number): unknown[] => {
    if (depth > maxDepth) refuse();
    const elements: unknown[] = [];
    space();
    if (take(']')) return elements;
    do elements.push(value(depth));
    while (take(','));
    return take(']') ? elements : refuse();
  };
  const object = (depth: number): object => {
    if (depth > maxDepth) refuse();
    const members: [string, unknown][] = [];
    space();
    if (take('}')) return {};
    do {
      space();
      const name = string();
      if (members.some(([taken]) => taken === name)) refuse();
      space();
      if (!take(':')) refuse();
      members.push([name, value(depth)]);
    } while (take(','));
    // fromEntries defines members, so `__proto__` is one like any other.
    return take('}') ? Object.fromEntries(members) : refuse();
  };

  try {
    const read = value(0);
    return at === text.length ? { ok: true, value: read } : { ok: false };
  } catch (error) {
    if (error instanceof Refused) return { ok: false };
    throw error;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
