/** The documents say what the code does, as far as a machine can tell. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LIMITS, SETTINGS } from '../src/config.ts';
import { openapiDocument } from '../src/ingress/openapi.ts';
import { PROBLEMS } from '../src/ingress/problem.ts';
import { REASONS } from '../src/verdict.ts';
import { VERSION } from '../src/version.ts';
import { README, withTables } from './support/readme-tables.ts';

const ROOT = new URL('..', import.meta.url).pathname;
const DOCUMENTS = ['README.md', 'ARCHITECTURE.md', 'SECURITY.md', 'CHANGELOG.md', 'bench/README.md'];
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');

describe('README', () => {
  it('has the tables that the code renders (npm run docs writes them)', () => {
    const text = readFileSync(README, 'utf8');
    expect(text).toBe(withTables(text));
  });

  it('names the two commands that do all the set-up', () => {
    expect(read('README.md')).toContain('npm ci && npm start');
    expect(read('README.md')).toContain('npm ci && npm test');
  });

  it('names every route of the data and admin listeners', () => {
    const routes = sources('src').flatMap(
      (file) => read(file).match(/'\/(?:v1|admin\/v1|healthz|readyz|metrics)[a-z0-9/.-]*'/g) ?? [],
    );
    const paths = [...new Set(routes.map((route) => route.slice(1, -1)))].filter(
      (path) => !path.includes('//'),
    );
    expect(paths.length).toBeGreaterThan(9);
    for (const path of paths) expect(read('README.md'), path).toContain(path);
  });
});

describe('every document', () => {
  it('links to files that exist', () => {
    for (const name of DOCUMENTS) {
      for (const [, target = ''] of read(name).matchAll(/\]\(([^)#:]+)\)/g)) {
        expect(existsSync(join(ROOT, name, '..', target)), `${name}: ${target}`).toBe(true);
      }
    }
  });

  it('names only settings that there are', () => {
    const known = Object.values(SETTINGS).map(({ env }) => env as string);
    for (const name of DOCUMENTS) {
      for (const [setting] of read(name).matchAll(/\bVIGIE_[A-Z_]*[A-Z]\b/g)) {
        expect(known, `${name}: ${setting}`).toContain(setting);
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
  const document = JSON.stringify(openapiDocument(VERSION));

  it('names every reason, every problem type and the limits', () => {
    for (const { reason } of REASONS) expect(document).toContain(`"${reason}"`);
    for (const type of Object.keys(PROBLEMS)) expect(document).toContain(`"${type}"`);
    expect(document).toContain(`${LIMITS.batchItems} items`);
  });

  it('resolves each of its references', () => {
    const { components } = openapiDocument(VERSION) as {
      components: Record<string, Record<string, unknown>>;
    };
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
