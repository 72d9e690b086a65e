/**
 * Files that must be their owner's alone: those that hold secrets, which nobody else may read, and those that say who is
 * believed, which nobody else may write. A gateway starts all the same, since how a platform mounts files is not always in
 * its operator's hands; `vigie doctor` fails.
 */
import { statSync } from 'node:fs';
import type { Config } from '../config.ts';
import { SETTINGS } from '../config.ts';
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

export interface OpenFile {
  readonly setting: string;
  readonly file: string;
  readonly by: 'readable' | 'writable';
}

/** A file that is not there, or cannot be looked at, is judged by whoever reads it. */
export function openFiles(config: Config): readonly OpenFile[] {
  const found: OpenFile[] = [];
  const look = (name: (typeof SECRET | typeof BELIEVED)[number], isSecret: boolean): void => {
    const file = config[name];
    const stat = file === undefined ? undefined : lookAt(file);
    if (file === undefined || stat === undefined) return;
    const setting = SETTINGS[name].env;
    if ((stat.mode & WRITABLE_BY_ANYBODY) !== 0) found.push({ setting, file, by: 'writable' });
    else if (isSecret && isOpenToOthers(stat.mode, stat.uid, process.getuid?.())) {
      found.push({ setting, file, by: 'readable' });
    }
  };
  for (const name of SECRET) look(name, true);
  for (const name of BELIEVED) look(name, false);
  return found;
}

function lookAt(file: string): { readonly mode: number; readonly uid: number } | undefined {
  try {
    return statSync(file);
  } catch {
    return undefined;
  }
}
