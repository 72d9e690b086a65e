/** Which names of hosts stay on this machine: what may go without a token, or without TLS. */

/**
 * Takes a host as settings, URLs and Host headers spell it, without its port. URL parsers have already
 * normalised other spellings of IPv4 (`127.1`, `0x7f.1`); unparsed, those count as foreign.
 */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}
