/** Fails when a lockfile names a registry's address, or a package without an integrity hash. */
import { readFileSync } from 'node:fs';

const faults = [];
for (const file of ['package-lock.json', 'bench/package-lock.json']) {
  const { packages } = JSON.parse(readFileSync(file, 'utf8'));
  for (const [path, entry] of Object.entries(packages)) {
    if (path === '' || entry.link === true) continue;
    if (entry.integrity === undefined) faults.push(`${file}: ${path} has no integrity`);
    if (/^https?:/.test(entry.resolved ?? '')) faults.push(`${file}: ${path} names an address`);
  }
}
for (const fault of faults) console.error(fault);
console.log(faults.length === 0 ? 'lockfiles: sound' : `lockfiles: ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
