/** `npm run docs`: brings the tables of the README and of the runbook up to date with the code and the results. */
import { readFileSync, writeFileSync } from 'node:fs';
import { README, withTables } from './readme-tables.ts';
import { RUNBOOK, withCapacity } from './runbook-tables.ts';

writeFileSync(README, await withTables(readFileSync(README, 'utf8')));
writeFileSync(RUNBOOK, withCapacity(readFileSync(RUNBOOK, 'utf8')));
