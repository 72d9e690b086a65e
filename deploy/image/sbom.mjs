/**
 * The software bill of materials of the service: CycloneDX as `npm sbom` writes it from the lockfile, of what runs alone
 * (no tools of development), and the same bytes each time.
 *
 *   npm run sbom [-- FILE]    on standard output without one
 *
 * Plain JavaScript, because it runs where only the sources have been compiled.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/**
 * @param folders of the lockfile (`node_modules/…`) that the bill is of; without, all that production could install, on
 *   whatever platform.
 */
export function billOfMaterials(folders = productionFolders()) {
  // Not `--omit=dev`: that leaves out packages which tools of development need as well as the service.
  const what = ['--package-lock-only', '--include=dev', '--sbom-format=cyclonedx', '--sbom-type=application'];
  const bill = JSON.parse(
    execFileSync('npm', ['sbom', ...what], { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 26 }),
  );
  // What differs from run to run, machine to machine and npm to npm says nothing of the service.
  delete bill.serialNumber;
  delete bill.metadata.timestamp;
  delete bill.metadata.tools;
  bill.metadata.component.name = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).name;
  bill.components.sort(byReference('bom-ref'));
  bill.dependencies.sort(byReference('ref'));
  return onlyOf(bill, folders);
}

function lockedPackages() {
  return JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
}

function productionFolders() {
  return Object.entries(lockedPackages())
    .filter(([folder, { dev }]) => folder !== '' && dev !== true)
    .map(([folder]) => folder);
}

function byReference(name) {
  return (one, other) => (one[name] < other[name] ? -1 : 1);
}

/** Of the packages in these folders, and of what they need among themselves. */
function onlyOf(bill, folders) {
  const packages = lockedPackages();
  const kept = new Set(
    folders.map((folder) => {
      const { name = folder.split('node_modules/').at(-1), version } = packages[folder];
      return `${name}@${version}`;
    }),
  );
  kept.add(bill.metadata.component['bom-ref']);
  const components = bill.components.filter((component) => kept.has(component['bom-ref']));
  const dependencies = bill.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((one) => kept.has(one)).sort() }));
  return { ...bill, components, dependencies };
}

export function textOf(bill) {
  return `${JSON.stringify(bill, undefined, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [file] = process.argv.slice(2);
  const text = textOf(billOfMaterials());
  if (file === undefined) process.stdout.write(text);
  else writeFileSync(file, text);
}
