/**
 * What the phone showed, as commands are given it: a credential, or the envelope that `vigie present` prints and
 * `POST /v1/verify` takes.
 */
import type { VerifyRequest } from '../client/gateway-client.ts';
import { LIMITS } from '../config.ts';
import { isJsonObject, parseStrictJsonBytes } from '../encoding/strict-json.ts';
import { type Input, readInputFile, readStdin, withoutLineEnd } from './read-input.ts';
import type { Terminal } from './terminal.ts';

export const CREDENTIAL_SOURCE = 'the credential itself, @file, or - for standard input (the default)';

/** Reads what an argument names; `what` is expected there. */
export function readSource(
  source: string,
  terminal: Terminal,
  what: string,
  // The gateway's own bound judges; this one only keeps a wrong file from being read into memory.
  maxBytes = 4 * LIMITS.credentialChars,
): Promise<Input> | Input {
  if (source === '-') return readStdin(terminal.stdin, maxBytes, what);
  if (source.startsWith('@')) return readInputFile(source.slice(1), maxBytes);
  return { ok: true, bytes: Buffer.from(source, 'utf8') };
}

export type Presentation =
  | { readonly ok: true; readonly request: VerifyRequest }
  /** Quotes nothing of what was read: it names cards. */
  | { readonly ok: false; readonly fault: string };

const MEMBERS = ['credential', 'holderProof', 'audience', 'nonce', 'channel', 'at'] as const;

/** No credential begins with a brace: a text that does is an envelope, and must be a whole one. */
export function parsePresentation(bytes: Buffer): Presentation {
  const text = withoutLineEnd(bytes.toString('utf8'));
  if (!text.startsWith('{')) return { ok: true, request: { credential: text } };
  const json = parseStrictJsonBytes(bytes);
  if (!json.ok) return { ok: false, fault: `the envelope is refused: ${json.fault}` };
  if (!isJsonObject(json.value)) return { ok: false, fault: 'the envelope is no JSON object' };
  if (Object.hasOwn(json.value, 'credentials')) {
    return {
      ok: false,
      fault: 'that is a batch: it is posted to /v1/verify/batch, and verify takes one card',
    };
  }
  for (const [name, value] of Object.entries(json.value)) {
    if (!MEMBERS.some((known) => known === name))
      return { ok: false, fault: 'the envelope has an unknown member' };
    if (typeof value !== 'string') return { ok: false, fault: `the envelope's ${name} must be a string` };
  }
  const { credential } = json.value;
  if (typeof credential !== 'string') return { ok: false, fault: 'the envelope holds no credential' };
  return { ok: true, request: { ...(json.value as Record<string, string>), credential } };
}
