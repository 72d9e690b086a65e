/**
 * Reads and validates the settings, from the environment or from flags (`VIGIE_ADMIN_PORT` is `--admin-port`), flags
 * first; all of them before anything starts.
 */
import { join } from 'node:path';
import { type Config, SETTINGS, type SettingName } from './config.ts';
import { isLoopback } from './loopback.ts';
import { parseNetworks } from './networks.ts';
import type { Setting } from './setting.ts';

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly errors: readonly string[] };

/** No setting is called so: each secret is a file that a setting names. */
const SECRET_NAME = /PASS(WORD|WD|PHRASE)?|TOKEN|SECRET|CREDENTIAL|_KEYS?$|PRIVATE/;

/**
 * What names a file mostly has a dot, a slash, or is short; a hexadecimal or base64 secret, and PEM, mostly not. A secret
 * that passes names no file, and whoever looks for that does not repeat it either.
 */
const SECRET_ITSELF = /^[A-Za-z0-9_+=-]{32,}$|-----BEGIN/;

/** The flag of a setting, e.g. `--admin-port`. */
export function flagOf(setting: Setting): string {
  return `--${setting.env.slice('VIGIE_'.length).toLowerCase().replaceAll('_', '-')}`;
}

/** The default in words, for `--help` and the README: the same on every machine. */
export function describeDefault(setting: Setting): string {
  return setting.defaultNote ?? String(setting.default);
}

/** Reads and validates every setting. An empty value counts as not set. Errors name the setting, never a secret. */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>>,
  flags: Partial<Record<SettingName, string>> = {},
): ConfigResult {
  const errors: string[] = [];
  const raw = (name: SettingName): string | undefined => {
    const value = flags[name] ?? environment[SETTINGS[name].env];
    return value === '' ? undefined : value;
  };
  const values = {} as Record<SettingName, string | number | undefined>;
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const { env } = SETTINGS[name];
    if (env.endsWith('_FILE') && SECRET_ITSELF.test(raw(name) ?? '')) {
      // Not repeated, as errors of reading it would.
      errors.push(`${env} looks like a secret itself: write it into a file, and name the file`);
      continue;
    }
    const parsed = parseSetting(SETTINGS[name], raw(name));
    if (parsed.error === undefined) values[name] = parsed.value;
    else errors.push(parsed.error);
  }
  errors.push(...refusals(values, raw('auth') !== undefined));
  if (errors.length > 0) return { ok: false, errors };

  const known = new Set(Object.values(SETTINGS).map((setting) => setting.env as string));
  const unknownNames = Object.keys(environment).filter(
    (name) => name.startsWith('VIGIE_') && !known.has(name),
  );
  const config = {
    ...values,
    secretFile: values.secretFile ?? join(values.dataDir as string, 'secret'),
    demo: values.trustList === undefined,
    allowAt: values.allowAt === 'true',
    unknownNames,
    secretNames: unknownNames.filter((name) => SECRET_NAME.test(name)),
    verificationAudit: values.verificationAudit === 'on',
  };
  // Each member was parsed by its own row of SETTINGS, whose kinds mirror Config's members.
  return { ok: true, config: config as unknown as Config };
}

type Parsed =
  | { readonly value: string | number | undefined; readonly error?: undefined }
  | { readonly error: string };

function parseSetting(setting: Setting, value: string | undefined): Parsed {
  if (value === undefined) {
    return { value: setting.default };
  }
  switch (setting.kind) {
    case 'text':
      return { value };
    case 'choice':
      if (setting.choices.includes(value)) return { value };
      return { error: `${setting.env} must be one of ${setting.choices.join(', ')}` };
    case 'integer':
    case 'ratio': {
      const orNever = setting.kind === 'integer' && setting.orNever === true;
      if (orNever && value === 'never') return { value: Number.POSITIVE_INFINITY };
      const form = setting.kind === 'integer' ? /^\d{1,15}$/ : /^(\d+(\.\d*)?|\.\d+)(e-?\d+)?$/i;
      const number = form.test(value) ? Number(value) : Number.NaN;
      if (number >= setting.min && number <= setting.max) return { value: number };
      const what = setting.kind === 'integer' ? 'a whole number' : 'a number';
      const never = orNever ? ', or never' : '';
      return { error: `${setting.env} must be ${what} from ${setting.min} to ${setting.max}${never}` };
    }
  }
}

/** Combinations that this gateway must not start with: what cannot be honoured is refused, never ignored. */
function refusals(values: Record<SettingName, string | number | undefined>, authIsSet: boolean): string[] {
  const errors: string[] = [];
  if (values.auth === 'oauth') {
    errors.push('VIGIE_AUTH=oauth is not available in this release; none and keys are');
  }
  if (values.auth === 'keys' && values.callersFile === undefined) {
    errors.push('VIGIE_AUTH=keys needs VIGIE_CALLERS_FILE: it names who may call');
  }
  if (values.auth !== 'keys' && values.callersFile !== undefined) {
    errors.push(
      'VIGIE_CALLERS_FILE is for VIGIE_AUTH=keys: without it anybody may call, whatever the file says',
    );
  }
  if (values.auth === 'keys' && values.allowAt === 'true') {
    errors.push(
      'VIGIE_ALLOW_AT is for VIGIE_AUTH=none: with keys the scope at says who may choose the instant',
    );
  }
  if ((values.tlsCertFile === undefined) !== (values.tlsKeyFile === undefined)) {
    errors.push('VIGIE_TLS_CERT_FILE and VIGIE_TLS_KEY_FILE belong together');
  }
  if (values.tlsClientCaFile !== undefined && values.tlsCertFile === undefined) {
    errors.push('VIGIE_TLS_CLIENT_CA_FILE needs VIGIE_TLS_CERT_FILE: only TLS has certificates of callers');
  }
  if (typeof values.trustedProxies === 'string' && parseNetworks(values.trustedProxies) === undefined) {
    errors.push('VIGIE_TRUSTED_PROXIES must be addresses or networks (10.0.0.0/8), by commas');
  }
  if (values.trustedProxies !== undefined && values.tlsCertFile !== undefined) {
    errors.push(
      'VIGIE_TRUSTED_PROXIES is for a listener without TLS: a proxy speaks its protocol before the handshake, where it is not read',
    );
  }
  if (typeof values.host === 'string' && !isLoopback(values.host) && !authIsSet) {
    errors.push('VIGIE_HOST is not loopback: say VIGIE_AUTH=none explicitly to let anybody call it');
  }
  if (
    typeof values.adminHost === 'string' &&
    !isLoopback(values.adminHost) &&
    values.adminTokenFile === undefined &&
    values.adminCallersFile === undefined
  ) {
    errors.push(
      'VIGIE_ADMIN_HOST is not loopback: VIGIE_ADMIN_TOKEN_FILE must name a token, or VIGIE_ADMIN_CALLERS_FILE its users',
    );
  }
  // Braces would end the hash tag early and scatter the keys over a cluster.
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(values.redisPrefix as string)) {
    errors.push('VIGIE_REDIS_PREFIX must be 1 to 64 letters, digits, dots, _ or -');
  }
  const isOtherEngine = values.engine === 'openssl' || values.engine === 'noble';
  if (values.kernel !== undefined && values.kernel !== 'auto' && isOtherEngine) {
    errors.push(
      `VIGIE_KERNEL chooses within the native engine, and VIGIE_ENGINE=${values.engine} is another`,
    );
  }
  return errors;
}
