/** The pages as the files that Grafana is given, byte for byte. */
import { capacity } from './capacity.ts';
import { engineAndCache } from './engine-and-cache.ts';
import { overview } from './overview.ts';
import { buildPage } from './page.ts';
import { revocation } from './revocation.ts';

const PAGES = [overview, engineAndCache, revocation, capacity];

/** File name and text of each. */
export function dashboardFiles(): ReadonlyMap<string, string> {
  return new Map(
    PAGES.map((page) => [`${page.name}.json`, `${JSON.stringify(buildPage(page).build(), null, 2)}\n`]),
  );
}
