/** `vigie trust check`: judges a trust list by the gateway's own rules, before a gateway is given it. */
import type { Command } from 'commander';
import { SETTINGS } from '../../config.ts';
import { isActive, type TrustedKey, type TrustList } from '../../keys/trusted-key.ts';
import { type CommandContext, type CommonOptions, runs, wholeNumber } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { answer, fail, type Reply } from '../reply.ts';
import { counted, formatTable, paintFor } from '../terminal.ts';
import { judgeTrustList } from '../trust-check.ts';

interface CheckOptions extends CommonOptions {
  readonly keyFile?: string;
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

export function registerTrust(program: Command, context: CommandContext): void {
  const trust = program.command('trust').description('Trust lists.').helpCommand(false);
  const { trustListMaxBytes, trustListTimeoutMs } = SETTINGS;
  const command = trust
    .command('check')
    .description('Judge a trust list as a gateway would: form, keys and, with --key-file, its signature.')
    .argument('<file-or-url>', 'the list: a file, an https URL, or an http URL of a loopback address')
    .option('--key-file <file>', 'public JWK that must have signed the list (compact JWS)')
    .option(
      '--max-bytes <bytes>',
      'a larger list is refused',
      wholeNumber(trustListMaxBytes.min, trustListMaxBytes.max),
      trustListMaxBytes.default,
    )
    .option(
      '--timeout-ms <ms>',
      'deadline for fetching from a URL',
      wholeNumber(trustListTimeoutMs.min, trustListTimeoutMs.max),
      trustListTimeoutMs.default,
    );
  runs<CheckOptions, [string]>(command, context, check);
}

async function check(reply: Reply, options: CheckOptions, location: string): Promise<ExitCode> {
  const result = await judgeTrustList({ ...options, location });
  if (!result.ok) {
    return fail(reply, result.kind, `${location}: ${result.fault}`, {
      admitted: false,
      reason: result.reason,
    });
  }
  const summary = summarize(result.list, Date.now() / 1000);
  const paint = paintFor(reply.terminal, reply.terminal.stdout);
  const rows = summary.issuers.flatMap((issuer) =>
    issuer.keys.map((key) => [`  ${issuer.iss}`, key.kid, key.state, validity(key)]),
  );
  const count = `${counted(summary.issuers.length, 'issuer')}, ${counted(rows.length, 'key')}`;
  const head = `${paint('green', '✓')} admitted: version ${summary.version}, ${count}`;
  answer(reply, { admitted: true, ...summary }, [head, ...formatTable(rows)]);
  return EXIT.done;
}

type KeyState = 'active' | 'expired' | 'not yet active';

interface KeySummary {
  readonly kid: string;
  readonly state: KeyState;
  readonly nbf?: number;
  readonly exp?: number;
}

function summarize(list: TrustList, nowSeconds: number) {
  return {
    version: list.version,
    issuers: list.issuers.map(({ iss, keys, holderProof, audiences, rights }) => ({
      iss,
      keys: keys.map((key) => summarizeKey(key, nowSeconds)),
      holderProof,
      audiences,
      rights,
    })),
  };
}

function summarizeKey(key: TrustedKey, nowSeconds: number): KeySummary {
  const { kid, nbf, exp } = key;
  const expired = exp !== undefined && nowSeconds >= exp;
  const state = isActive(key, nowSeconds) ? 'active' : expired ? 'expired' : 'not yet active';
  return { kid, state, ...(nbf === undefined ? {} : { nbf }), ...(exp === undefined ? {} : { exp }) };
}

function validity({ nbf, exp }: KeySummary): string {
  return `${day(nbf) ?? 'from ever'} to ${day(exp) ?? 'for ever'}`;
}

function day(seconds: number | undefined): string | undefined {
  if (seconds === undefined) return undefined;
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().slice(0, 10);
}
