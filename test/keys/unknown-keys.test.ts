import { expect, test } from 'vitest';
import { createUnknownKeys, MAX_UNKNOWN_KEYS, UNKNOWN_KEY_TTL_MS } from '../../src/keys/unknown-keys.ts';

function unknownKeys(minIntervalMs = 30_000) {
  const at = { ms: 1_000 };
  const clock = { wallMs: () => 0, monotonicMs: () => at.ms };
  return { at, keys: createUnknownKeys(clock, minIntervalMs) };
}

test('all callers together cause one refresh in an interval', () => {
  const { at, keys } = unknownKeys();
  expect(keys.worthRefresh('i', 'a', 0)).toBe(true);
  for (let i = 0; i < 1000; i++) expect(keys.worthRefresh(`i${i}`, `${i}`, 0)).toBe(false);
  at.ms += 29_999;
  expect(keys.worthRefresh('i', 'b', 0)).toBe(false);
  at.ms += 1;
  expect(keys.worthRefresh('i', 'b', 0)).toBe(true);
  expect(keys.worthRefresh('i', 'c', 0)).toBe(false);
});

test('an id that a refresh has answered causes none until it is forgotten', () => {
  const { at, keys } = unknownKeys();
  const firstSeen = at.ms;
  expect(keys.worthRefresh('i', 'a', 0)).toBe(true);
  at.ms += 60_000;
  // The refresh that began at the instant it was seen has confirmed the list: the source has no such key.
  expect(keys.worthRefresh('i', 'a', firstSeen)).toBe(false);
  at.ms = firstSeen + UNKNOWN_KEY_TTL_MS - 1;
  expect(keys.worthRefresh('i', 'a', firstSeen)).toBe(false);
  at.ms += 1;
  expect(keys.worthRefresh('i', 'a', firstSeen)).toBe(true);
});

test('an id that no refresh has answered may ask again: the storm that held it back proves nothing', () => {
  const { at, keys } = unknownKeys();
  const refreshBegan = at.ms;
  expect(keys.worthRefresh('i', 'storm', 0)).toBe(true);
  at.ms += 1;
  expect(keys.worthRefresh('i', 'rotated', refreshBegan)).toBe(false);
  at.ms += 30_000;
  expect(keys.worthRefresh('i', 'rotated', refreshBegan)).toBe(true);
});

test('the refresh failed: the same id may ask again after the interval', () => {
  const { at, keys } = unknownKeys();
  expect(keys.worthRefresh('i', 'a', undefined)).toBe(true);
  at.ms += 30_000;
  expect(keys.worthRefresh('i', 'a', undefined)).toBe(true);
});

test('clearing forgets the ids, not the interval', () => {
  const { at, keys } = unknownKeys();
  expect(keys.worthRefresh('i', 'a', 0)).toBe(true);
  keys.clear();
  expect(keys.size).toBe(0);
  expect(keys.worthRefresh('i', 'a', at.ms)).toBe(false);
  at.ms += 30_000;
  keys.clear();
  expect(keys.worthRefresh('i', 'a', at.ms)).toBe(true);
});

test('ids longer than a list may hold never ask and are not remembered', () => {
  const { keys } = unknownKeys(0);
  expect(keys.worthRefresh('i', 'k'.repeat(257), 0)).toBe(false);
  expect(keys.worthRefresh('i'.repeat(1025), 'k', 0)).toBe(false);
  expect(keys.size).toBe(0);
  expect(keys.worthRefresh('i'.repeat(1024), 'k'.repeat(256), 0)).toBe(true);
});

test('the pair is told apart, and memory is bounded', () => {
  const { at, keys } = unknownKeys(0);
  keys.worthRefresh('a', 'bc', 0);
  expect(keys.worthRefresh('ab', 'c', at.ms)).toBe(true);
  for (let i = 0; i < MAX_UNKNOWN_KEYS + 10; i++) keys.worthRefresh('i', `${i}`, 0);
  expect(keys.size).toBe(MAX_UNKNOWN_KEYS);
});
