/** Builds k6 ahead of its use, as a process of its own; what it cannot build is said again where it is needed. */
import { prepareK6 } from './build-k6.ts';

const k6 = prepareK6();
console.error(k6.ok ? `k6 ${k6.version} is built` : `k6: not run (${k6.why})`);
