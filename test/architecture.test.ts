/** The house rules that a compiler does not know: which way dependencies run, and how files look. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const SRC = join(ROOT, 'src');

interface SourceFile {
  /** Relative to src/, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** Files of src/ that it imports, statically, dynamically, as a type, or as a worker's entry. */
  readonly imports: readonly string[];
}

function sourceFiles(): SourceFile[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => {
      const text = readFileSync(join(SRC, path), 'utf8');
      return { path, text, imports: importsOf(path, text) };
    });
}

function importsOf(path: string, text: string): string[] {
  const specifiers = [
    ...text.matchAll(/\b(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g),
    ...text.matchAll(/new URL\(\s*['"](\.[^'"]+\.js)['"]\s*,\s*import\.meta\.url/g),
  ].map(([, specifier]) => specifier as string);
  return specifiers.map((specifier) => {
    const target = relative(SRC, resolve(dirname(join(SRC, path)), specifier));
    return target.replace(/\.js$/, '.ts');
  });
}

const files = sourceFiles();
const byPath = new Map(files.map((file) => [file.path, file]));

/**
 * Each module and what it may import, itself always included. A module is a folder of src/ or a single file.
 * What is not named here is a module that nobody has placed yet: a failure.
 */
const LEAVES = [
  'bearer-token',
  'bounded-file',
  'card-status',
  'clock',
  'encoding',
  'hmac',
  'loopback',
  'native',
  'networks',
  'setting',
  'sync-directory',
  'verdict',
  'version',
];
const DOMAIN = ['credential', 'keys', 'signature', 'revocation', 'replay'];
const INGRESS_PARTS = [...LEAVES, 'callers', 'config', 'gateway', 'replay', 'verification'];
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'bearer-token': ['bounded-file'],
  'bounded-file': [],
  'card-status': [],
  clock: [],
  encoding: [],
  hmac: [],
  loopback: [],
  native: [],
  networks: [],
  setting: [],
  'sync-directory': [],
  verdict: [],
  version: [],
  config: ['setting'],
  'read-config': ['config', 'loopback', 'networks', 'setting'],
  callers: LEAVES,
  audit: LEAVES,
  log: ['config'],
  'data-dir': [],
  drain: ['clock'],
  credential: LEAVES,
  keys: LEAVES,
  signature: LEAVES,
  redis: LEAVES,
  revocation: [...LEAVES, 'redis'],
  replay: [...LEAVES, 'redis'],
  verification: [...LEAVES, 'config', 'credential', 'keys', 'signature', 'replay'],
  gateway: [...LEAVES, 'config', 'credential', 'keys', 'signature', 'replay', 'verification'],
  ingress: INGRESS_PARTS,
  metrics: [...LEAVES, 'config', 'ingress'],
  admin: [...LEAVES, 'callers', 'config', 'ingress', 'revocation'],
  issuer: LEAVES,
  demo: [...LEAVES, 'issuer'],
  client: LEAVES,
  workers: [...INGRESS_PARTS, 'audit', 'ingress', ...DOMAIN, 'redis', 'metrics', 'log'],
  control: [
    ...INGRESS_PARTS,
    'ingress',
    ...DOMAIN,
    'redis',
    'metrics',
    'admin',
    'audit',
    'workers',
    'log',
    'data-dir',
    'drain',
    'demo',
    'issuer',
  ],
};
/** Programs: they may import anything, and nothing imports them. */
const PROGRAMS = ['main', 'cli'];

function moduleOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] as string) : path.replace(/\.ts$/, '');
}

describe('dependencies', () => {
  it('are found at all', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(byPath.get('gateway.ts')?.imports).toContain('credential/claims.ts');
  });

  it('name files that are there', () => {
    const missing = files.flatMap(({ path, imports }) =>
      imports
        .filter((target) => !byPath.has(target) && !target.startsWith('..'))
        .map((target) => `${path} imports ${target}`),
    );
    expect(missing).toEqual([]);
  });

  it('run one way', () => {
    const wrong = files.flatMap(({ path, imports }) => {
      const from = moduleOf(path);
      if (PROGRAMS.includes(from)) return [];
      const allowed = MAY_IMPORT[from];
      if (allowed === undefined) return [`${path}: its module has no place in this test`];
      return imports
        .filter((target) => !target.startsWith('..'))
        .filter((target) => moduleOf(target) !== from && !allowed.includes(moduleOf(target)))
        .map((target) => `${path} must not import ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it('of credential, keys, signature, revocation and replay never reach one another', () => {
    const reached = files
      .filter(({ path }) => DOMAIN.includes(moduleOf(path)))
      .flatMap(({ path }) =>
        [...reach(path)]
          .filter((target) => DOMAIN.includes(moduleOf(target)) && moduleOf(target) !== moduleOf(path))
          .map((target) => `${path} reaches ${target}`),
      );
    expect(reached).toEqual([]);
  });

  it('have no cycle', () => {
    expect(files.filter(({ path }) => reach(path).has(path)).map(({ path }) => path)).toEqual([]);
  });

  it('of leaves are on nothing but the platform', () => {
    const leaves = files.filter(({ path }) => LEAVES.includes(moduleOf(path)));
    for (const { path, text } of leaves) {
      const packages = [...text.matchAll(/from '([^'.][^']*)'/g)].map(([, name]) => name as string);
      expect([path, packages.filter((name) => !name.startsWith('node:'))]).toEqual([path, []]);
    }
  });

  it('leave no file that nothing uses', () => {
    const entries = ['main.ts', 'cli/vigie.ts', 'workers/data-plane.ts'];
    const used = new Set(entries.flatMap((entry) => [entry, ...reach(entry)]));
    const unused = files.map(({ path }) => path).filter((path) => !used.has(path) && !path.endsWith('.d.ts'));
    expect(unused).toEqual([]);
  });
});

/** Everything a file imports, directly or through others; the file itself only if a cycle leads back. */
function reach(path: string): Set<string> {
  const seen = new Set<string>();
  const open = [...(byPath.get(path)?.imports ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    open.push(...(byPath.get(next)?.imports ?? []));
  }
  return seen;
}

describe('every source file', () => {
  /** Reference tables: one row a line says more than two files would. */
  const MAX_LINES = 300;
  const TABLES: Readonly<Record<string, number>> = {
    'native/addon.ts': 280,
    'config.ts': 560,
    'metrics/counters.ts': 330,
    'metrics/exposition.ts': 380,
  };

  it.each([
    ['begins with a comment that says what it is', (text: string) => !/^(#![^\n]*\n)?\/\*\*/.test(text)],
    ['has no TODO', (text: string) => /\b(TODO|FIXME|XXX|HACK)\b/.test(text)],
    ['has no default export', (text: string) => /^export default/m.test(text)],
    ['re-exports nothing', (text: string) => /^export (\*|\{[^}]*\} from)/m.test(text)],
    ['silences no checker', (text: string) => /@ts-(ignore|expect-error|nocheck)|biome-ignore/.test(text)],
    ['names no path of a machine', (text: string) => /(^|[^\w.])\/(home|root|work|Users)\//.test(text)],
  ])('%s', (_rule, breaks) => {
    expect(files.filter(({ text }) => breaks(text)).map(({ path }) => path)).toEqual([]);
  });

  it('is of readable length', () => {
    const long = files
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ path, lines }) => lines > (TABLES[path] ?? MAX_LINES));
    expect(long).toEqual([]);
  });

  it('has a name in kebab-case that is no catch-all', () => {
    const names = files.map(
      ({ path }) =>
        path
          .split('/')
          .at(-1)
          ?.replace(/(\.d)?\.ts$/, '') ?? '',
    );
    expect(names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))).toEqual([]);
    expect(names.filter((name) => /^(index|utils?|helpers?|common|misc)$/.test(name))).toEqual([]);
  });

  it('prints only if it is a program', () => {
    // The ready line of `vigie serve` is printed where the listeners are known.
    const printers = ['control/announce.ts'];
    const printing = files.filter(({ text }) => /\bconsole\.\w+\(|process\.stdout\.write\(/.test(text));
    const elsewhere = printing.filter(({ path }) => !PROGRAMS.includes(moduleOf(path)));
    expect(elsewhere.map(({ path }) => path)).toEqual(printers);
  });
});

it('exports nothing that no other file uses', () => {
  const others = ['test', 'bench'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.includes('node_modules'))
      .map((path) => ({ path: `${folder}/${path}`, text: readFileSync(join(ROOT, folder, path), 'utf8') })),
  );
  const words = [...files, ...others].map(({ path, text }) => ({ path, words: new Set(text.match(/\w+/g)) }));
  const unused = files.flatMap(({ path, text }) =>
    // Types may be exported for the sake of what mentions them.
    [...text.matchAll(/^export (?:async )?(?:const|function) (\w+)/gm)]
      .map(([, name]) => name as string)
      .filter((name) => !words.some((other) => other.path !== path && other.words.has(name)))
      .map((name) => `${path}: ${name}`),
  );
  expect(unused).toEqual([]);
});

describe('every test file', () => {
  it('runs whole: nothing is skipped or singled out', () => {
    const tests = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.test.ts'),
    );
    const partial = tests.filter((path) =>
      /\b(it|test|describe)\.(skip|only|todo|fails)\b|\.skipIf\(/.test(
        readFileSync(join(ROOT, 'test', path), 'utf8'),
      ),
    );
    expect(partial.filter((path) => path !== 'architecture.test.ts')).toEqual([]);
    expect(tests.length).toBeGreaterThan(10);
  });
});
