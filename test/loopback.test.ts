import { expect, it } from 'vitest';
import { isLoopback } from '../src/loopback.ts';

it.each([
  ['127.0.0.1', true],
  ['127.255.255.254', true],
  ['localhost', true],
  ['::1', true],
  ['[::1]', true],
  ['0.0.0.0', false],
  ['::', false],
  ['', false],
  ['128.0.0.1', false],
  ['1127.0.0.1', false],
  ['127.0.0.1.evil.example', false],
  ['localhost.evil.example', false],
  ['127.0.0.1 ', false],
  ['127.1', false],
])('the address %j is loopback: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});
