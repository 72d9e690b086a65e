/** The Kubernetes base: every object is one that the API knows, field by field, and it fits the gateway that it runs. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { PROMETHEUS_RULE_FILE, prometheusRule } from '../../deploy/kubernetes/prometheus-rule.ts';
import { SETTINGS } from '../../src/config.ts';
import { readConfig } from '../../src/read-config.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const BASE = join(ROOT, 'deploy/kubernetes/base');
const LABELS = { 'app.kubernetes.io/name': 'vigie', 'app.kubernetes.io/component': 'gateway' };

// biome-ignore lint/suspicious/noExplicitAny: the API's types judge the objects below; here fields are only named.
type Manifest = any;

const documents = (file: string): Manifest[] =>
  parseAllDocuments(readFileSync(join(BASE, file), 'utf8')).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS();
  });
const [kustomization] = documents('kustomization.yaml');
const objects: Manifest[] = kustomization.resources.flatMap(documents);
const one = (kind: string): Manifest => objects.find((object) => object.kind === kind);
const set = one('StatefulSet');
const pod = set.spec.template.spec;
const [container] = pod.containers;
const environment: Record<string, string> = Object.fromEntries(
  readFileSync(join(BASE, 'vigie.env'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
);
/** As the image sets it; see the Dockerfile. */
const IMAGE = { VIGIE_HOST: '0.0.0.0', VIGIE_METRICS_HOST: '0.0.0.0', VIGIE_DATA_DIR: '/var/lib/vigie' };

/** Complaints of the compiler about literals of the API's types: unknown members at any depth are among them. */
function complaintsAbout(manifests: readonly Manifest[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'vigie-kubernetes-'));
  const lines = manifests.map((manifest, index) => {
    const [group = '', version] = manifest.apiVersion.includes('/')
      ? manifest.apiVersion.split('/')
      : ['core', manifest.apiVersion];
    const module = join(ROOT, 'node_modules/kubernetes-types', group.split('.')[0], `${version}.js`);
    const type = `import('${module}').${manifest.kind}`;
    return `export const object${index}: ${type} = ${JSON.stringify(manifest, undefined, 1)};`;
  });
  writeFileSync(join(directory, 'objects.ts'), lines.join('\n'));
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  const flags = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'esnext'];
  const args = [...flags, '--moduleResolution', 'bundler', '--types', '', join(directory, 'objects.ts')];
  return spawnSync(tsc, args, { encoding: 'utf8', cwd: directory }).stdout;
}

describe('the objects', () => {
  it('are what the API takes, with no member that it does not know', () => {
    expect(complaintsAbout(objects)).toBe('');
  });

  it('would be refused with a member misspelt, missing or of another kind', () => {
    const misspelt = structuredClone(set);
    misspelt.spec.template.spec.containers[0].securityContext.readOnlyRootFileSystem = true;
    expect(complaintsAbout([misspelt])).toContain('readOnlyRootFileSystem');
    const { serviceName: _, ...withoutName } = set.spec;
    expect(complaintsAbout([{ ...set, spec: withoutName }])).toContain('serviceName');
    const worded = { ...set, spec: { ...set.spec, minReadySeconds: 'ten' } };
    expect(complaintsAbout([worded])).toContain("'string' is not assignable to type 'number'");
  });

  it('are all files of the base, and select the same pods', () => {
    const named = ['kustomization.yaml', 'vigie.env', ...kustomization.resources];
    expect(readdirSync(BASE).sort()).toEqual(named.sort());
    const selectors = [
      set.spec.selector.matchLabels,
      set.spec.template.metadata.labels,
      ...objects.filter(({ kind }) => kind === 'Service').map(({ spec }) => spec.selector),
      one('PodDisruptionBudget').spec.selector.matchLabels,
      one('NetworkPolicy').spec.podSelector.matchLabels,
      ...pod.topologySpreadConstraints.map((constraint: Manifest) => constraint.labelSelector.matchLabels),
    ];
    for (const selector of selectors) expect(selector).toEqual(LABELS);
    expect(objects.map(({ kind }) => kind)).toContain(
      one('HorizontalPodAutoscaler').spec.scaleTargetRef.kind,
    );
    expect(one('HorizontalPodAutoscaler').spec.scaleTargetRef.name).toBe(set.metadata.name);
    expect(set.spec.replicas).toBeUndefined();
  });
});

describe('for the Prometheus operator', () => {
  const [monitor] = documents('../pod-monitor/pod-monitor.yaml');

  it('pods are scraped under the job that the rules ask for', () => {
    expect(monitor.spec.selector.matchLabels).toEqual(LABELS);
    expect(set.spec.template.metadata.labels[monitor.spec.jobLabel]).toBe('vigie');
    expect(prometheusRule()).toContain('up{job="vigie"}');
    const [{ port }] = monitor.spec.podMetricsEndpoints;
    expect(container.ports.map(({ name }: Manifest) => name)).toContain(port);
  });

  it('the rules are those of deploy/prometheus (npm run rules writes them)', () => {
    expect(readFileSync(PROMETHEUS_RULE_FILE, 'utf8')).toBe(prometheusRule());
  });
});

describe('the gateway within', () => {
  const read = readConfig({ ...IMAGE, ...environment });

  it('takes the settings, all of them known', () => {
    expect(read).toMatchObject({ ok: true, config: { demo: false, unknownNames: [] } });
    // Without the word that anybody may call, it would not start on an address that pods can reach.
    expect(readConfig({ ...IMAGE, ...environment, VIGIE_AUTH: '' }).ok).toBe(false);
    expect(container.envFrom).toEqual([{ configMapRef: { name: kustomization.configMapGenerator[0].name } }]);
    expect(container.env).toBeUndefined();
  });

  it('listens where the objects look for it', () => {
    const ports = { data: SETTINGS.port, admin: SETTINGS.adminPort, metrics: SETTINGS.metricsPort };
    const expected = Object.entries(ports).map(([name, { default: containerPort }]) => ({
      name,
      containerPort,
    }));
    expect(container.ports).toEqual(expected);
    for (const { spec } of objects.filter(({ kind }) => kind === 'Service')) {
      for (const { port, targetPort } of spec.ports) {
        expect(expected).toContainEqual({ name: targetPort, containerPort: port });
      }
    }
    // A Service of this name would otherwise put an address into VIGIE_PORT.
    expect(pod.enableServiceLinks).toBe(false);
    const { startupProbe, livenessProbe, readinessProbe } = container;
    expect(startupProbe.httpGet).toEqual({ path: '/healthz', port: 'metrics' });
    expect(livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'metrics' });
    expect(readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'metrics' });
  });

  it('has time to drain, and begins once no new connection is sent to it', () => {
    const seconds = Number(container.lifecycle.preStop.exec.command[1]);
    expect(container.lifecycle.preStop.exec.command).toEqual(['sleep', `${seconds}`]);
    expect(seconds).toBeGreaterThanOrEqual(
      container.readinessProbe.periodSeconds * container.readinessProbe.failureThreshold,
    );
    const drainSeconds = Number(environment.VIGIE_DRAIN_TIMEOUT_MS) / 1000;
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(seconds + drainSeconds + 10);
  });

  it('has a core for each worker and memory for each heap', () => {
    const { requests, limits } = container.resources;
    expect(Number.parseInt(requests.cpu, 10)).toBeGreaterThan(1000 * Number(environment.VIGIE_WORKERS));
    expect(limits).toEqual({ memory: requests.memory });
    const heaps = Number(environment.VIGIE_WORKERS) * Number(environment.VIGIE_WORKER_HEAP_MB);
    expect(1024 * Number.parseInt(requests.memory, 10)).toBeGreaterThan(2 * heaps);
  });

  it('may do nothing that it need not do, by the restricted profile', () => {
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 10001,
      fsGroup: 10001,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      privileged: false,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(one('Namespace').metadata.labels['pod-security.kubernetes.io/enforce']).toBe('restricted');
  });

  it('finds its secrets as files where the settings say, and writes to its volume alone', () => {
    const mounts = Object.fromEntries(container.volumeMounts.map((mount: Manifest) => [mount.name, mount]));
    expect(mounts.data.mountPath).toBe(IMAGE.VIGIE_DATA_DIR);
    expect(mounts.secrets.readOnly).toBe(true);
    const files = Object.entries(environment).filter(([name]) => name.endsWith('_FILE'));
    expect(files.length).toBeGreaterThanOrEqual(4);
    for (const [, path] of files) expect(path.startsWith(`${mounts.secrets.mountPath}/`)).toBe(true);
    const [template] = set.spec.volumeClaimTemplates;
    expect(template.metadata.name).toBe('data');
    expect(template.spec.accessModes).toEqual(['ReadWriteOncePod']);
  });

  it('is reached and reaches as the policy names it', () => {
    const { ingress, egress, policyTypes } = one('NetworkPolicy').spec;
    expect(policyTypes).toEqual(['Ingress', 'Egress']);
    const opened = ingress.flatMap(({ ports }: Manifest) => ports.map(({ port }: Manifest) => port));
    expect(opened).toEqual(['data', 'admin', 'metrics']);
    for (const { from } of ingress) expect(from).toHaveLength(1);
    const reached = egress.flatMap(({ ports }: Manifest) => ports.map(({ port }: Manifest) => port));
    expect(reached).toEqual([53, 53, 6379, 26379, 443]);
    const redisPort = Number(/:(\d+)\//.exec(environment.VIGIE_REDIS_URL as string)?.[1]);
    expect(reached).toContain(redisPort);
  });
});
