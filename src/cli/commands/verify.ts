/** `vigie verify`: asks a gateway about one credential and says in words what to do. */
import type { Command } from 'commander';
import { gatewayClient, type VerifyAnswer } from '../../client/gateway-client.ts';
import { LIMITS } from '../../config.ts';
import { isJsonObject, type JsonValue } from '../../encoding/strict-json.ts';
import { type CallOptions, type CommandContext, callsGateway, runs } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { dataListener } from '../listener.ts';
import { type Input, readInputFile, readStdin, withoutLineEnd } from '../read-input.ts';
import { answer, fail, failOutcome, type Reply } from '../reply.ts';
import { paintFor, type Terminal } from '../terminal.ts';
import { explain } from '../verdict-words.ts';

interface VerifyOptions extends CallOptions {
  readonly audience?: string;
}

export function registerVerify(program: Command, context: CommandContext): void {
  const command = program
    .command('verify')
    .description('Ask a running gateway whether a credential is valid, and what to do at the counter.')
    .argument('[credential]', 'the credential itself, @file, or - for standard input (the default)')
    .option('--audience <audience>', 'in whose name the card is checked');
  runs<VerifyOptions, [string | undefined]>(callsGateway(command, 'data'), context, verify);
}

async function verify(reply: Reply, options: VerifyOptions, source = '-'): Promise<ExitCode> {
  const listener = dataListener(reply.terminal.environment, options.url);
  if (!listener.ok) return fail(reply, 'usage', listener.fault);
  const input = await readCredential(source, reply.terminal);
  if (!input.ok) return fail(reply, 'usage', input.fault);
  const client = gatewayClient({ baseUrl: listener.baseUrl, timeoutMs: options.timeoutMs });
  const outcome = await client.verify({
    credential: withoutLineEnd(input.bytes.toString('utf8')),
    audience: options.audience,
  });
  if (outcome.kind !== 'answer') return failOutcome(reply, outcome);
  answer(reply, outcome.value.document, describe(outcome.value, reply.terminal));
  return exitOf(outcome.value);
}

function readCredential(source: string, terminal: Terminal): Promise<Input> | Input {
  // The gateway's own bound judges; this one only keeps a wrong file from being read into memory.
  const maxBytes = 4 * LIMITS.credentialChars;
  if (source === '-') return readStdin(terminal.stdin, maxBytes, 'a credential');
  if (source.startsWith('@')) return readInputFile(source.slice(1), maxBytes);
  return { ok: true, bytes: Buffer.from(source, 'utf8') };
}

/** `indeterminate` is no verdict on the card: a script must not take it for a refusal. */
function exitOf({ verdict }: VerifyAnswer): ExitCode {
  if (verdict === 'valid') return EXIT.done;
  return verdict === 'indeterminate' ? EXIT.unavailable : EXIT.notValid;
}

function describe({ verdict, reason, action, document }: VerifyAnswer, terminal: Terminal): string[] {
  const paint = paintFor(terminal, terminal.stdout);
  const { finding, counter } = explain(reason, action);
  const [mark, colour] = verdict === 'valid' ? ['✓', 'green' as const] : ['✗', 'red' as const];
  const lines = [`${paint(colour, `${mark} ${verdict}`)} (${reason}): ${finding}`, counter];

  // The issuer's name and the expiry are only worth showing once its signature holds.
  const verified = Array.isArray(document.verified) && document.verified.includes('issuer');
  const { credential, key, revocation } = document;
  if (verified && isJsonObject(credential)) {
    lines.push(paint('dim', `issuer      ${text(credential.iss)}`));
    if (typeof credential.exp === 'number')
      lines.push(paint('dim', `expires     ${isoDate(credential.exp)}`));
  }
  if (verified && isJsonObject(key)) {
    lines.push(paint('dim', `key         ${text(key.kid)} of trust list ${text(key.set)}`));
  }
  if (isJsonObject(revocation)) {
    lines.push(paint('dim', `revocation  ${text(revocation.state)}, ${text(revocation.ageMs)} ms old`));
  }
  return lines;
}

/** A value on one line, without control characters: what a credential says must not steer a terminal. */
function text(value: JsonValue | undefined): string {
  return String(value ?? '-').replace(/\p{C}/gu, '\ufffd');
}

function isoDate(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString();
}
