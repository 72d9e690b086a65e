/** compose.yaml, as far as it can be judged without a container engine: what it mounts, and what every service has. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { DEPLOY } from '../../deploy/stack/deploy-files.ts';
import { SETTINGS } from '../../src/config.ts';
import { readConfig } from '../../src/read-config.ts';

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string };
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly restart: string;
  readonly stop_grace_period: string;
  readonly healthcheck: { readonly test: readonly string[] };
  readonly deploy: { readonly resources: { readonly limits: Readonly<Record<string, unknown>> } };
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly secrets?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  // Not read-only arrays: Array.isArray does not tell those from objects.
  readonly networks: string[] | Readonly<Record<string, { readonly ipv4_address?: string }>>;
  readonly depends_on?: string[] | Readonly<Record<string, unknown>>;
}

interface Network {
  readonly ipam: { readonly config: readonly { readonly subnet: string; readonly ip_range: string }[] };
}

/** Strictly: a name that stands twice is an error, and merge keys are followed as Compose follows them. */
const COMPOSE: {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly volumes: object;
  readonly networks: Readonly<Record<string, Network>>;
} = parse(readFileSync(join(DEPLOY, 'compose.yaml'), 'utf8'), {
  merge: true,
  uniqueKeys: true,
  strict: true,
});

/** `${NAME:-default}` is its default. */
const plain = (text: string) => text.replaceAll(/\$\{[A-Z_]+:-([^}]*)\}/g, '$1');

/** What an operator makes, and is not in the repository. */
const MADE = ['secrets', 'trust'];

describe.each(Object.entries(COMPOSE.services))('%s', (_name, service) => {
  it('has the rights that it needs and no more, bounds, and an image of one version', () => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], restart: 'unless-stopped' });
    expect(service.security_opt).toContain('no-new-privileges:true');
    expect(service.image).toMatch(/^[a-z/]+:v?\d+\.\d+\.\d+(-alpine)?$/);
    expect(service.healthcheck.test.length).toBeGreaterThan(1);
    expect(Object.keys(service.deploy.resources.limits).sort()).toEqual(['cpus', 'memory', 'pids']);
    expect(service.stop_grace_period ?? '10s').toMatch(/^\d+s$/);
  });

  it('is open to this host alone', () => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  it('mounts files that are there, and writes to a volume of its own at most', () => {
    for (const volume of service.volumes ?? []) {
      const [source = '', target = '', mode] = volume.split(':');
      expect(target).toMatch(/^\//);
      if (!source.startsWith('./')) {
        expect(Object.keys(COMPOSE.volumes)).toContain(source);
        continue;
      }
      expect(mode, volume).toBe('ro');
      const [top = ''] = source.slice(2).split('/');
      if (!MADE.includes(top)) expect(existsSync(join(DEPLOY, source)), source).toBe(true);
    }
  });

  it('names networks, secrets and services that there are', () => {
    const names = (of: readonly string[] | object = []) => (Array.isArray(of) ? of : Object.keys(of));
    for (const network of names(service.networks)) expect(Object.keys(COMPOSE.networks)).toContain(network);
    for (const secret of service.secrets ?? []) expect(Object.keys(COMPOSE.secrets)).toContain(secret);
    for (const other of names(service.depends_on)) expect(Object.keys(COMPOSE.services)).toContain(other);
  });
});

const GATEWAY = COMPOSE.services['gateway-a'] as Service;

it("a gateway's settings are settings, which it would start with, and both have the same", () => {
  const environment = Object.fromEntries(
    Object.entries(GATEWAY.environment ?? {}).map(([name, value]) => [name, plain(value)]),
  );
  const read = readConfig(environment);
  if (!read.ok) throw new Error(read.errors.join('; '));
  expect(read.config.unknownNames).toEqual([]);
  expect(COMPOSE.services['gateway-b']?.environment).toEqual(GATEWAY.environment);
  // Killed before its drain is over, it would lose what it has accepted.
  const graceMs = 1_000 * Number.parseInt(GATEWAY.stop_grace_period, 10);
  expect(graceMs).toBeGreaterThan(read.config.drainTimeoutMs + 2_000);
  expect(read.config.drainTimeoutMs).toBe(SETTINGS.drainTimeoutMs.default);
});

it('every address that somebody is told is the address of somebody', () => {
  const given = Object.values(COMPOSE.services).flatMap(({ networks }) =>
    Array.isArray(networks)
      ? []
      : Object.values(networks).map(({ ipv4_address = '' }) => plain(ipv4_address)),
  );
  const told = Object.values(COMPOSE.services).flatMap(({ environment = {} }) =>
    Object.values(environment).flatMap((value) => plain(value).match(/172\.\d+\.\d+\.\d+/g) ?? []),
  );
  expect(new Set(given).size).toBe(given.filter(Boolean).length + (given.includes('') ? 1 : 0));
  expect(told.length).toBeGreaterThan(5);
  for (const address of told) expect(given).toContain(address);
});

it('Docker gives out none of the addresses that are fixed', () => {
  for (const [name, { ipam }] of Object.entries(COMPOSE.networks)) {
    const [{ subnet = '', ip_range = '' } = {}] = ipam.config;
    const [, first] = /^(\d+\.\d+\.\d+)\.0\/24$/.exec(plain(subnet)) ?? [];
    expect(plain(ip_range), name).toBe(`${first}.128/25`);
    const fixed = Object.values(COMPOSE.services).flatMap(({ networks }) =>
      Array.isArray(networks) ? [] : [plain(networks[name]?.ipv4_address ?? '')].filter(Boolean),
    );
    expect(fixed.length, name).toBeGreaterThan(1);
    for (const address of fixed) {
      expect(address.startsWith(`${first}.`), address).toBe(true);
      expect(Number(address.split('.')[3]), address).toBeLessThan(128);
    }
  }
});

it('Grafana finds its pages where its provisioning says that they are', () => {
  const provider = join(DEPLOY, 'grafana', 'provisioning', 'dashboards', 'vigie.yaml');
  const { providers } = parse(readFileSync(provider, 'utf8'));
  expect(providers).toHaveLength(1);
  const { volumes = [] } = COMPOSE.services.grafana as Service;
  expect(volumes).toContain(`./grafana/dashboards:${providers[0].options.path}:ro`);
  expect(volumes).toContain('./grafana/provisioning:/etc/grafana/provisioning:ro');
});

it('what HAProxy lets be set is set from outside, and by default as its file says', () => {
  const file = readFileSync(join(DEPLOY, 'haproxy', 'haproxy.cfg'), 'utf8');
  const [, rate] = /^ +presetenv LB_SOURCE_RATE (\d+)$/m.exec(file) ?? [];
  expect(COMPOSE.services.haproxy?.environment?.LB_SOURCE_RATE).toBe(`\${LB_SOURCE_RATE:-${rate}}`);
});

it('every secret is one that make-secrets.sh makes, once, and leaves alone from then on', () => {
  const directory = mkdtempSync(join(tmpdir(), 'vigie-secrets-'));
  const make = () => execFileSync('/bin/sh', [join(DEPLOY, 'make-secrets.sh'), join(directory, 'secrets')]);
  const read = () =>
    readdirSync(join(directory, 'secrets')).map((name) => [
      name,
      readFileSync(join(directory, 'secrets', name), 'utf8'),
    ]);
  make();
  const made = read();
  make();
  expect(read()).toEqual(made);
  expect(made.map(([name]) => name).sort()).toEqual(Object.keys(COMPOSE.secrets).sort());
  for (const [name, { file }] of Object.entries(COMPOSE.secrets)) expect(file).toBe(`./secrets/${name}`);
  expect(new Set(made.map(([, text]) => text)).size).toBe(made.length);
  for (const [, text] of made) expect(text).toMatch(/^[0-9a-f]{64}\n$/);
  rmSync(directory, { recursive: true, force: true });
});
