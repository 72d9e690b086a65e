/**
 * `vigie present`: what a phone shows, made without one. Signs a holder proof beside a credential and prints the
 * envelope that a gateway takes, for trials and tests of whoever has no wallet at hand.
 */
import { randomBytes } from 'node:crypto';
import { type Command, Option } from 'commander';
import { CHANNELS, type Channel } from '../../client/gateway-client.ts';
import { LIMITS } from '../../config.ts';
import { ANY_TYPE, decodeJws } from '../../credential/jws.ts';
import { isJsonObject } from '../../encoding/strict-json.ts';
import { signProof } from '../../issuer/sign-proof.ts';
import { readSigningKeyFile, type SigningKey } from '../../issuer/signing-key.ts';
import { type CommandContext, type CommonOptions, instantSeconds, runs } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { CREDENTIAL_SOURCE, readSource } from '../presentation-input.ts';
import { withoutLineEnd } from '../read-input.ts';
import { answer, fail, type Reply } from '../reply.ts';

interface PresentOptions extends CommonOptions {
  readonly holderKey: string;
  readonly audience: string;
  readonly nonce?: string;
  readonly channel?: Channel;
  readonly issuedAt?: number;
  readonly proof?: true;
  readonly batch?: true;
}

export function registerPresent(program: Command, context: CommandContext): void {
  const command = program
    .command('present')
    .description(
      "Sign a holder proof beside a credential, as the holder's phone does, and print the envelope to post to " +
        '/v1/verify or to hand to verify.',
    )
    .argument('[credential]', CREDENTIAL_SOURCE)
    .requiredOption('--holder-key <file>', "the holder's private JWK, as keygen writes it")
    .requiredOption('--audience <audience>', 'whom the proof is made for: the pharmacy')
    .option(
      '--nonce <nonce>',
      'what the pharmacy gave to sign (default: a random one, which the envelope leaves out)',
    )
    .addOption(new Option('--channel <channel>', 'how the card is shown').choices([...CHANNELS]))
    .option(
      '--issued-at <time>',
      'when the proof is made: RFC 3339 or seconds (default: now)',
      instantSeconds,
    )
    .option('--proof', 'print the proof alone')
    .option(
      '--batch',
      'take a credential a line, print the envelope of a batch, to post to /v1/verify/batch',
    );
  runs<PresentOptions, [string | undefined]>(command, context, present);
}

async function present(reply: Reply, options: PresentOptions, source = '-'): Promise<ExitCode> {
  const fault = optionFault(options);
  if (fault !== undefined) return fail(reply, 'usage', fault);
  const read = readSigningKeyFile(options.holderKey);
  if (!read.ok) return fail(reply, 'usage', read.fault);
  const maxBytes = options.batch ? LIMITS.batchBodyBytes : undefined;
  const input = await readSource(source, reply.terminal, 'a credential', maxBytes);
  if (!input.ok) return fail(reply, 'usage', input.fault);
  const credentials = credentialsOf(input.bytes, options);
  if (credentials.length > LIMITS.batchItems) {
    return fail(reply, 'usage', `at most ${LIMITS.batchItems} credentials make a batch`);
  }
  if (credentials.some((credential) => !namesHolder(credential, read.key))) {
    // No fault: that a gateway refuses such a proof is a thing to try.
    reply.terminal.stderr.write(
      'vigie: the credential does not name this holder key: no gateway takes the proof\n',
    );
  }
  const proofs = credentials.map((credential) => proofOf(credential, read.key, options));
  if (options.proof) {
    answer(reply, options.batch ? { holderProofs: proofs } : { holderProof: proofs[0] }, proofs);
    return EXIT.done;
  }
  const envelope = envelopeOf(credentials, proofs, options);
  const text = JSON.stringify(envelope);
  if (Buffer.byteLength(text) > LIMITS.batchBodyBytes) {
    return fail(reply, 'usage', `the batch would be larger than ${LIMITS.batchBodyBytes} bytes`);
  }
  answer(reply, envelope, [text]);
  return EXIT.done;
}

/** What a gateway would answer with 400 is no envelope to print. */
function optionFault({ nonce, channel, batch }: PresentOptions): string | undefined {
  if (batch && (nonce !== undefined || channel !== undefined)) {
    return 'a batch names neither nonce nor channel: --batch stands without them';
  }
  return channel === 'remote' && nonce === undefined ? '--channel remote needs --nonce' : undefined;
}

function credentialsOf(bytes: Buffer, { batch }: PresentOptions): string[] {
  const text = withoutLineEnd(bytes.toString('utf8'));
  return batch ? text.split(/\r?\n/) : [text];
}

function proofOf(credential: string, key: SigningKey, options: PresentOptions): string {
  return signProof({
    key,
    credential,
    aud: options.audience,
    // A verifier that named none takes any; but no proof may be taken for another one.
    nonce: options.nonce ?? randomBytes(16).toString('base64url'),
    iat: options.issuedAt ?? Math.floor(Date.now() / 1000),
  });
}

function envelopeOf(
  credentials: readonly string[],
  proofs: readonly string[],
  { audience, nonce, channel, batch }: PresentOptions,
): object {
  const items = credentials.map((credential, i) => ({ credential, holderProof: proofs[i] }));
  if (batch) return { credentials: items };
  return {
    ...items[0],
    audience,
    ...(nonce === undefined ? {} : { nonce }),
    ...(channel === undefined ? {} : { channel }),
  };
}

function namesHolder(credential: string, { publicJwk }: SigningKey): boolean {
  const decoded = decodeJws(credential, LIMITS.credentialChars, ANY_TYPE);
  const cnf = decoded.ok ? decoded.credential.claims.cnf : undefined;
  return isJsonObject(cnf) && isJsonObject(cnf.jwk) && cnf.jwk.x === publicJwk.x;
}
