/** `vigie keygen`: an issuer's or a holder's signing key, its private half in a file, its public half printed. */
import type { Command } from 'commander';
import { generateSigningKey, writeSigningKeyFile } from '../../issuer/signing-key.ts';
import { type CommandContext, type CommonOptions, runs } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { answer, fail, type Reply } from '../reply.ts';

interface KeygenOptions extends CommonOptions {
  readonly out: string;
  readonly kid?: string;
  readonly iss?: string;
}

export function registerKeygen(program: Command, context: CommandContext): void {
  const command = program
    .command('keygen')
    .description(
      "Make an Ed25519 signing key, an issuer's or a holder's. The private JWK goes into a new file that its owner " +
        "alone can read; the public JWK, for the trust list or for issue's --holder-key, is printed.",
    )
    .requiredOption('--out <file>', 'file for the private JWK; one that is there is never overwritten')
    .option('--kid <kid>', "the key's id (default: its RFC 7638 thumbprint)")
    .option('--iss <iss>', 'print a whole trust list that names this issuer and the key alone');
  runs<KeygenOptions>(command, context, keygen);
}

function keygen(reply: Reply, { out, kid, iss }: KeygenOptions): ExitCode {
  if (kid === '') return fail(reply, 'usage', '--kid must not be empty');
  const key = generateSigningKey(kid);
  let written: 'written' | 'exists';
  try {
    written = writeSigningKeyFile(out, key);
  } catch (error) {
    return fail(reply, 'refused', `${out} cannot be written (${(error as NodeJS.ErrnoException).code})`);
  }
  if (written === 'exists') return fail(reply, 'refused', `${out} exists and is never overwritten`);
  const { publicJwk } = key;
  const trustList = iss === undefined ? undefined : { version: 1, issuers: [{ iss, keys: [publicJwk] }] };
  const document = { privateKeyFile: out, publicJwk, ...(trustList === undefined ? {} : { trustList }) };
  answer(reply, document, [JSON.stringify(trustList ?? publicJwk)]);
  return EXIT.done;
}
