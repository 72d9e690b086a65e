/** Writes dashboards/*.json anew: `npm run dashboards`. What no page makes any more is removed. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dashboardFiles } from './src/dashboards.ts';

const folder = join(import.meta.dirname, 'dashboards');
mkdirSync(folder, { recursive: true });
for (const name of readdirSync(folder)) rmSync(join(folder, name));
for (const [name, text] of dashboardFiles()) writeFileSync(join(folder, name), text);
