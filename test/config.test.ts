import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { type Config, SETTINGS, type SettingName } from '../src/config.ts';
import { flagOf, readConfig } from '../src/read-config.ts';

type Environment = Record<string, string | undefined>;

function configOf(environment: Environment, flags: Partial<Record<SettingName, string>> = {}): Config {
  const result = readConfig(environment, flags);
  if (!result.ok) throw new Error(result.errors.join('\n'));
  return result.config;
}

function errorsOf(
  environment: Environment,
  flags: Partial<Record<SettingName, string>> = {},
): readonly string[] {
  const result = readConfig(environment, flags);
  return result.ok ? [] : result.errors;
}

describe('with nothing set', () => {
  it('everything has its documented default', () => {
    expect(configOf({})).toEqual({
      host: '127.0.0.1',
      port: 8080,
      adminHost: '127.0.0.1',
      adminPort: 8081,
      metricsHost: '127.0.0.1',
      metricsPort: 9464,
      auth: 'none',
      adminTokenFile: undefined,
      callersRefreshSeconds: 5,
      trustList: undefined,
      trustListKeyFile: undefined,
      trustListRefreshSeconds: 300,
      trustListMaxAgeSeconds: 604_800,
      trustListMaxBytes: 4_194_304,
      trustListTimeoutMs: 5_000,
      dataDir: '.vigie',
      secretFile: '.vigie/secret',
      redisPrefix: 'vigie',
      redisWaitReplicas: 0,
      redisWaitMs: 500,
      redisTimeoutMs: 500,
      replayEntries: 2_000_000,
      replayTimeoutMs: 100,
      engine: 'auto',
      kernel: 'auto',
      keyCacheBytes: 67_108_864,
      crossCheckOneIn: 4_096,
      workers: Math.min(availableParallelism(), 64),
      workerHangMs: 5_000,
      workerHeapMb: 1_024,
      logLevel: 'info',
      accessLogOneIn: 0,
      auditDays: 365,
      verificationAudit: false,
      massChangeLimit: 10_000,
      idempotencyMaxKeys: 1_000_000,
      filterCapacity: 10_000_000,
      filterFalsePositiveRate: 1e-6,
      filterExpiryGraceDays: 30,
      statusMapBytes: 17_179_869_184,
      revocationMaxAgeSeconds: 86_400,
      proofWindowSeconds: 60,
      allowAt: false,
      batchSlice: 256,
      maxConnections: 20_000,
      queueTargetMs: 5,
      batchQueueMs: 250,
      batchWaitMs: 2_000,
      bodyIdleTimeoutMs: 5_000,
      bodyTimeoutMs: 60_000,
      bodyMemoryBytes: 268_435_456,
      answerTimeoutMs: 60_000,
      canary: 'auto',
      canaryIntervalMs: 5_000,
      canaryDeadlineMs: 30_000,
      drainTimeoutMs: 10_000,
      demo: true,
      unknownNames: [],
      secretNames: [],
    });
  });

  it('an empty value is a value not set', () => {
    const empty = Object.fromEntries(Object.values(SETTINGS).map(({ env }) => [env, '']));
    expect(configOf(empty)).toEqual(configOf({}));
  });
});

describe('where a value comes from', () => {
  it('the environment over the default, a flag over the environment', () => {
    expect(configOf({ VIGIE_PORT: '1' }).port).toBe(1);
    expect(configOf({ VIGIE_PORT: '1' }, { port: '2' }).port).toBe(2);
    expect(configOf({ VIGIE_PORT: 'x' }, { port: '2' }).port).toBe(2);
  });

  it('the secret stands in the data directory unless it is named', () => {
    expect(configOf({ VIGIE_DATA_DIR: '/var/lib/vigie' })).toMatchObject({
      secretFile: '/var/lib/vigie/secret',
    });
    expect(configOf({ VIGIE_SECRET_FILE: '/run/secret' })).toMatchObject({
      secretFile: '/run/secret',
    });
  });

  it('a trust list named ends the demo mode', () => {
    expect(configOf({ VIGIE_TRUST_LIST: 'list.json' })).toMatchObject({
      demo: false,
      trustList: 'list.json',
    });
  });

  it('VIGIE_ names that are no settings are told, other names are not', () => {
    const environment = { VIGIE_PROT: '1', VIGIE_: 'x', PATH: '/bin', vigie_port: '1', VIGIE_PORT: '1' };
    expect(configOf(environment).unknownNames).toEqual(['VIGIE_PROT', 'VIGIE_']);
  });

  it('of those, what sounds like a secret is told apart', () => {
    const names = [
      'VIGIE_REDIS_PASSWORD',
      'VIGIE_ADMIN_TOKEN',
      'VIGIE_SECRET',
      'VIGIE_TLS_KEY',
      'VIGIE_PROT',
    ];
    const config = configOf(Object.fromEntries(names.map((name) => [name, 'x'])));
    expect(config.secretNames).toEqual(names.slice(0, -1));
  });

  it('a file is named, not its content: what looks like a secret is refused unrepeated', () => {
    const isRefused = (value: string): boolean => {
      const read = readConfig({ VIGIE_ADMIN_TOKEN_FILE: value });
      if (!read.ok) expect(read.errors.join()).not.toContain(value);
      return !read.ok;
    };
    const secrets = ['0123456789abcdef'.repeat(4), `${'Ab1_'.repeat(11)}=`, '-----BEGIN PRIVATE KEY-----'];
    expect(secrets.filter(isRefused)).toEqual(secrets);
    const files = [
      'token',
      './token',
      `/run/${'a'.repeat(64)}`,
      `${'a'.repeat(40)}.txt`,
      'admin-token-of-the-gateway',
    ];
    expect(files.filter(isRefused)).toEqual([]);
  });

  it('flags are the names in kebab-case', () => {
    expect(flagOf(SETTINGS.adminPort)).toBe('--admin-port');
    expect(flagOf(SETTINGS.filterFalsePositiveRate)).toBe('--filter-false-positive-rate');
    const flags = Object.values(SETTINGS).map(flagOf);
    expect(new Set(flags).size).toBe(flags.length);
  });
});

describe('a bad value', () => {
  const numeric = Object.values(SETTINGS).filter((setting) => 'min' in setting);

  it.each(numeric)('$env is refused outside its range and in any other form', (setting) => {
    const { env, kind, min, max } = setting;
    const never = 'orNever' in setting ? ', or never' : '';
    const what = kind === 'integer' ? 'a whole number' : 'a number';
    const error = `${env} must be ${what} from ${min} to ${max}${never}`;
    const outside = [
      `${min - 1}`,
      `${max + 1}`,
      '-1',
      'x',
      ' 1',
      '1 ',
      '0x10',
      'NaN',
      'Infinity',
      '1_000',
      '+5',
      '1e999',
    ];
    for (const value of outside) {
      if (kind === 'integer' || value !== '0')
        expect([value, errorsOf({ [env]: value })[0]]).toEqual([value, error]);
    }
    if (kind === 'integer') expect(errorsOf({ [env]: `${min}.5` })).toEqual([error]);
    expect(errorsOf({ [env]: `${min}` })).toEqual([]);
    expect(errorsOf({ [env]: `${max}` })).toEqual([]);
  });

  it('never may be said of a grace, and of no other number', () => {
    expect(configOf({ VIGIE_FILTER_EXPIRY_GRACE_DAYS: 'never' }).filterExpiryGraceDays).toBe(Infinity);
    expect(errorsOf({ VIGIE_FILTER_CAPACITY: 'never' })).toHaveLength(1);
  });

  it.each(['1e-6', '0.000001', '.5', '5E-7'])('a ratio may be written %s', (value) => {
    expect(configOf({ VIGIE_FILTER_FALSE_POSITIVE_RATE: value }).filterFalsePositiveRate).toBe(Number(value));
  });

  it.each([
    [{ VIGIE_ENGINE: 'OpenSSL' }, 'VIGIE_ENGINE must be one of auto, native, openssl, noble'],
    [
      { VIGIE_LOG_LEVEL: 'verbose' },
      'VIGIE_LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent',
    ],
    [{ VIGIE_AUTH: 'basic' }, 'VIGIE_AUTH must be one of none, keys, oauth'],
    [{ VIGIE_KERNEL: 'avx2' }, 'VIGIE_KERNEL must be one of auto, ifma, portable'],
  ])('%j is refused by name', (environment, error) => {
    expect(errorsOf(environment)).toEqual([error]);
  });

  it('all are told at once', () => {
    expect(errorsOf({ VIGIE_PORT: 'x', VIGIE_ENGINE: 'y' }, { workers: '0' })).toHaveLength(3);
  });

  it('a refusal never repeats the value, which may be a secret put in the wrong place', () => {
    const values = Object.fromEntries(Object.values(SETTINGS).map(({ env }) => [env, 'MARKED']));
    expect(errorsOf(values).length).toBeGreaterThan(20);
    expect(errorsOf(values).join()).not.toContain('MARKED');
  });
});

describe('combinations that must not start', () => {
  it.each([
    [
      { VIGIE_HOST: '0.0.0.0' },
      'VIGIE_HOST is not loopback: say VIGIE_AUTH=none explicitly to let anybody call it',
    ],
    [
      { VIGIE_HOST: '0.0.0.0', VIGIE_AUTH: '' },
      'VIGIE_HOST is not loopback: say VIGIE_AUTH=none explicitly to let anybody call it',
    ],
    [
      { VIGIE_ADMIN_HOST: '::' },
      'VIGIE_ADMIN_HOST is not loopback: VIGIE_ADMIN_TOKEN_FILE must name a token, or VIGIE_ADMIN_CALLERS_FILE its users',
    ],
    [{ VIGIE_AUTH: 'keys' }, 'VIGIE_AUTH=keys needs VIGIE_CALLERS_FILE: it names who may call'],
    [
      { VIGIE_CALLERS_FILE: '/run/callers' },
      'VIGIE_CALLERS_FILE is for VIGIE_AUTH=keys: without it anybody may call, whatever the file says',
    ],
    [
      { VIGIE_AUTH: 'keys', VIGIE_CALLERS_FILE: '/run/callers', VIGIE_ALLOW_AT: 'true' },
      'VIGIE_ALLOW_AT is for VIGIE_AUTH=none: with keys the scope at says who may choose the instant',
    ],
    [{ VIGIE_AUTH: 'oauth' }, 'VIGIE_AUTH=oauth is not available in this release; none and keys are'],
    [{ VIGIE_TLS_CERT_FILE: '/run/cert' }, 'VIGIE_TLS_CERT_FILE and VIGIE_TLS_KEY_FILE belong together'],
    [
      { VIGIE_TLS_CLIENT_CA_FILE: '/run/ca' },
      'VIGIE_TLS_CLIENT_CA_FILE needs VIGIE_TLS_CERT_FILE: only TLS has certificates of callers',
    ],
    [
      { VIGIE_TRUSTED_PROXIES: '10.0.0.0/33' },
      'VIGIE_TRUSTED_PROXIES must be addresses or networks (10.0.0.0/8), by commas',
    ],
    [{ VIGIE_REDIS_PREFIX: 'a}b' }, 'VIGIE_REDIS_PREFIX must be 1 to 64 letters, digits, dots, _ or -'],
    [
      { VIGIE_KERNEL: 'ifma', VIGIE_ENGINE: 'openssl' },
      'VIGIE_KERNEL chooses within the native engine, and VIGIE_ENGINE=openssl is another',
    ],
    [
      { VIGIE_KERNEL: 'portable', VIGIE_ENGINE: 'noble' },
      'VIGIE_KERNEL chooses within the native engine, and VIGIE_ENGINE=noble is another',
    ],
  ])('%j', (environment, error) => {
    expect(errorsOf(environment)).toEqual([error]);
  });

  it.each([
    { VIGIE_HOST: '0.0.0.0', VIGIE_AUTH: 'none' },
    { VIGIE_HOST: '0.0.0.0', VIGIE_AUTH: 'keys', VIGIE_CALLERS_FILE: '/run/callers' },
    { VIGIE_ADMIN_HOST: '::', VIGIE_ADMIN_CALLERS_FILE: '/run/users' },
    { VIGIE_TLS_CERT_FILE: '/run/cert', VIGIE_TLS_KEY_FILE: '/run/key', VIGIE_TLS_CLIENT_CA_FILE: '/run/ca' },
    { VIGIE_TRUSTED_PROXIES: '10.0.0.0/8, 2001:db8::1' },
    { VIGIE_HOST: '::1' },
    { VIGIE_HOST: 'localhost' },
    { VIGIE_ADMIN_HOST: '0.0.0.0', VIGIE_ADMIN_TOKEN_FILE: '/run/token' },
    { VIGIE_METRICS_HOST: '0.0.0.0' },
    { VIGIE_KERNEL: 'portable', VIGIE_ENGINE: 'native' },
    { VIGIE_KERNEL: 'portable', VIGIE_ENGINE: 'auto' },
    { VIGIE_KERNEL: 'ifma' },
    { VIGIE_KERNEL: 'auto', VIGIE_ENGINE: 'noble' },
  ])('%j may start', (environment) => {
    expect(errorsOf(environment)).toEqual([]);
  });
});
