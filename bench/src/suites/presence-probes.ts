/** Whether a gateway tells good proofs from bad ones, and remembers them, before its speed is looked at. */
import { closeSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Corpus } from '../corpus/credentials.ts';
import { readSigningKeys } from '../corpus/holder-keys.ts';
import { signHolderProof } from '../corpus/holder-proof.ts';
import type { Target } from '../process/targets.ts';
import { askFor } from './http-probes.ts';

interface Probe {
  readonly what: string;
  readonly shown: { readonly credential: string; readonly holderProof?: string };
  readonly reason: string;
}

/** A log that is made anew in an empty Redis is known to be whole a moment after the start. */
const READY_LIMIT_MS = 30_000;
const READY_POLL_MS = 50;

/** Of the reasons that are expected here, as the contract numbers them. */
const CODES: Readonly<Record<string, number>> = { ok: 0, holder_proof_invalid: 12, replayed: 13 };
const PROBED = 2;

/** Asks for each alone and for all in one batch; throws when an answer is wrong. */
export async function probePresentations(
  target: Target,
  corpus: Corpus,
  windowSeconds: number,
): Promise<void> {
  await untilReady(target);
  for (const { what, shown, reason } of makeProbes(corpus, windowSeconds)) {
    const answer = JSON.parse(
      (await askFor(target, '/v1/verify', 'application/json', shown)).toString('utf8'),
    );
    if (answer.reason !== reason) throw new Error(`${target.name} says ${answer.reason} to ${what}`);
    const saysHolder = answer.verified.includes('holder');
    if (saysHolder !== (reason === 'ok' && shown.holderProof !== undefined)) {
      throw new Error(`${target.name} is wrong about whether the holder was verified: ${what}`);
    }
    if (answer.replay !== undefined) throw new Error(`${target.name} could not ask its Redis`);
  }
  const probes = makeProbes(corpus, windowSeconds);
  const credentials = probes.map(({ shown }) => shown);
  const codes = await askFor(target, '/v1/verify/batch', 'application/octet-stream', { credentials });
  for (const [index, { what, reason }] of probes.entries()) {
    if (codes[index] !== CODES[reason]) {
      throw new Error(`${target.name} gives code ${codes[index]} to ${what} in a batch`);
    }
  }
  if (codes.length !== probes.length) throw new Error(`${target.name} answers a batch with too many codes`);
}

/** With fresh proofs each time; a later probe is of what was shown before it. */
function makeProbes(corpus: Corpus, windowSeconds: number): Probe[] {
  const [credential, other] = firstLines(corpus) as [string, string];
  const file = openSync(corpus.holderKeysFile, 'r');
  const [holder, otherHolder] = readSigningKeys(file, 0, PROBED) as [KeyOf, KeyOf];
  closeSync(file);
  const iat = Math.floor(Date.now() / 1000);
  const good = signHolderProof(credential, holder, { iat });
  const bad = (what: string, holderProof: string): Probe => ({
    what,
    shown: { credential, holderProof },
    reason: 'holder_proof_invalid',
  });
  // The first character of the signature: its last ones hold bits that must be zero.
  const at = good.lastIndexOf('.') + 1;
  const altered = `${good.slice(0, at)}${good[at] === 'A' ? 'B' : 'A'}${good.slice(at + 1)}`;
  return [
    bad('a proof whose signature was altered', altered),
    bad("another holder's proof", signHolderProof(credential, otherHolder, { iat })),
    bad('a proof of another credential', signHolderProof(other, holder, { iat })),
    bad(
      'a proof for another pharmacy',
      signHolderProof(credential, holder, { iat, aud: 'https://other.example' }),
    ),
    bad('a proof that is too old', signHolderProof(credential, holder, { iat: iat - windowSeconds - 2 })),
    { what: 'a good presentation', shown: { credential, holderProof: good }, reason: 'ok' },
    { what: 'the same presentation again', shown: { credential, holderProof: good }, reason: 'replayed' },
    { what: 'a credential without a proof', shown: { credential }, reason: 'ok' },
  ];
}

async function untilReady({ name, origin }: Target): Promise<void> {
  const deadlineMs = performance.now() + READY_LIMIT_MS;
  while ((await fetch(`${origin}/readyz`)).status !== 200) {
    if (performance.now() > deadlineMs) throw new Error(`${name} is not ready`);
    await sleep(READY_POLL_MS);
  }
}

type KeyOf = ReturnType<typeof readSigningKeys>[number];

function firstLines({ credentialsFile, credentialChars }: Corpus): string[] {
  const head = Buffer.alloc(PROBED * (credentialChars + 1));
  const file = openSync(credentialsFile, 'r');
  readSync(file, head, 0, head.length, 0);
  closeSync(file);
  return head.toString('latin1').trimEnd().split('\n');
}
