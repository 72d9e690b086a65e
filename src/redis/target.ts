/**
 * Where Redis is: what `VIGIE_REDIS_URL` may say. Three forms, and each with TLS (`rediss`):
 *
 *     redis://[user@]host[:6379][/database]
 *     redis+sentinel://[user@]host[:26379][,host[:26379] …]/primary-name
 *     redis+cluster://[user@]host[:6379][,host[:6379] …]
 *
 * A password never stands in the URL, where process lists, crash reports and configuration dumps show it; it is
 * in a file. Errors name the setting and never repeat the value: somebody may have put a password there.
 */

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export type RedisTarget = {
  readonly tls: boolean;
  /** ACL user; `undefined`: Redis's `default` user. */
  readonly username: string | undefined;
} & (
  | { readonly kind: 'server'; readonly address: HostPort; readonly database: number }
  | { readonly kind: 'sentinel'; readonly sentinels: readonly HostPort[]; readonly primaryName: string }
  | { readonly kind: 'cluster'; readonly seeds: readonly HostPort[] }
);

export type RedisTargetResult =
  | { readonly ok: true; readonly target: RedisTarget }
  | { readonly ok: false; readonly error: string };

const NAME = 'VIGIE_REDIS_URL';
const SCHEME = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/([^/?#]*)(?:\/([^?#]*))?$/;
const HOST_PORT = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/;
/** Redis counts databases from 0 and has 16 unless told otherwise. */
const MAX_DATABASE = 65_535;

export function parseRedisUrl(url: string): RedisTargetResult {
  const [, scheme, form, authority, path = ''] = SCHEME.exec(url) ?? [];
  if (scheme === undefined || authority === undefined) {
    return fail(
      'must be redis://, redis+sentinel:// or redis+cluster://, or these with rediss, without ? or #',
    );
  }
  const user = parseUser(authority);
  if (typeof user === 'string') return fail(user);
  const hosts = user.hosts.split(',');
  const common = { tls: scheme === 'rediss', username: user.username };
  switch (form) {
    case 'sentinel':
      return sentinels(common, hosts, path);
    case 'cluster':
      return cluster(common, hosts, path);
    default:
      return server(common, hosts, path);
  }
}

interface Common {
  readonly tls: boolean;
  readonly username: string | undefined;
}

function server(common: Common, hosts: readonly string[], path: string): RedisTargetResult {
  const address = hosts.length === 1 ? parseHost(hosts[0] as string, 6379) : undefined;
  if (address === undefined) return fail('must name one host[:port]');
  if (!/^\d{0,5}$/.test(path) || Number(path) > MAX_DATABASE) {
    return fail('must end after the host, or in the number of a database');
  }
  return { ok: true, target: { ...common, kind: 'server', address, database: Number(path) } };
}

function sentinels(common: Common, hosts: readonly string[], path: string): RedisTargetResult {
  const addresses = parseHosts(hosts, 26379);
  if (addresses === undefined) return fail('must name the sentinels as host[:port], separated by commas');
  if (!/^[A-Za-z0-9._-]{1,128}$/.test(path))
    return fail("must end in the primary's name, as Sentinel knows it");
  return {
    ok: true,
    target: { ...common, kind: 'sentinel', sentinels: addresses, primaryName: path },
  };
}

function cluster(common: Common, hosts: readonly string[], path: string): RedisTargetResult {
  const seeds = parseHosts(hosts, 6379);
  if (seeds === undefined)
    return fail("must name some of the cluster's nodes as host[:port], separated by commas");
  if (path !== '') return fail('must end after the hosts: a cluster has no numbered databases');
  return { ok: true, target: { ...common, kind: 'cluster', seeds } };
}

function parseUser(authority: string): { username: string | undefined; hosts: string } | string {
  const at = authority.lastIndexOf('@');
  if (at < 0) return { username: undefined, hosts: authority };
  const user = authority.slice(0, at);
  if (user.includes(':')) return 'must not hold a password: name its file in VIGIE_REDIS_PASSWORD_FILE';
  let username: string;
  try {
    username = decodeURIComponent(user);
  } catch {
    return 'has a user name that is not percent-encoded UTF-8';
  }
  if (!/^[^\s\p{Cc}]{1,128}$/u.test(username)) return 'has a user name that no Redis user can have';
  return { username, hosts: authority.slice(at + 1) };
}

/** Each may be asked at every reconnection. */
const MAX_HOSTS = 16;

function parseHosts(hosts: readonly string[], defaultPort: number): readonly HostPort[] | undefined {
  const addresses = hosts.flatMap((host) => parseHost(host, defaultPort) ?? []);
  return addresses.length === hosts.length && hosts.length <= MAX_HOSTS ? addresses : undefined;
}

function parseHost(text: string, defaultPort: number): HostPort | undefined {
  const [, host, port] = HOST_PORT.exec(text) ?? [];
  if (host === undefined) return undefined;
  const number = port === undefined ? defaultPort : Number(port);
  if (number < 1 || number > 65_535) return undefined;
  return { host: host.replace(/^\[|\]$/g, ''), port: number };
}

function fail(why: string): RedisTargetResult {
  return { ok: false, error: `${NAME} ${why}` };
}
