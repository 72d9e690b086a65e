/** The vector runner as a process, on small directories of synthetic vectors made here. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SignatureEngine } from '../../src/signature/engine.ts';
import { honest } from '../signature/adversarial.ts';
import { enginesUnderTest } from '../signature/engines.ts';
import { judge } from './judge.ts';

const RUNNER = fileURLToPath(new URL('run-vectors.ts', import.meta.url));

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vigie-vectors-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const good = honest(12);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function test(tcId: number, result: string, sig = hex(good.signature)) {
  return { tcId, comment: `synthetic ${tcId}`, msg: hex(good.message), sig, result, flags: [] };
}

function vectors(tests: unknown[], curve = 'edwards25519', schema = 'eddsa_verify_schema_v1.json') {
  const publicKey = { type: 'EDDSAPublicKey', curve, keySize: 255, pk: hex(good.publicKey) };
  return { algorithm: 'EDDSA', schema, testGroups: [{ type: 'EddsaVerify', publicKey, tests }] };
}

function write(file: string, content: unknown): void {
  const path = join(directory, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
}

function run(args: string[], engine = process.env.VIGIE_ENGINE) {
  const env = { ...process.env };
  delete env.VIGIE_ENGINE;
  if (engine !== undefined) env.VIGIE_ENGINE = engine;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', RUNNER, ...args], {
    env,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

const agreeing = vectors([test(1, 'valid'), test(2, 'invalid', '00'), test(3, 'acceptable')]);

describe('a directory on which all agree', () => {
  it('exits 0 and counts each engine and what does not apply', () => {
    write('deep/er/good.json', agreeing);
    write('ed448.json', vectors([test(1, 'valid')], 'edwards448'));
    write('ecdsa.json', vectors([test(1, 'valid')], 'secp256r1', 'ecdsa_verify_schema_v1.json'));
    write('notes.json', { about: 'no groups here' });
    write('readme.txt', 'not JSON, and not read');
    const { status, stdout, stderr } = run([directory]);
    const engines = enginesUnderTest().map(
      ({ name, implementation }) => `${name} (${implementation}): 3 cases, 3 agreements\n`,
    );
    expect(stdout).toBe(
      '4 JSON files, 3 Ed25519 cases\n' +
        'not applicable: ecdsa.json, 1 groups (schema ecdsa_verify_schema_v1.json)\n' +
        'not applicable: ed448.json, 1 groups (curve edwards448)\n' +
        'not applicable: notes.json, 0 groups (no test groups)\n' +
        engines.join(''),
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it('narrows to the engine asked for, and reports in JSON', () => {
    write('good.json', agreeing);
    const { status, stdout } = run([directory, '--json'], 'noble');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      ok: true,
      files: 1,
      cases: 3,
      notApplicable: [],
      engines: [
        {
          engine: 'noble',
          implementation: '@noble/ed25519 Point arithmetic',
          cases: 3,
          agreements: 3,
          disagreements: [],
        },
      ],
      conflicts: [],
    });
  });
});

describe('a planted wrong expectation', () => {
  it('exits 1 and is named, for every engine', () => {
    write('good.json', agreeing);
    write('planted.json', vectors([test(7, 'invalid'), test(8, 'valid', 'ff'.repeat(64))]));
    const { status, stdout } = run([directory]);
    expect(status).toBe(1);
    for (const { name, implementation } of enginesUnderTest()) {
      expect(stdout).toContain(
        `${name} (${implementation}): 5 cases, 3 agreements\n` +
          '  disagrees: planted.json tcId 7 "synthetic 7": expected invalid, got valid\n' +
          '  disagrees: planted.json tcId 8 "synthetic 8": expected valid, got invalid\n',
      );
    }
    expect(stdout).not.toContain('conflict');
  });
});

describe('exit codes', () => {
  it('1 when no case was found', () => {
    write('ed448.json', vectors([test(1, 'valid')], 'edwards448'));
    const { status, stdout } = run([directory]);
    expect(status).toBe(1);
    expect(stdout).toContain('no case found\n');
  });

  it.each([[[]], [['one', 'two']], [['one', '--unknown']]])('2 for the arguments %j', (args) => {
    const { status, stderr } = run(args);
    expect(status).toBe(2);
    expect(stderr).toBe('usage: npm run test:vectors -- DIR [--json]\n');
  });

  it('2 when the directory cannot be read', () => {
    expect(run([join(directory, 'absent')]).status).toBe(2);
  });

  it.each([
    ['is not JSON', '{'],
    ['has a malformed Ed25519 group (tests.0.sig)', vectors([test(1, 'valid', '0g')])],
    ['has a malformed Ed25519 group (tests.0.result)', vectors([test(1, 'maybe')])],
  ])('2 when a file %s', (fault, content) => {
    write('bad.json', content);
    const { status, stdout, stderr } = run([directory]);
    expect(stderr).toBe(`bad.json ${fault}\n`);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  it('2 when the engine is not to be had', () => {
    write('good.json', agreeing);
    const { status, stderr } = run([directory], 'quantum');
    expect(status).toBe(2);
    expect(stderr).toBe('VIGIE_ENGINE must be auto or one of native, openssl, noble\n');
  });
});

describe('judge', () => {
  const [engine] = enginesUnderTest() as [SignatureEngine];
  const label = { file: 'f.json', tcId: 1, comment: '', expected: 'acceptable' as const };

  it('lets engines not differ among themselves on an acceptable case', () => {
    const name = engine.name === 'native' ? 'noble' : 'native';
    const refusing: SignatureEngine = {
      ...engine,
      name,
      verify: (checks) => new Uint8Array(checks.length),
    };
    const { engines, conflicts } = judge([engine, refusing], [{ ...label, check: good }]);
    expect(engines.map(({ agreements }) => agreements)).toEqual([1, 1]);
    expect(conflicts).toEqual([{ ...label, got: { [engine.name]: 'valid', [name]: 'invalid' } }]);
  });

  it('does not take a verdict that changes with its neighbours for an agreement', () => {
    const swayed: SignatureEngine = {
      ...engine,
      verify: (checks) => (checks.length > 1 ? new Uint8Array(checks.length) : engine.verify(checks)),
    };
    const cases = [1, 2].map((tcId) => ({ ...label, tcId, check: good }));
    const { engines } = judge([swayed], cases);
    expect(engines[0]?.disagreements.map(({ tcId, got }) => ({ tcId, got }))).toEqual([
      { tcId: 1, got: 'unsteady' },
      { tcId: 2, got: 'unsteady' },
    ]);
  });
});
