/** The bill of materials, held against the lockfile that it is made from and against what is installed. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));

function writeBill(environment: Readonly<Record<string, string>> = {}): string {
  const args = [join(ROOT, 'deploy/image/sbom.mjs')];
  return execFileSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, ...environment } });
}

interface Component {
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses: readonly { readonly license?: { readonly id?: string } }[];
}

it('names every package that production could install, by version, digest and licence, and no other', () => {
  const bill = JSON.parse(writeBill());
  expect(bill).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.5', version: 1 });
  expect(bill.metadata.component).toMatchObject({ type: 'application', name: 'vigie' });
  const named = bill.components.map(({ name, version, hashes }: Component) => {
    const digests = hashes.map(({ alg, content }) => [alg, Buffer.from(content, 'hex').toString('base64')]);
    return [name, version, ...digests.map((digest) => digest.join(' '))].join(' ');
  });
  type Locked = { version: string; integrity: string; dev?: boolean };
  const locked = Object.entries<Locked>(packages)
    .filter(([folder, { dev }]) => folder !== '' && dev !== true)
    .map(([folder, { version, integrity }]) => {
      const digest = integrity.replace('sha512-', 'SHA-512 ');
      // By the name that it is imported by; the package that stands for it is named by `purl`.
      return `${folder.split('node_modules/').at(-1)} ${version} ${digest}`;
    });
  expect(named.sort()).toEqual([...new Set(locked)].sort());
  for (const { name, purl, licenses } of bill.components as Component[]) {
    expect([name, purl.startsWith('pkg:npm/'), licenses.length]).toEqual([name, true, 1]);
  }
  expect(named.join()).not.toMatch(/vitest|typescript|biome/);
});

it('is the same each time, whoever makes it and whenever', () => {
  const text = writeBill();
  expect(writeBill({ TZ: 'Asia/Tokyo', LC_ALL: 'C', NODE_ENV: 'production' })).toBe(text);
  expect(text).not.toMatch(/serialNumber|timestamp/);
  expect(text.endsWith('}\n')).toBe(true);
});

it('names what is needed by what, and nothing that is not there', () => {
  const { components, dependencies, metadata } = JSON.parse(writeBill());
  const known = new Set<string>(components.map((component: Record<string, string>) => component['bom-ref']));
  known.add(metadata.component['bom-ref']);
  expect(
    dependencies.map(({ ref }: { ref: string }) => ref).filter((ref: string) => !known.has(ref)),
  ).toEqual([]);
  const [root] = dependencies.filter(({ ref }: { ref: string }) => ref === metadata.component['bom-ref']);
  expect(root.dependsOn).toContain('lmdb@3.5.6');
  expect(existsSync(join(ROOT, 'node_modules/lmdb'))).toBe(true);
});
