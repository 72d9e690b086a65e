/** Where things stand, from the place of this file: the bench runs from any working directory. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE_DIR = dirname(fileURLToPath(import.meta.url));

export const BENCH_DIR = dirname(SOURCE_DIR);
export const ROOT_DIR = dirname(BENCH_DIR);
/** The built service. */
export const DIST_DIR = join(ROOT_DIR, 'dist');
/** Generated corpora, kept between runs; not under version control. */
export const CACHE_DIR = join(BENCH_DIR, '.cache');
/** Under version control: the latest stored results, and the report made of them. */
export const RESULTS_DIR = join(BENCH_DIR, 'results');
export const LATEST_DIR = join(RESULTS_DIR, 'latest');

/** A file of the bench's own source. */
export function sourceFile(...segments: string[]): string {
  return join(SOURCE_DIR, ...segments);
}
