/** An addon that was built from older sources is none: what it lacks is missed when it is loaded. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ADDON_FILE, loadNativeAddon, type NativeAddon } from '../../src/native/addon.ts';
import { ADDON_MEMBERS } from '../../src/native/addon-members.ts';

/** Every member of the type stands in the list, or this does not compile. */
const MEMBERS: [keyof NativeAddon] extends [(typeof ADDON_MEMBERS)[number]] ? readonly string[] : never =
  ADDON_MEMBERS;

it('the list names each member once', () => {
  expect(new Set(MEMBERS).size).toBe(MEMBERS.length);
});

it('the addon that is built here lacks nothing', () => {
  const loaded = loadNativeAddon();
  expect(loaded.ok || loaded.because).toBe(true);
});

it('one that lacks a member is not taken, and says what to do', () => {
  const dir = mkdtempSync(join(tmpdir(), 'vigie-addon-'));
  const file = join(dir, 'older.cjs');
  writeFileSync(
    file,
    `const { headFault, ...older } = require(${JSON.stringify(ADDON_FILE)}); module.exports = older;`,
  );
  expect(loadNativeAddon(file)).toEqual({
    ok: false,
    because: 'was built from other sources: run npm run build:native',
  });
  rmSync(dir, { recursive: true, force: true });
});
