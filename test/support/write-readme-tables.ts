/** `npm run docs`: brings the README's tables up to date with the code. */
import { readFileSync, writeFileSync } from 'node:fs';
import { README, withTables } from './readme-tables.ts';

writeFileSync(README, await withTables(readFileSync(README, 'utf8')));
