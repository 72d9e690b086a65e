/** The bearer token's file: one line, and nothing of it in a fault. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readBearerTokenFile } from '../src/bearer-token.ts';

const TOKEN = 'a-synthetic-token-0123456789';

describe('readBearerTokenFile', () => {
  const directory = mkdtempSync(join(tmpdir(), 'vigie-test-'));
  const path = join(directory, 'token');
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('reads one line, and says of anything else only that it is not one', () => {
    writeFileSync(path, `${TOKEN}\n`);
    expect(readBearerTokenFile(path)).toEqual({ ok: true, token: TOKEN });
    const fault = `${path} is not one line of 16 to 1024 visible ASCII characters`;
    for (const text of ['', 'short', `${TOKEN}\n\n`, `${TOKEN} x`, `${TOKEN}\r\nx-evil: 1`, 'é'.repeat(20)]) {
      writeFileSync(path, text);
      expect(readBearerTokenFile(path)).toEqual({ ok: false, fault });
    }
  });

  it('does not wait for a FIFO, and takes no directory', () => {
    const fifo = join(directory, 'fifo');
    execFileSync('mkfifo', [fifo]);
    expect(readBearerTokenFile(fifo)).toEqual({ ok: false, fault: `${fifo} is not a regular file` });
    expect(readBearerTokenFile(directory)).toMatchObject({ ok: false });
    expect(readBearerTokenFile(join(directory, 'absent'))).toEqual({
      ok: false,
      fault: 'the file that is named cannot be read (ENOENT)',
    });
  });
});
