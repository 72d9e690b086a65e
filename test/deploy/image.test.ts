/** The image: its Dockerfile is sound and keeps the promises that a reader relies on, and what goes into it runs. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DockerfileParser } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SETTINGS } from '../../src/config.ts';
import { VERSION } from '../../src/version.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const TEXT = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
const INSTRUCTIONS = DockerfileParser.parse(TEXT)
  .getInstructions()
  .map((instruction) => ({
    keyword: instruction.getKeyword(),
    words: instruction.getArguments().map((argument) => argument.getValue()),
    text: instruction.getTextContent(),
  }));
const of = (keyword: string) => INSTRUCTIONS.filter((instruction) => instruction.keyword === keyword);

describe('the Dockerfile', () => {
  it('is without a fault that the linter knows', () => {
    expect(validate(TEXT).map(({ message, range }) => `${range.start.line + 1}: ${message}`)).toEqual([]);
    // It does find faults.
    expect(validate('FROM x\nCOPPY a b\nCMD serve\n')).not.toEqual([]);
  });

  it('starts from bases that whoever builds can pin by digest', () => {
    const bases = of('FROM').map(({ words }) => words[0]);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the Dockerfile's own variables
    expect(bases).toEqual(['${NODE_IMAGE}', '${BASE_IMAGE}']);
    const defaults = of('ARG').map(({ words }) => words[0]);
    expect(defaults).toContain('NODE_IMAGE=docker.io/library/node:22-bookworm-slim');
    expect(defaults).toContain('BASE_IMAGE=docker.io/library/debian:bookworm-slim');
    expect(defaults).toContain(`VERSION=${VERSION}`);
  });

  it('runs node itself, by number no root, with one volume, and a health check without a shell', () => {
    expect(of('USER').at(-1)?.words).toEqual(['10001:10001']);
    expect(of('VOLUME').map(({ text }) => text)).toEqual(['VOLUME ["/var/lib/vigie"]']);
    expect(of('STOPSIGNAL').at(-1)?.words).toEqual(['SIGTERM']);
    for (const [keyword, first] of [
      ['ENTRYPOINT', 'node'],
      ['CMD', 'serve'],
    ] as const) {
      const form = of(keyword).at(-1)?.text.slice(keyword.length).trim() ?? '';
      expect(JSON.parse(form)[0], keyword).toBe(first);
    }
    const health = /CMD (\[.*\])$/.exec(of('HEALTHCHECK')[0]?.text ?? '')?.[1] ?? '';
    expect(JSON.parse(health).slice(0, 2)).toEqual(['node', '-e']);
    expect(health).toContain('/readyz');
  });

  it('names settings that there are, and leaves it to the operator to say who may call', () => {
    const names = TEXT.match(/VIGIE_[A-Z_]+/g) ?? [];
    const known: readonly string[] = Object.values(SETTINGS).map(({ env }) => env);
    expect(names.filter((name) => !known.includes(name))).toEqual([]);
    expect(
      of('ENV')
        .flatMap(({ words }) => words)
        .join(' '),
    ).not.toContain('VIGIE_AUTH');
    const ports = [SETTINGS.port, SETTINGS.adminPort, SETTINGS.metricsPort].map((port) => `${port.default}`);
    expect(of('EXPOSE').flatMap(({ words }) => words)).toEqual(ports);
  });

  it('copies nothing that .dockerignore keeps out', () => {
    const allowed = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = of('COPY')
      .filter(({ text }) => !text.includes('--from='))
      .flatMap(({ words }) => words.slice(0, -1))
      .map((path) => path.replace(/\/$/, ''));
    expect(copied.sort()).toEqual(allowed.sort());
  });
});

describe('what goes into the image', () => {
  let scratch: string;
  let app: string;
  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), 'vigie-image-'));
    app = join(scratch, 'app');
    execFileSync(process.execPath, [join(ROOT, 'deploy/image/assemble.mjs'), scratch]);
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it('is one parser binary, no tool, no source and every licence', () => {
    const files = readdirSync(app, { recursive: true, encoding: 'utf8' });
    const parsers = files.filter((file) => /^uws_/.test(basename(file)));
    const { platform, arch, versions } = process;
    expect(parsers.map((file) => basename(file))).toEqual([
      `uws_${platform}_${arch}_${versions.modules}.node`,
    ]);
    expect(files.filter((file) => /\.(ts|map|cc|h)$/.test(file) || /typescript|vitest/.test(file))).toEqual(
      [],
    );
    expect(files).toContain('LICENSE');
    expect(files).toContain('node_modules/zod/LICENSE');
  });

  it('is what its bill of materials names, all of it', () => {
    const { components } = JSON.parse(readFileSync(join(app, 'sbom.cdx.json'), 'utf8'));
    const named = components.map(({ purl }: Record<string, string>) =>
      decodeURIComponent(purl?.replace('pkg:npm/', '') ?? ''),
    );
    const there = readdirSync(join(app, 'node_modules'), { recursive: true, encoding: 'utf8' })
      // A package's own manifest, not one of those that stand within it for its loader.
      .filter((file) => /^((.*\/)?node_modules\/)?(@[^/]+\/)?[^/]+\/package\.json$/.test(file))
      .map((file) => JSON.parse(readFileSync(join(app, 'node_modules', file), 'utf8')));
    expect(named.sort()).toEqual(there.map(({ name, version }) => `${name}@${version}`).sort());
    expect(named).toContain('uws-pack@20.0.8');
  });

  it('starts, says that it is ready, and ends at SIGTERM with code 0', async () => {
    const ports = ['VIGIE_PORT', 'VIGIE_ADMIN_PORT', 'VIGIE_METRICS_PORT'].map((name) => [name, '0']);
    const settings = {
      ...Object.fromEntries(ports),
      VIGIE_DATA_DIR: join(scratch, 'data'),
      VIGIE_WORKERS: '1',
      VIGIE_FILTER_CAPACITY: '100000',
    };
    const child = spawn(process.execPath, [join(app, 'dist/cli/vigie.js'), 'serve', '--json'], {
      env: { PATH: process.env.PATH, ...settings },
      cwd: scratch,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = once(child, 'exit');
    try {
      const [said] = await Promise.race([once(child.stdout, 'data'), ended]);
      const { urls } = JSON.parse(String(said));
      expect((await fetch(`${urls.metrics}/readyz`)).status).toBe(200);
      child.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
