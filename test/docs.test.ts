/** The documents say what the code does, as far as a machine can tell. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ACCESS_KEY_FILE } from '../src/cli/listener.ts';
import { run } from '../src/cli/program.ts';
import { LIMITS, SETTINGS } from '../src/config.ts';
import { healthRoutes } from '../src/ingress/health-routes.ts';
import { BATCH_MEDIA_TYPES } from '../src/ingress/media-type.ts';
import { openapiDocument } from '../src/ingress/openapi.ts';
import { openapiRoute } from '../src/ingress/openapi-route.ts';
import { PROBLEMS } from '../src/ingress/problem.ts';
import { verifyRoutes } from '../src/ingress/verify-routes.ts';
import { allocateCounters, openCounters } from '../src/metrics/counters.ts';
import { buildRegistry } from '../src/metrics/exposition.ts';
import { REASONS } from '../src/verdict.ts';
import { VERSION } from '../src/version.ts';
import { FACTS } from './support/gateway-facts.ts';
import { leafCommands, README, withTables } from './support/readme-tables.ts';

const ROOT = new URL('..', import.meta.url).pathname;
const DOCUMENTS = [
  'README.md',
  'ARCHITECTURE.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'bench/README.md',
  'deploy/RUNBOOK.md',
  'deploy/README.md',
  'deploy/kubernetes/README.md',
  'deploy/grafana/README.md',
  ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`),
];
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const MANIFEST = JSON.parse(read('package.json'));
const OPENAPI = openapiDocument(VERSION) as unknown as {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: Record<string, Record<string, unknown>>;
};
interface Operation {
  readonly requestBody?: { readonly content: object };
  readonly responses: Record<number, { readonly content: object }>;
}

/** Paths of all routes, as they stand in the code of the three listeners. */
const ROUTES = [
  ...new Set(
    sources('src')
      .filter((file) => /-routes?\.ts$/.test(file))
      .flatMap((file) => read(file).match(/'\/[a-z0-9/.-]+'/g) ?? [])
      .map((route) => route.slice(1, -1)),
  ),
];

describe('README', () => {
  it('has the tables that the code renders (npm run docs writes them)', async () => {
    const text = readFileSync(README, 'utf8');
    expect(text).toBe(await withTables(text));
  });

  it('states the exit codes as the help does, and the Node versions as the manifest does', async () => {
    const readme = read('README.md').replace(/\s+/g, ' ');
    const stdout = new PassThrough();
    const { stderr, stdin } = process;
    await run(['--help'], { stdout, stderr, stdin, environment: {} });
    const [codes = ''] = /Exit codes: .*\./.exec(String(stdout.read())) ?? [];
    expect(codes).not.toBe('');
    expect(readme).toContain(codes);
    const [, from, below] = /^>=(\d+\.\d+) <(\d+)$/.exec(MANIFEST.engines.node) ?? [];
    expect(readme).toContain(`Node ${from} to ${Number(below) - 1}`);
  });

  it('names the two commands that do all the set-up', () => {
    expect(read('README.md')).toContain('npm ci && npm start');
    expect(read('README.md')).toContain('npm ci && npm test');
  });

  it('names every route of the data and admin listeners', () => {
    expect(ROUTES.length).toBeGreaterThan(9);
    for (const path of ROUTES) expect(read('README.md'), path).toContain(path);
  });
});

it('ARCHITECTURE.md names every folder of src/', () => {
  for (const entry of readdirSync(join(ROOT, 'src'), { withFileTypes: true })) {
    if (entry.isDirectory()) expect(read('ARCHITECTURE.md')).toContain(`src/${entry.name}/`);
  }
});

it('SECURITY.md names every dependency', () => {
  const section = read('SECURITY.md').split('## Dependencies')[1];
  for (const name of Object.keys(MANIFEST.dependencies)) expect(section).toContain(name);
});

describe('every document', () => {
  it('has no placeholder left in it', () => {
    for (const name of DOCUMENTS) expect(read(name), name).not.toContain('@@');
  });

  it('links to files that exist', () => {
    for (const name of DOCUMENTS) {
      for (const [, target = ''] of read(name).matchAll(/\]\(([^)#:]+)\)/g)) {
        expect(existsSync(join(ROOT, name, '..', target)), `${name}: ${target}`).toBe(true);
      }
    }
  });

  it('names only settings that there are', () => {
    const oursAlone = sources('test').flatMap((file) => read(file).match(/\bVIGIE_TEST_[A-Z_]+\b/g) ?? []);
    const settings = Object.values(SETTINGS).map(({ env }) => env as string);
    const known = [...settings, ACCESS_KEY_FILE, ...new Set(oursAlone)];
    for (const name of DOCUMENTS) {
      for (const [setting] of read(name).matchAll(/\bVIGIE_[A-Z_]*[A-Z]\b/g)) {
        expect(known, `${name}: ${setting}`).toContain(setting);
      }
    }
  });

  it('names only paths that a listener has', () => {
    for (const name of DOCUMENTS) {
      for (const [path] of read(name).matchAll(/(?<![\w.])\/(?:admin\/)?v1\/[a-z0-9/.-]*[a-z0-9]/g)) {
        expect(ROUTES, `${name}: ${path}`).toContain(path);
      }
    }
  });

  it('names only commands that there are', () => {
    const known = leafCommands().map(({ name }) => name);
    for (const name of DOCUMENTS) {
      // In code, where a command is meant to be typed: `vigie trust check FILE`, `npx vigie status revoke --iss …`.
      for (const [, words = ''] of read(name).matchAll(/(?:`|npx )vigie ((?:[a-z]+(?:-[a-z]+)* ?)+)/g)) {
        const typed = `vigie ${words.trim()}`;
        const isKnown = known.some((command) => typed === command || typed.startsWith(`${command} `));
        expect(isKnown, `${name}: ${typed}`).toBe(true);
      }
    }
  });

  it('names only scripts that npm can run', () => {
    for (const name of DOCUMENTS) {
      const text = read(name);
      for (const [, run, short] of text.matchAll(
        /\bnpm (?:run (?:--silent )?([a-z][\w:-]*)|(start|test)\b)/g,
      )) {
        const script = run ?? (short as string);
        expect(Object.keys(MANIFEST.scripts), `${name}: ${script}`).toContain(script);
      }
    }
  });

  it('names only metrics that there are', async () => {
    const exposed = await buildRegistry(FACTS, () => [openCounters(allocateCounters())]).metrics();
    for (const name of DOCUMENTS) {
      for (const [metric] of read(name).matchAll(/\bvigie_[a-z_]*[a-z]\b/g)) {
        expect(exposed, `${name}: ${metric}`).toContain(metric);
      }
    }
  });

  it('names only source files and folders that there are', () => {
    for (const name of DOCUMENTS) {
      for (const [path] of read(name).matchAll(/\b(?:src|test|bench)\/[a-z0-9/.-]*[a-z0-9]/g)) {
        // A path may be meant from the root, or from the document's own folder.
        const places = [join(ROOT, path), join(ROOT, name, '..', path)];
        expect(places.some(existsSync), `${name}: ${path}`).toBe(true);
      }
    }
  });
});

describe('the OpenAPI description', () => {
  const document = JSON.stringify(OPENAPI);

  it('names every reason, every problem type and the limits', () => {
    for (const { reason } of REASONS) expect(document).toContain(`"${reason}"`);
    for (const type of Object.keys(PROBLEMS)) expect(document).toContain(`"${type}"`);
    expect(document).toContain(`${LIMITS.batchItems} items`);
  });

  it('has the routes of the data listener, each with its method, its content types and no others', () => {
    const parts = { clock: { monotonicMs: () => 0 } };
    const idle = { parts, batchSlice: 1 } as never;
    const routes = [...verifyRoutes(idle), ...healthRoutes(idle), openapiRoute()];
    const served = routes.map(({ method, path, body }) => [
      method,
      path,
      [...(body?.mediaTypes ?? [])].sort(),
    ]);
    const described = Object.entries(OPENAPI.paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, { requestBody }]) => [
        method.toUpperCase(),
        path,
        Object.keys(requestBody?.content ?? {}).sort(),
      ]),
    );
    expect(described.sort()).toEqual(served.sort());
    const answers = OPENAPI.paths['/v1/verify/batch']?.post?.responses[200]?.content ?? {};
    expect(Object.keys(answers).sort()).toEqual([...BATCH_MEDIA_TYPES].sort());
  });

  it('resolves each of its references', () => {
    const { components } = OPENAPI;
    for (const [, kind = '', name = ''] of document.matchAll(/"#\/components\/(\w+)\/(\w+)"/g)) {
      expect(components[kind], name).toHaveProperty(name);
    }
  });
});

it('the changelog has a section for what is not released, or for this version', () => {
  expect(read('CHANGELOG.md')).toMatch(new RegExp(`## \\[(Unreleased|${VERSION.replaceAll('.', '\\.')})\\]`));
});

function sources(directory: string): string[] {
  return readdirSync(join(ROOT, directory), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(directory, name));
}
