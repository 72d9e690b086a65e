/**
 * What, in how node was started, would open the process's memory or its connections to others: a debugger, dumps of the
 * heap, reports with the environment, keys of TLS connections, libraries that tell what they send. Whoever sets
 * NODE_OPTIONS can run code here in any case (`--import`); this is against what stays behind from a search for a fault.
 */
import inspector from 'node:inspector';

/** Of options in any spelling that Node.js takes: `_` is `-` there. */
const EXPOSING =
  /^--(inspect|heapsnapshot-|report-on-|report-uncaught-|tls-keylog|trace-tls|heap-prof|experimental-inspect)/;

/** Where these are set, libraries and Node.js write to standard error what they do: ioredis, for one, its password. */
const TALKING = ['DEBUG', 'NODE_DEBUG', 'NODE_DEBUG_NATIVE'];

/** Names of what exposes it, without values; empty as it should be. */
export function exposures(
  execArgv: readonly string[] = process.execArgv,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): readonly string[] {
  const options = [...execArgv, ...(environment.NODE_OPTIONS ?? '').split(/[\s"]+/)];
  const names = options
    .map((option) => (option.split('=', 1)[0] ?? '').replaceAll('_', '-'))
    .filter((name) => EXPOSING.test(name));
  if (environment.NODE_TLS_REJECT_UNAUTHORIZED === '0') names.push('NODE_TLS_REJECT_UNAUTHORIZED');
  names.push(...TALKING.filter((name) => (environment[name] ?? '') !== ''));
  // However it was opened.
  if (names.length === 0 && inspector.url() !== undefined) names.push('a debugger');
  return [...new Set(names)];
}
