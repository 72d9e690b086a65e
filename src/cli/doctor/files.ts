/** What the settings point to: the data directory, the secret, the admin token, the trust list. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readBearerTokenFile } from '../../bearer-token.ts';
import type { Config } from '../../config.ts';
import { EXPOSED_DEMO, isExposedDemo } from '../../control/exposed-demo.ts';
import { openFiles } from '../../control/secret-files.ts';
import { isOpenToOthers, loadDeploymentSecret } from '../../revocation/deployment-secret.ts';
import { counted } from '../terminal.ts';
import { judgeTrustList } from '../trust-check.ts';
import { type Finding, failure, fine, warning } from './finding.ts';

/** Permission bits of everybody but the owner. */
const OTHERS = 0o077;

export function checkDataDirectory(dataDir: string): Finding {
  const subject = 'data directory';
  const stat = statSync(dataDir, { throwIfNoEntry: false });
  if (stat === undefined) return fine(subject, `${dataDir} is not there yet; serve makes it`);
  if (!stat.isDirectory()) return failure(subject, `${dataDir} is no directory`, 'set VIGIE_DATA_DIR');
  if ((stat.mode & OTHERS) === 0) return fine(subject, `${dataDir}, for its owner alone`);
  return warning(subject, `${dataDir} can be entered by others`, `chmod 700 ${dataDir}`);
}

/**
 * The secret, by the gateway's own reading of it. A secret that others can read only makes the gateway warn;
 * here it counts as a failure, since whoever has it can tell which cards the store's hashes stand for.
 */
export function checkSecret({ secretFile, dataDir, redisUrl }: Config): Finding {
  const subject = 'secret';
  const loaded = loadDeploymentSecret(secretFile);
  if (loaded.ok) {
    if (!isOpen(secretFile)) return fine(subject, secretFile);
    return failure(subject, `${secretFile} is open to others`, `chmod 600 ${secretFile}`);
  }
  if (loaded.fault !== 'missing') {
    return failure(subject, loaded.message, 'restore the secret; a new one would disown the store');
  }
  if (existsSync(join(dataDir, 'status'))) {
    const detail = 'the file is missing, but the store made under it is there';
    return failure(subject, detail, 'restore it, or correct VIGIE_SECRET_FILE');
  }
  if (redisUrl !== undefined) {
    const detail = 'the file is missing, and gateways that share a log share their secret';
    return failure(
      subject,
      detail,
      'copy it from another gateway, or make one for all: openssl rand -hex 32',
    );
  }
  return fine(subject, 'not there yet; the first start makes it');
}

export function checkAdminToken({ adminTokenFile }: Config): Finding {
  const subject = 'admin token';
  if (adminTokenFile === undefined) return fine(subject, 'none: the admin listener opens on loopback only');
  const read = readBearerTokenFile(adminTokenFile);
  if (!read.ok) return failure(subject, read.fault, 'write a token of 16 characters or more into it');
  if (!isOpen(adminTokenFile)) return fine(subject, adminTokenFile);
  return failure(subject, `${adminTokenFile} can be read by others`, `chmod 600 ${adminTokenFile}`);
}

/** The other files that settings name, the TLS key among them, by who else may read or write them. */
export function checkOtherFiles(config: Config): Finding[] {
  return openFiles(config)
    .filter(({ file }) => file !== config.adminTokenFile)
    .map(({ setting, file, by }) => {
      const mend = by === 'replaceable' ? `chmod o-w ${dirname(file)}` : `chmod 600 ${file}`;
      return failure('file modes', `${file} (${setting}) is ${by} by others`, mend);
    });
}

function isOpen(file: string): boolean {
  const { mode, uid } = statSync(file);
  return isOpenToOthers(mode, uid, process.getuid?.());
}

export async function checkTrustList(config: Config): Promise<Finding> {
  const subject = 'trust list';
  const { trustList } = config;
  if (trustList === undefined) {
    const mend = 'set VIGIE_TRUST_LIST before real cards are verified';
    if (isExposedDemo(config)) return warning(subject, EXPOSED_DEMO, mend);
    return warning(subject, 'none: the gateway trusts its demo issuer', mend);
  }
  const judged = await judgeTrustList({
    location: trustList,
    keyFile: config.trustListKeyFile,
    maxBytes: config.trustListMaxBytes,
    timeoutMs: config.trustListTimeoutMs,
  });
  if (!judged.ok) {
    // A URL may hold a secret in its query: the fault is shown, the place is not.
    return failure(subject, `${judged.reason}: ${judged.fault}`, 'correct VIGIE_TRUST_LIST, or the list');
  }
  const { version, issuers } = judged.list;
  const keys = issuers.reduce((count, issuer) => count + issuer.keys.length, 0);
  return fine(
    subject,
    `version ${version} is admitted: ${counted(issuers.length, 'issuer')}, ${counted(keys, 'key')}`,
  );
}
