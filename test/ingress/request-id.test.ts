import { expect, it } from 'vitest';
import { createRequestIds } from '../../src/ingress/request-id.ts';

it.each(['a', '7f9c-01', '!~', 'x'.repeat(128)])('echoes %j', (sent) => {
  expect(createRequestIds()(sent)).toBe(sent);
});

it.each([
  ['nothing', undefined],
  ['the empty text', ''],
  ['129 characters', 'x'.repeat(129)],
  ['a space', 'a b'],
  ['a tab', 'a\tb'],
  ['a line break, which would start a log line or a header', 'a\r\nset-cookie: x'],
  ['a line break at the end', 'a\n'],
  ['an escape of a terminal', '\u001b[31m'],
  ['a DEL', '\u007f'],
  ['a character beyond ASCII', 'é'],
])('makes one itself for %s', (_what, sent) => {
  expect(createRequestIds()(sent)).toMatch(/^[A-Za-z0-9_-]{12}-[0-9a-z]+$/);
});

it('never makes one twice, in one thread or in two', () => {
  const [one, two] = [createRequestIds(), createRequestIds()];
  const made = Array.from({ length: 1_000 }, () => [one(undefined), two(undefined)]).flat();
  expect(new Set(made).size).toBe(2_000);
});
