/** The service of systemd: what systemd itself says of it, and that it fits the gateway that it runs. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SETTINGS } from '../../src/config.ts';
import { readConfig } from '../../src/read-config.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const UNIT = readFileSync(join(ROOT, 'deploy/systemd/vigie.service'), 'utf8');
const optionOf = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(UNIT)?.[1] ?? '';

/** Runs `systemd-analyze` on a unit; with the node of this machine, since it looks for the program. */
function analyse(words: readonly string[], unit: string) {
  const directory = mkdtempSync(join(tmpdir(), 'vigie-systemd-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'vigie.service');
  writeFileSync(file, unit.replaceAll('/usr/bin/node', process.execPath));
  return spawnSync('systemd-analyze', [...words, file], { encoding: 'utf8' });
}

/** What is said of the service: of the machine's own units, which it is looked at beside, systemd may say more. */
const saidOfIt = ({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }): string[] =>
  `${stdout}\n${stderr}`.split('\n').filter((line) => line.includes('vigie'));

describe('systemd', () => {
  it('is one that knows what the service asks for', () => {
    const said = spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' }).stdout;
    const version = Number(/^systemd (\d+)/.exec(said)?.[1]);
    expect(version, 'systemd-analyze of systemd 252 or later is needed').toBeGreaterThanOrEqual(252);
  });

  it('finds no fault in it, and would find one', () => {
    expect(saidOfIt(analyse(['verify'], UNIT))).toEqual([]);
    const misspelt = analyse(['verify'], UNIT.replace('NoNewPrivileges', 'NoNewPrivilege'));
    expect(saidOfIt(misspelt).join()).toContain("'NoNewPrivilege' in section [Service]");
  });

  it('calls its exposure low (below 2 of 10), which it does not of a service without bounds', () => {
    const words = ['security', '--offline=true', '--threshold=20'];
    expect(analyse(words, UNIT).status).toBe(0);
    const bounds = /^(Protect|Private|Restrict|SystemCall|Capability|NoNew|User|Group).*$/gm;
    expect(analyse(words, UNIT.replaceAll(bounds, '')).status).not.toBe(0);
  });
});

describe('the service', () => {
  it('runs serve with the flags of the image that every supported Node.js knows', () => {
    const program = optionOf('ExecStart').split(' ');
    expect(program).toEqual([
      '/usr/bin/node',
      '--disable-proto=throw',
      '/opt/vigie/dist/cli/vigie.js',
      'serve',
    ]);
    const entry = /^ENTRYPOINT (\[.*\])$/m.exec(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'))?.[1] ?? '';
    expect(JSON.parse(entry)).toEqual(expect.arrayContaining(program.slice(1, 2)));
  });

  it('sets settings that there are, and gives the drain its time', () => {
    const known: readonly string[] = Object.values(SETTINGS).map(({ env }) => env);
    const names = UNIT.match(/VIGIE_[A-Z_]+/g) ?? [];
    expect(names.filter((name) => !known.includes(name))).toEqual([]);
    const read = readConfig({ VIGIE_DATA_DIR: `/var/lib/${optionOf('StateDirectory')}` });
    expect(read.ok && read.config.dataDir).toBe(/VIGIE_DATA_DIR=(\S+)/.exec(UNIT)?.[1]);
    const drainSeconds = SETTINGS.drainTimeoutMs.default / 1_000;
    expect(Number(optionOf('TimeoutStopSec'))).toBeGreaterThanOrEqual(drainSeconds + 5);
  });

  it('leaves alone what refuses its settings, by the exit code that says so', () => {
    const { status } = spawnSync(process.execPath, [join(ROOT, 'dist/cli/vigie.js'), 'serve'], {
      env: { PATH: process.env.PATH, VIGIE_WORKERS: '0' },
    });
    expect(`${status}`).toBe(optionOf('RestartPreventExitStatus'));
  });
});
