/**
 * What is wrong with a lockfile: every package must come from the registry that npm is configured with, under the name that
 * it is asked for by, with its own SHA-512, and without a program that runs at install unless that one was looked at.
 */

/** One SHA-512 and nothing beside it: npm would take a weaker one that stands there too where it knows no better. */
const INTEGRITY = /^sha512-[A-Za-z0-9+/]{86}==$/;
const EXACT = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;
/** A range of versions: neither an address, a path, a repository (`user/name`), nor another package's name. */
const RANGE = /^[\w.+<>=~^*|\- ]*$/;
const ALIAS = /^npm:(?<name>(?:@[\w.-]+\/)?[\w.-]+)@(?<range>[^/:@]+)$/;
const DEPENDENCIES = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];

/**
 * Packages with a program of their own that npm would run at install, where it is not told `--ignore-scripts`; SECURITY.md
 * says what each does. Each finds what it needs in packages of the lockfile, and works without having been run.
 */
const INSTALL_SCRIPTS = ['esbuild', 'lmdb', 'msgpackr-extract'];

/** Faults in words, of a parsed `package-lock.json` and the `package.json` beside it. */
export function lockfileFaults(lockfile, manifest) {
  const faults = [];
  const { packages = {} } = lockfile;
  if (lockfile.lockfileVersion !== 3) faults.push('the lockfile is not of version 3');
  // Of older forms, which npm reads too, and which could say something else.
  if (lockfile.dependencies !== undefined) faults.push('the lockfile has a second list of packages');
  const root = packages[''] ?? {};
  if (packages[''] === undefined) faults.push('the lockfile does not say what it is made from');
  for (const kind of DEPENDENCIES) {
    const [asked, locked] = [manifest[kind] ?? {}, root[kind] ?? {}];
    if (JSON.stringify(sorted(asked)) !== JSON.stringify(sorted(locked))) {
      faults.push(`${kind} of package.json and of the lockfile differ`);
    }
  }
  for (const [name, spec] of directOf(manifest)) faults.push(...directFaults(name, spec, packages));
  if (manifest.workspaces !== undefined) faults.push('package.json has workspaces, which have no digest');
  for (const name of bundledBy(manifest)) faults.push(`package.json bundles ${name}`);
  for (const [path, entry] of Object.entries(packages)) {
    if (path !== '') faults.push(...packageFaults(path, entry, manifest));
  }
  return faults;
}

/** Lines of an `.npmrc` that say where packages come from, or who asks for them. */
export function settingsFaults(npmrc) {
  return npmrc
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^(?![#;]).*(registry|_auth|_password|token|:\/\/)/i.test(line))
    .filter((line) => !/^omit-lockfile-registry-resolved\s*=\s*true$/.test(line))
    .map((line) => `.npmrc sets ${line.split('=')[0].trim()}`);
}

function sorted(specs) {
  return Object.entries(specs).sort(([one], [other]) => (one < other ? -1 : 1));
}

function directOf(manifest) {
  return DEPENDENCIES.flatMap((kind) => Object.entries(manifest[kind] ?? {}));
}

function bundledBy({ bundleDependencies, bundledDependencies }) {
  return [bundleDependencies ?? bundledDependencies ?? []].flat().filter((name) => name !== false);
}

/** Direct dependencies are pinned: one version, the locked one. */
function directFaults(name, spec, packages) {
  const alias = ALIAS.exec(spec)?.groups;
  const version = alias?.range ?? spec;
  if (!EXACT.test(version)) return [`${name} is not pinned to one version of the registry`];
  const locked = packages[`node_modules/${name}`];
  if (locked === undefined) return [`${name} is not in the lockfile`];
  return locked.version === version ? [] : [`${name} is locked at another version`];
}

function packageFaults(path, entry, manifest) {
  const faults = [];
  const say = (fault) => faults.push(`${path} ${fault}`);
  const name = path.split('node_modules/').at(-1);
  if (!/(^|\/)node_modules\/(@[\w.-]+\/)?[\w.-]+$/.test(path)) say('is a folder, not a package');
  if (entry.link === true) say('is a link');
  if (entry.inBundle === true) say('comes within another package, without a digest of its own');
  if (entry.resolved !== undefined) say('names an address');
  if (!EXACT.test(entry.version ?? '')) say('has no plain version');
  if (!INTEGRITY.test(entry.integrity ?? '')) say('has no SHA-512, or more than that');
  if (entry.hasInstallScript === true && !INSTALL_SCRIPTS.includes(entry.name ?? name)) {
    say('runs a program at install');
  }
  // The one who asks for another name in a package's place is the manifest.
  const asked = directOf(manifest).find(([direct]) => path === `node_modules/${direct}`)?.[1] ?? '';
  if (entry.name !== undefined && entry.name !== name && ALIAS.exec(asked)?.groups.name !== entry.name) {
    say(`is another package, ${entry.name}`);
  }
  if (entry.name === undefined && ALIAS.test(asked)) say('is not the package that package.json asks for');
  for (const [dependency, spec] of directOf(entry)) {
    if (!RANGE.test(spec)) say(`takes ${dependency} from ${spec}`);
  }
  return faults;
}
