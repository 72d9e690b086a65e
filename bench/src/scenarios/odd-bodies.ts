/** Bodies that hold no card at all: refused for their form, each with one status and one type of problem. */
import type { Item } from './plan.ts';

const KIB = 1024;

/** As JSON, unless told otherwise. */
const odd = (kind: string, body: string): Item => ({
  kind,
  body,
  expected: { status: 400, problem: 'bad-envelope' },
});

const deep = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;

export const ODD_BODIES: readonly Item[] = [
  odd('no JSON', 'credential=abc'),
  odd('blanks', ' '),
  odd('an array', '["abc"]'),
  odd('no credential', '{}'),
  odd('a number for a credential', '{"credential":7}'),
  odd('an array for a credential', '{"credential":["abc"]}'),
  odd('an unknown member', '{"credential":"abc","verdict":"valid"}'),
  odd('a name twice', '{"credential":"abc","credential":"abc"}'),
  odd('a name twice, once escaped', '{"credential":"abc","\\u0063redential":"abc"}'),
  odd('an unknown channel', '{"credential":"abc","channel":"fax"}'),
  odd('depth', `{"credential":"abc","nonce":${deep(5_000)}}`),
  odd('a byte order mark', '\ufeff{"credential":"abc"}'),
  odd('cut off', '{"credential":"abc"'),
  odd('prototype', '{"__proto__":{"credential":"abc"}}'),
  {
    kind: 'another content type',
    body: '<credential/>',
    contentType: 'application/xml',
    expected: { status: 415, problem: 'unsupported-media-type' },
  },
  {
    kind: 'too large a body',
    body: `{"credential":"${'a'.repeat(64 * KIB)}"}`,
    expected: { status: 413, problem: 'body-too-large' },
  },
];
