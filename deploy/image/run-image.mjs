/**
 * Runs an image's files by its own configuration, as a container engine would: namespaces of its own for mounts,
 * processes and network, everything read-only but the volume, the image's user without any capability. Then it asks
 * the gateway what its operators ask, and ends it as they do.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync } from 'node:fs';

/** What an engine sets up before the program starts. `exec` at the end: the program is process 1 of its namespace. */
const SET_UP = `
set -eu
root=$1 volume=$2 data=$3 user=$4 group=$5; shift 5
ip link set lo up
mount --bind "$root" "$root"
mount -t tmpfs -o nosuid,mode=0755 tmpfs "$root/dev"
for device in null zero random urandom; do
  : > "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount --bind "$volume" "$root$data"
mount -o remount,bind,ro "$root"
exec chroot "$root" setpriv --reuid "$user" --regid "$group" --clear-groups --no-new-privs \
  --inh-caps=-all --bounding-set=-all --reset-env env "$@"
`;

const SHOW_METRICS =
  "fetch('http://127.0.0.1:9464/metrics').then((answer) => answer.text()).then(console.log)";

function assert(holds, what) {
  if (!holds) throw new Error(`not so: ${what}`);
  console.log(`✓ ${what}`);
}

/** Runs a command beside the gateway, as `docker exec` would. */
function exec(pid, root, config, command) {
  const [user, group] = config.User.split(':');
  const inside = ['setpriv', '--reuid', user, '--regid', group, '--clear-groups', '--reset-env', 'env'];
  const args = ['--target', `${pid}`, '--mount', '--pid', '--net', 'chroot', root, ...inside, ...config.Env];
  return spawnSync('nsenter', [...args, ...command], { encoding: 'utf8', timeout: 30_000 });
}

/** Resolves to the first match in what a stream says. */
async function waitFor(stream, pattern, deadlineMs) {
  let said = '';
  const timer = setTimeout(() => stream.destroy(new Error(`no ${pattern} in: ${said}`)), deadlineMs);
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
      said += chunk;
      const match = pattern.exec(said);
      if (match !== null) return match;
    }
    throw new Error(`no ${pattern} in: ${said}`);
  } finally {
    clearTimeout(timer);
  }
}

/** The one child of a process. */
function childOf(pid) {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
}

/** A new volume, as a container engine makes it: it takes owner and mode of the image's own directory. */
function makeVolume(volume, config) {
  rmSync(volume, { recursive: true, force: true });
  mkdirSync(volume);
  const [user, group] = config.User.split(':').map(Number);
  chownSync(volume, user, group);
  chmodSync(volume, 0o700);
}

/** Starts the image's program in its namespaces, with one setting more than the image has. */
function startContainer({ root, config, volume }, setting) {
  const [data] = Object.keys(config.Volumes);
  const places = [root, volume, data, ...config.User.split(':')];
  const program = [...config.Env, setting, ...config.Entrypoint, ...config.Cmd];
  const namespaces = ['--mount', '--pid', '--net', '--fork', '--kill-child'];
  const args = [...namespaces, 'sh', '-c', SET_UP, 'set-up', ...places, ...program];
  return spawn('unshare', args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** What must hold of a gateway that says that it is ready. */
function examine(inside, { pid, config, credential }) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const [user] = config.User.split(':');
  assert(/^NSpid:\s+\d+\s+1$/m.test(status), 'node is process 1: no shell stands between');
  assert(new RegExp(`^Uid:\\s+${user}\\s+${user}`, 'm').test(status), `it runs as ${config.User}`);
  assert(/^CapEff:\s+0+$/m.test(status) && /^CapBnd:\s+0+$/m.test(status), 'it has no capability');
  const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
  assert(/^Max core file size +0 +0 /m.test(limits), 'it leaves no core');
  const hidden = inside('head', '-c', '1', '/proc/1/environ').stderr;
  assert(/Permission denied/.test(hidden), 'its memory and environment are hidden from its own user');
  const flags = config.Entrypoint.slice(1, -1);
  const started = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  assert(flags.length > 0 && flags.every((flag) => started.includes(flag)), `node has ${flags.join(' ')}`);
  const bill = inside('cat', '/app/sbom.cdx.json').stdout;
  assert(JSON.parse(bill).bomFormat === 'CycloneDX', 'its bill of materials lies beside its licence');
  const refused = inside('touch', '/app/x', '/tmp/x').stderr.match(/Read-only/g);
  assert(refused?.length === 2, 'nothing but the volume can be written');
  const [kind, ...probe] = config.Healthcheck.Test;
  assert(kind === 'CMD' && inside(...probe).status === 0, 'the health check says healthy');
  const verdict = inside('vigie', 'verify', credential);
  assert(verdict.status === 0, `one credential is verified: ${verdict.stdout.split('\n')[0]}`);
  const metrics = inside('node', '-e', SHOW_METRICS).stdout;
  const [engine] = /^vigie_engine_in_force_info\{.*engine="native".*\} 1$/m.exec(metrics) ?? [];
  assert(engine !== undefined, `the native engine verifies: ${engine}`);
}

/** @throws at the first thing that is not as it must be. */
export async function runImage(image) {
  const { root, config } = image;
  makeVolume(image.volume, config);
  const program = [...config.Env, ...config.Entrypoint, ...config.Cmd];
  const alone = spawnSync('chroot', [root, 'env', '-i', ...program], { encoding: 'utf8', timeout: 30_000 });
  const isRefused = alone.status === 2 && alone.stderr.includes('VIGIE_AUTH');
  assert(isRefused, 'without VIGIE_AUTH the start is refused, and says why');

  const container = startContainer(image, 'VIGIE_AUTH=none');
  const ended = once(container, 'exit');
  let pid = 0;
  try {
    container.stdout.setEncoding('utf8');
    const [, credential] = await waitFor(container.stdout, /-d '([\w.-]+)'[\s\S]*vigie is ready/, 60_000);
    container.stdout.resume();
    pid = childOf(container.pid);
    const inside = (...words) => exec(pid, root, config, words);
    examine(inside, { pid, config, credential });
    process.kill(pid, 'SIGTERM');
    const isUnready = inside(...config.Healthcheck.Test.slice(1)).status !== 0;
    assert(isUnready, 'once it is told to end, the health check says so');
    const [code, signal] = await ended;
    assert(code === 0, `SIGTERM: drained and ended with code ${code ?? signal}`);
  } finally {
    // The first process of a namespace takes all others with it.
    if (container.exitCode === null && pid !== 0) process.kill(pid, 'SIGKILL');
    container.kill('SIGKILL');
  }
}
