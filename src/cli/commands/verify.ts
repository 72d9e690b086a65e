/** `vigie verify`: asks a gateway about one card and says in words what to do. */
import { type Command, Option } from 'commander';
import { CHANNELS, type Channel, gatewayClient, type VerifyAnswer } from '../../client/gateway-client.ts';
import { type CallOptions, type CommandContext, callsGateway, runs } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { accessKey, dataListener } from '../listener.ts';
import { CREDENTIAL_SOURCE, parsePresentation, readSource } from '../presentation-input.ts';
import { withoutLineEnd } from '../read-input.ts';
import { answer, fail, failOutcome, type Reply } from '../reply.ts';
import { paintFor } from '../terminal.ts';
import { verdictLines } from '../verdict-lines.ts';
import { type LanguageOptions, languageOf, languageOption } from '../words/language.ts';

interface VerifyOptions extends CallOptions, LanguageOptions {
  readonly keyFile?: string;
  readonly holderProof?: string;
  readonly audience?: string;
  readonly nonce?: string;
  readonly channel?: Channel;
  readonly at?: string;
}

export function registerVerify(program: Command, context: CommandContext): void {
  const command = program
    .command('verify')
    .description(
      'Ask a running gateway whether a card is valid, and what to do at the counter. Takes a credential, or an ' +
        'envelope as present prints it; what options name stands in for what the envelope says.',
    )
    .argument('[credential]', CREDENTIAL_SOURCE)
    .option('--holder-proof <proof>', "the phone's proof that its holder is present, or @file")
    .option('--audience <audience>', 'in whose name the card is checked')
    .option('--nonce <nonce>', 'what the phone was given to sign')
    .addOption(new Option('--channel <channel>', 'how the card was shown').choices([...CHANNELS]))
    .option('--at <instant>', 'judge by this instant (RFC 3339), where the gateway allows it')
    .addOption(languageOption());
  runs<VerifyOptions, [string | undefined]>(callsGateway(command, 'data'), context, verify);
}

async function verify(reply: Reply, options: VerifyOptions, source = '-'): Promise<ExitCode> {
  const { terminal } = reply;
  const listener = dataListener(terminal.environment, options.url);
  if (!listener.ok) return fail(reply, 'usage', listener.fault);
  const input = await readSource(source, terminal, 'a credential or an envelope');
  if (!input.ok) return fail(reply, 'usage', input.fault);
  const shown = parsePresentation(input.bytes);
  if (!shown.ok) return fail(reply, 'usage', shown.fault);
  const named = await readNamed(reply, options);
  if (!named.ok) return fail(reply, 'usage', named.fault);
  const key = accessKey(terminal.environment, options.keyFile);
  if (!key.ok) return fail(reply, 'usage', key.fault);
  const client = gatewayClient({
    baseUrl: listener.baseUrl,
    accessKey: key.token,
    timeoutMs: options.timeoutMs,
  });
  const outcome = await client.verify({ ...shown.request, ...named.members });
  if (outcome.kind !== 'answer') return failOutcome(reply, outcome);
  const language = languageOf(options, terminal.environment);
  const lines = verdictLines(outcome.value, language, paintFor(terminal, terminal.stdout));
  answer(reply, outcome.value.document, lines);
  return exitOf(outcome.value);
}

/** The members that options name, and no others: what is absent here must not hide what the envelope says. */
async function readNamed(
  { terminal }: Reply,
  { holderProof, audience, nonce, channel, at }: VerifyOptions,
): Promise<
  | { readonly ok: true; readonly members: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly fault: string }
> {
  // Standard input is the credential's.
  if (holderProof === '-') return { ok: false, fault: '--holder-proof must be the proof itself or @file' };
  const proof = holderProof === undefined ? undefined : await readSource(holderProof, terminal, 'a proof');
  if (proof?.ok === false) return proof;
  const members = {
    holderProof: proof && withoutLineEnd(proof.bytes.toString('utf8')),
    ...{ audience, nonce, channel, at },
  };
  const named = Object.entries(members).filter(
    (member): member is [string, string] => member[1] !== undefined,
  );
  return { ok: true, members: Object.fromEntries(named) };
}

/** `indeterminate` is no verdict on the card: a script must not take it for a refusal. */
function exitOf({ verdict }: VerifyAnswer): ExitCode {
  if (verdict === 'valid') return EXIT.done;
  return verdict === 'indeterminate' ? EXIT.unavailable : EXIT.notValid;
}
