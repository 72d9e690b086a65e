/** `vigie issue`: signs credentials for trials and tests. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Command } from 'commander';
import { Option } from 'commander';
import { parseStrictJson } from '../../encoding/strict-json.ts';
import { signCredential } from '../../issuer/sign-credential.ts';
import type { JwsAlg } from '../../issuer/sign-jws.ts';
import { readHolderJwkFile, readSigningKeyFile } from '../../issuer/signing-key.ts';
import { issuerKeyFault } from '../../keys/key-admission.ts';
import {
  type CommandContext,
  type CommonOptions,
  calendarDate,
  collect,
  runs,
  spanSeconds,
  wholeNumber,
} from '../command.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { fail, type Reply } from '../reply.ts';

interface IssueOptions extends CommonOptions {
  readonly key: string;
  readonly iss: string;
  readonly sub?: string;
  readonly jti?: string;
  readonly aud?: readonly string[];
  readonly expiresIn: number;
  readonly startsIn?: number;
  readonly holderKey?: string;
  readonly rightsFrom?: string;
  readonly rightsUntil?: string;
  readonly test?: true;
  readonly claim?: readonly string[];
  readonly alg: JwsAlg;
  readonly count: number;
}

const ONE_YEAR_SECONDS = 365 * 86_400;

export function registerIssue(program: Command, context: CommandContext): void {
  const command = program
    .command('issue')
    .description('Sign credentials, one a line.')
    .requiredOption('--key <file>', "the issuer's private JWK, as keygen writes it")
    .requiredOption('--iss <iss>', 'the issuer, as the trust list names it')
    .option('--sub <sub>', 'the holder')
    .option('--jti <jti>', "the credential's id (default: a random UUID)")
    .option('--aud <aud>', 'where it may be used; may be given several times', collect)
    .option(
      '--expires-in <span>',
      'time until it expires: 365d, 12h, 90m, 30s',
      spanSeconds,
      ONE_YEAR_SECONDS,
    )
    .option('--starts-in <span>', 'time until it becomes valid (nbf)', spanSeconds)
    .option(
      '--holder-key <file>',
      "the holder's JWK, of which the public half becomes cnf.jwk: present then proves the holder's presence",
    )
    .option('--rights-from <date>', 'first day on which the rights are open: 2027-01-31', calendarDate)
    .option('--rights-until <date>', 'last day on which they are', calendarDate)
    .option('--test', 'mark it as a test card, which only gateways in demo mode accept')
    .option('--claim <name=json>', 'another claim, its value in JSON; may be given several times', collect)
    .addOption(
      new Option('--alg <alg>', 'name of the algorithm').choices(['EdDSA', 'Ed25519']).default('EdDSA'),
    )
    .option('--count <n>', 'how many, each with a random jti', wholeNumber(1, 10_000_000), 1);
  // Commander would print the default in seconds, which nobody types.
  const expiresIn = command.options.find((option) => option.long === '--expires-in');
  if (expiresIn !== undefined) expiresIn.defaultValueDescription = '365d';
  runs<IssueOptions>(command, context, issue);
}

async function issue(reply: Reply, options: IssueOptions): Promise<ExitCode> {
  if (options.jti !== undefined && options.count > 1) {
    return fail(reply, 'usage', '--jti names one credential: it cannot stand beside --count');
  }
  const extra = readClaims(options.claim ?? []);
  if (!extra.ok) return fail(reply, 'usage', extra.fault);
  const presence = presenceClaims(options);
  if (!presence.ok) return fail(reply, 'usage', presence.fault);
  const read = readSigningKeyFile(options.key);
  if (!read.ok) return fail(reply, 'usage', read.fault);

  const nowSeconds = Math.floor(Date.now() / 1000);
  const shared = {
    iss: options.iss,
    ...(options.sub === undefined ? {} : { sub: options.sub }),
    ...(options.aud === undefined ? {} : { aud: options.aud.length === 1 ? options.aud[0] : options.aud }),
    iat: nowSeconds,
    ...(options.startsIn === undefined ? {} : { nbf: nowSeconds + options.startsIn }),
    exp: nowSeconds + options.expiresIn,
    ...presence.claims,
  };
  const { stdout } = reply.terminal;
  for (let i = 0; i < options.count; i++) {
    const claims = { ...shared, jti: options.jti ?? randomUUID(), ...extra.claims };
    const credential = signCredential({ key: read.key, claims, alg: options.alg });
    const text = reply.json
      ? `${i === 0 ? '{"credentials":[' : ','}${JSON.stringify({ jti: claims.jti, exp: claims.exp, credential })}`
      : `${credential}\n`;
    // Millions are written as they are made: memory stays flat however slow the reader.
    if (!stdout.write(text)) await once(stdout, 'drain');
  }
  if (reply.json) stdout.write(']}\n');
  return EXIT.done;
}

type Claims =
  | { readonly ok: true; readonly claims: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly fault: string };

/** The claims that bind a card to its holder, to days, or to tests. */
function presenceClaims({ holderKey, rightsFrom, rightsUntil, test }: IssueOptions): Claims {
  if ((rightsFrom === undefined) !== (rightsUntil === undefined)) {
    return { ok: false, fault: '--rights-from and --rights-until stand together' };
  }
  // Dates in this form are ordered as texts.
  if (rightsFrom !== undefined && rightsUntil !== undefined && rightsFrom > rightsUntil) {
    return { ok: false, fault: '--rights-from lies after --rights-until' };
  }
  const holder = holderKey === undefined ? undefined : readHolderJwkFile(holderKey);
  if (holder?.ok === false) return holder;
  // What gateways refuse no issuer should vouch for.
  if (holder !== undefined && issuerKeyFault(Buffer.from(holder.jwk.x, 'base64url')) !== undefined) {
    return { ok: false, fault: `${holderKey} holds no sound Ed25519 key` };
  }
  const claims = {
    ...(holder === undefined ? {} : { cnf: { jwk: holder.jwk } }),
    ...(rightsFrom === undefined ? {} : { rights: { from: rightsFrom, until: rightsUntil } }),
    ...(test === undefined ? {} : { test }),
  };
  return { ok: true, claims };
}

function readClaims(claims: readonly string[]): Claims {
  const read: [string, unknown][] = [];
  for (const claim of claims) {
    const equals = claim.indexOf('=');
    if (equals < 1) return { ok: false, fault: '--claim must be name=json' };
    const name = claim.slice(0, equals);
    const json = parseStrictJson(claim.slice(equals + 1));
    if (!json.ok)
      return { ok: false, fault: `--claim ${name}: its value is ${json.fault} (a text needs quotes)` };
    read.push([name, json.value]);
  }
  return { ok: true, claims: Object.fromEntries(read) };
}
