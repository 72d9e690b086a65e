/** Fails when a manifest, its lockfile or npm's settings let in what nobody vouched for (lockfile-faults.mjs). */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockfileFaults, settingsFaults } from './lockfile-faults.mjs';

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

const faults = ['.', 'bench'].flatMap((folder) => {
  const file = (name) => join(folder, name);
  const npmrc = existsSync(file('.npmrc')) ? readFileSync(file('.npmrc'), 'utf8') : '';
  const found = [
    ...lockfileFaults(readJson(file('package-lock.json')), readJson(file('package.json'))),
    ...settingsFaults(npmrc),
  ];
  // npm would read it in the lockfile's place.
  if (existsSync(file('npm-shrinkwrap.json'))) found.push('npm-shrinkwrap.json is there');
  return found.map((fault) => `${folder}: ${fault}`);
});
for (const fault of faults) console.error(fault);
console.log(faults.length === 0 ? 'lockfiles: sound' : `lockfiles: ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
