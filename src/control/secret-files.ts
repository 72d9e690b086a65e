/**
 * Files that must be their owner's alone: those that hold secrets, which nobody else may read, and those that say who is
 * believed, which nobody else may write; neither may stand where anybody may put another in its place. A gateway starts all
 * the same, since how a platform mounts files is not always in its operator's hands; `vigie doctor` fails.
 */
import { realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Config, SettingName } from '../config.ts';
import { SETTINGS } from '../config.ts';
import { parseTrustSource } from '../keys/trust-source.ts';
import { isOpenToOthers } from '../revocation/deployment-secret.ts';

/** The deployment's secret is not among them: whoever loads it judges it, also where no setting names it. */
const SECRET = [
  'adminTokenFile',
  'tlsKeyFile',
  'redisPasswordFile',
  'redisSentinelPasswordFile',
  'redisKeyFile',
] as const;
const BELIEVED = [
  'callersFile',
  'adminCallersFile',
  'tlsClientCaFile',
  'trustListKeyFile',
  'redisCaFile',
] as const;
const WRITABLE_BY_ANYBODY = 0o002;
const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

export interface OpenFile {
  readonly setting: string;
  readonly file: string;
  /** `replaceable`: the directory is anybody's to write, so another file may be put in its place. */
  readonly by: 'readable' | 'writable' | 'replaceable';
}

/** A file that is not there, or cannot be looked at, is judged by whoever reads it. */
export function openFiles(config: Config): readonly OpenFile[] {
  const found: OpenFile[] = [];
  const look = (name: SettingName, file: string | undefined, isSecret: boolean): void => {
    const stat = file === undefined ? undefined : lookAt(file);
    if (file === undefined || stat === undefined) return;
    const setting = SETTINGS[name].env;
    if (isWritableByOthers(stat.mode, stat.uid, process.getuid?.()))
      found.push({ setting, file, by: 'writable' });
    else if (isSecret && isOpenToOthers(stat.mode, stat.uid, process.getuid?.())) {
      found.push({ setting, file, by: 'readable' });
    } else if (isReplaceable(file)) found.push({ setting, file, by: 'replaceable' });
  };
  for (const name of SECRET) look(name, config[name], true);
  for (const name of BELIEVED) look(name, config[name], false);
  look('trustList', trustListFile(config), false);
  return found;
}

/**
 * Whether others than its owner may write a file of this mode. Of root's, looked at by somebody else, the group may be the
 * way in which it was given to us, as orchestrators mount volumes.
 */
export function isWritableByOthers(mode: number, ownerUid: number, ourUid: number | undefined): boolean {
  return (mode & (ownerUid === 0 && ourUid !== 0 ? WRITABLE_BY_ANYBODY : WRITABLE_BY_OTHERS)) !== 0;
}

/** `undefined` where it is a URL, or none. */
function trustListFile({ trustList }: Config): string | undefined {
  const parsed = trustList === undefined ? undefined : parseTrustSource(trustList);
  return parsed?.ok && parsed.source.kind === 'file' ? parsed.source.location : undefined;
}

/** Of a link, both ends: either may be put in another's place. In a sticky directory a file is its owner's to replace. */
function isReplaceable(file: string): boolean {
  return [resolve(file), realPathOf(file)].some((path) => {
    const mode = lookAt(dirname(path))?.mode ?? 0;
    return (mode & WRITABLE_BY_ANYBODY) !== 0 && (mode & STICKY) === 0;
  });
}

function realPathOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

function lookAt(file: string): { readonly mode: number; readonly uid: number } | undefined {
  try {
    return statSync(file);
  } catch {
    return undefined;
  }
}
