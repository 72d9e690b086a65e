/** Which listener a command calls: `--url`, or the same environment names that start the gateway. */
import { readBearerTokenFile } from '../bearer-token.ts';
import { SETTINGS } from '../config.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export type Listener =
  | { readonly ok: true; readonly baseUrl: string }
  | { readonly ok: false; readonly fault: string };

export function dataListener(environment: Environment, url?: string): Listener {
  const scheme = environment[SETTINGS.tlsCertFile.env] ? 'https' : 'http';
  return url === undefined ? fromSettings(environment, SETTINGS.host, SETTINGS.port, scheme) : fromUrl(url);
}

export function adminListener(environment: Environment, url?: string): Listener {
  return url === undefined ? fromSettings(environment, SETTINGS.adminHost, SETTINGS.adminPort) : fromUrl(url);
}

/** The bearer token for the admin listener; none where no file is named. */
export function adminToken(
  environment: Environment,
  file: string | undefined,
):
  | { readonly ok: true; readonly token: string | undefined }
  | { readonly ok: false; readonly fault: string } {
  const path = file ?? (environment[SETTINGS.adminTokenFile.env] || undefined);
  return path === undefined ? { ok: true, token: undefined } : readBearerTokenFile(path);
}

/** No setting of a gateway: names the file with the key of whoever calls one. */
export const ACCESS_KEY_FILE = 'VIGIE_ACCESS_KEY_FILE';

/** The access key for the data listener; none where no file is named. */
export function accessKey(environment: Environment, file: string | undefined): ReturnType<typeof adminToken> {
  const path = file ?? (environment[ACCESS_KEY_FILE] || undefined);
  return path === undefined ? { ok: true, token: undefined } : readBearerTokenFile(path);
}

function fromUrl(text: string): Listener {
  if (!URL.canParse(text)) return { ok: false, fault: '--url is no URL' };
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return { ok: false, fault: '--url must begin with http:// or https://' };
  }
  if (url.username !== '' || url.password !== '') return { ok: false, fault: '--url must hold no password' };
  return { ok: true, baseUrl: url.origin };
}

function fromSettings(
  environment: Environment,
  host: { readonly env: string; readonly default: string },
  port: { readonly env: string; readonly default: number },
  scheme = 'http',
): Listener {
  const portText = environment[port.env] || String(port.default);
  const portNumber = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  if (portNumber < 1 || portNumber > 65_535) {
    return { ok: false, fault: `${port.env} names no port that can be called: give --url` };
  }
  const authority = formatHost(callableHost(environment[host.env] || host.default));
  const url = `${scheme}://${authority}:${portNumber}`;
  return URL.canParse(url)
    ? { ok: true, baseUrl: url }
    : { ok: false, fault: `${host.env} names no host that can be called: give --url` };
}

/** A gateway that listens on every address is called on this machine's own. */
export function callableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' || host === '[::]' ? '::1' : host;
}

/** An IPv6 address stands in brackets in a URL (RFC 3986 section 3.2.2). */
export function formatHost(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
