/** `vigie caller`: who may call a gateway; makes keys, of which the file of callers keeps hashes alone. */
import type { Command } from 'commander';
import { hashAccessKey, makeAccessKey } from '../../callers/access-key.ts';
import {
  addCaller,
  type ChangedList,
  type NewKey,
  removeCaller,
  retireOldKeys,
  rotateKey,
} from '../../callers/caller-changes.ts';
import type { Caller, Quota, Scope } from '../../callers/caller-list.ts';
import { SETTINGS } from '../../config.ts';
import { loadDeploymentSecret } from '../../revocation/deployment-secret.ts';
import { readCallerFile, scopesOf, writeCallerFile } from '../caller-file.ts';
import {
  type CommandContext,
  type CommonOptions,
  isoInstant,
  runs,
  spanSeconds,
  wholeNumber,
} from '../command.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { withFileLock } from '../file-lock.ts';
import { answer, fail, type Reply } from '../reply.ts';
import { formatTable } from '../terminal.ts';

interface FileOptions extends CommonOptions {
  readonly file?: string;
  readonly admin?: true;
}

interface KeyOptions extends FileOptions {
  readonly secretFile?: string;
  readonly expiresIn?: number;
}

interface AddOptions extends KeyOptions {
  readonly scopes: string;
  readonly perSecond?: number;
  readonly burst?: number;
}

const RATE = wholeNumber(1, 10_000_000);
const BURST = wholeNumber(1, 1_000_000_000);

export function registerCaller(program: Command, context: CommandContext): void {
  const group = program
    .command('caller')
    .helpCommand(false)
    .description(
      'Who may call a gateway, and what each may. Changes the file of callers, which running gateways look at again ' +
        'and again; with --admin that of the admin listener.',
    );
  const add = keyed(group.command('add'))
    .description('Name a new caller and print its key: the only time that it is shown.')
    .argument('<name>', 'of a system, never of a person: it stands in metrics')
    .requiredOption(
      '--scopes <scopes>',
      'by commas: verify, batch, lots, at; with --admin: status, trust, read',
    )
    .option('--per-second <credentials>', 'its quota; without one it has none', RATE)
    .option(
      '--burst <credentials>',
      'what may come at once (default: two seconds of it, 10000 at least)',
      BURST,
    );
  runs<AddOptions, [string]>(add, context, addNew);
  const rotate = keyed(group.command('rotate'))
    .description('Make a further key for a caller and print it; the last one works on beside it.')
    .argument('<name>', 'the caller');
  runs<KeyOptions, [string]>(rotate, context, rotateOne);
  const retire = filed(group.command('retire'))
    .description('End a rotation: of the keys of a caller the last one alone stays.')
    .argument('<name>', 'the caller');
  runs<FileOptions, [string]>(retire, context, (reply, options, name) =>
    change(reply, options, (callers) => retireOldKeys(callers, name), { name }, [`${name}: one key`]),
  );
  const remove = filed(group.command('remove'))
    .description('Take a caller out, with all its keys.')
    .argument('<name>', 'the caller');
  runs<FileOptions, [string]>(remove, context, (reply, options, name) =>
    change(reply, options, (callers) => removeCaller(callers, name), { name }, [`${name} removed`]),
  );
  runs<FileOptions>(
    filed(group.command('list')).description(
      'Show the callers, their scopes, quotas and the ends of their keys.',
    ),
    context,
    list,
  );
}

function filed(command: Command): Command {
  return command
    .option('--file <file>', 'the file of callers (default: VIGIE_CALLERS_FILE or VIGIE_ADMIN_CALLERS_FILE)')
    .option('--admin', 'those of the admin listener');
}

function keyed(command: Command): Command {
  return filed(command)
    .option(
      '--secret-file <file>',
      "the deployment's secret, under which keys are hashed (default: VIGIE_SECRET_FILE)",
    )
    .option('--expires-in <span>', 'such as 365d (default: the key does not expire)', spanSeconds);
}

async function addNew(reply: Reply, options: AddOptions, name: string): Promise<ExitCode> {
  const known = scopesOf(options.admin === true);
  const scopes = [...new Set(options.scopes.split(','))];
  if (!scopes.every((scope): scope is Scope => known.includes(scope as Scope))) {
    return fail(reply, 'usage', `--scopes takes ${known.join(', ')}`);
  }
  if (options.burst !== undefined && options.perSecond === undefined) {
    return fail(reply, 'usage', '--burst needs --per-second: without a rate there is no quota');
  }
  const quota = quotaOf(options);
  return withNewKey(reply, options, name, true, (callers, key) =>
    addCaller(callers, name, scopes, quota, key),
  );
}

function rotateOne(reply: Reply, options: KeyOptions, name: string): Promise<ExitCode> {
  return withNewKey(reply, options, name, false, (callers, key) => rotateKey(callers, name, key));
}

function quotaOf({ perSecond, burst }: AddOptions): Quota | undefined {
  if (perSecond === undefined) return undefined;
  return { perSecond, burst: burst ?? Math.max(10_000, 2 * perSecond) };
}

async function withNewKey(
  reply: Reply,
  options: KeyOptions,
  name: string,
  mayBeAbsent: boolean,
  apply: (callers: readonly Caller[], key: NewKey) => ChangedList,
): Promise<ExitCode> {
  const secretFile = options.secretFile ?? settingOf(reply, SETTINGS.secretFile.env);
  if (secretFile === undefined)
    return fail(reply, 'usage', '--secret-file or VIGIE_SECRET_FILE must name the secret');
  const loaded = loadDeploymentSecret(secretFile);
  if (!loaded.ok) return fail(reply, 'usage', loaded.message);
  const accessKey = makeAccessKey();
  const { expiresIn } = options;
  const key: NewKey = {
    hash: hashAccessKey(loaded.secret.callerKey, accessKey).toString('base64url'),
    expiresAt: expiresIn === undefined ? undefined : Math.floor(Date.now() / 1000) + expiresIn,
  };
  const document = { name, accessKey, ...(key.expiresAt === undefined ? {} : { expiresAt: key.expiresAt }) };
  return change(reply, options, (callers) => apply(callers, key), document, [accessKey], mayBeAbsent);
}

async function change(
  reply: Reply,
  options: FileOptions,
  apply: (callers: readonly Caller[]) => ChangedList,
  document: object,
  lines: readonly string[],
  mayBeAbsent = false,
): Promise<ExitCode> {
  const isAdmin = options.admin === true;
  const file = fileOf(reply, options);
  if (file === undefined) return fail(reply, 'usage', '--file must name the file of callers');
  const locked = await withFileLock(file, async () => {
    const read = await readCallerFile(file, isAdmin, mayBeAbsent);
    if (!read.ok) return read.fault;
    const changed = apply(read.callers);
    return changed.ok ? writeCallerFile(file, isAdmin, changed.callers) : changed.fault;
  });
  const fault = locked.ok ? locked.result : locked.fault;
  if (fault !== undefined) return fail(reply, 'refused', fault);
  answer(reply, document, lines);
  return EXIT.done;
}

async function list(reply: Reply, options: FileOptions): Promise<ExitCode> {
  const file = fileOf(reply, options);
  if (file === undefined) return fail(reply, 'usage', '--file must name the file of callers');
  const read = await readCallerFile(file, options.admin === true);
  if (!read.ok) return fail(reply, 'refused', read.fault);
  const shown = read.callers.map(({ name, scopes, quota, keys }) => ({
    name,
    scopes,
    ...(quota === undefined ? {} : { quota }),
    keys: keys.map(({ expiresAt }) => ({ ...(expiresAt === undefined ? {} : { expiresAt }) })),
  }));
  const rows = shown.map(({ name, scopes, quota, keys }) => [
    name,
    scopes.join(','),
    quota === undefined ? 'no quota' : `${quota.perSecond}/s, ${quota.burst} at once`,
    keys
      .map(({ expiresAt }) => (expiresAt === undefined ? 'for good' : `until ${isoInstant(expiresAt)}`))
      .join('; '),
  ]);
  answer(reply, { callers: shown }, formatTable(rows));
  return EXIT.done;
}

function fileOf(reply: Reply, { file, admin }: FileOptions): string | undefined {
  const setting = admin === true ? SETTINGS.adminCallersFile : SETTINGS.callersFile;
  return file ?? settingOf(reply, setting.env);
}

function settingOf({ terminal }: Reply, name: string): string | undefined {
  return terminal.environment[name] || undefined;
}
