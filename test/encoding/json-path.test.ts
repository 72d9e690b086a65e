import { expect, it } from 'vitest';
import { formatPath } from '../../src/encoding/json-path.ts';

it.each<[PropertyKey[], string]>([
  [[], ''],
  [['iss'], 'iss'],
  [['issuers', 0, 'keys', 2, 'x'], 'issuers[0].keys[2].x'],
  [[3], '[3]'],
  [[3, 'a'], '[3].a'],
])('%j is written %s', (path, written) => {
  expect(formatPath(path)).toBe(written);
});
