/** A trust list judged as a gateway judges its first one, without a gateway. */
import { readFileSync } from 'node:fs';
import { SETTINGS } from '../config.ts';
import { createKeyAdmission } from '../keys/key-admission.ts';
import { type CandidateRules, parseCandidate } from '../keys/trust-candidate.ts';
import { parsePinnedKey } from '../keys/trust-signature.ts';
import { parseTrustSource, readTrustSource } from '../keys/trust-source.ts';
import type { TrustList } from '../keys/trusted-key.ts';
import { createOpensslEngine } from '../signature/openssl-engine.ts';

export type JudgedTrustList =
  | { readonly ok: true; readonly list: TrustList }
  | {
      readonly ok: false;
      /** `usage` for what the command was given besides the list. */
      readonly kind: 'usage' | 'refused' | 'unavailable';
      readonly reason: string;
      readonly fault: string;
    };

/** Source, size, signature, schema, keys: what a gateway checks of a first list. */
export async function judgeTrustList(options: {
  readonly location: string;
  readonly keyFile?: string | undefined;
  readonly maxBytes: number;
  readonly timeoutMs: number;
}): Promise<JudgedTrustList> {
  const source = parseTrustSource(options.location);
  if (!source.ok) return { ok: false, kind: 'usage', reason: 'location', fault: source.error };
  const rules = candidateRules(options.maxBytes, options.keyFile);
  if (!rules.ok) return { ok: false, kind: 'usage', reason: 'key_file', fault: rules.fault };
  const read = await readTrustSource(source.source, {
    maxBytes: options.maxBytes,
    deadlineMs: options.timeoutMs,
  });
  if (!read.ok) {
    const kind = read.reason === 'unreachable' && source.source.kind === 'url' ? 'unavailable' : 'refused';
    return { ...read, kind };
  }
  const parsed = parseCandidate(read.bytes, rules.rules);
  if (!parsed.ok) return { ...parsed, kind: 'refused' };
  const admitted = await createKeyAdmission().check(parsed.list);
  return admitted.ok ? parsed : { ...admitted, kind: 'refused' };
}

function candidateRules(
  maxBytes: number,
  keyFile: string | undefined,
): { readonly ok: true; readonly rules: CandidateRules } | { readonly ok: false; readonly fault: string } {
  if (keyFile === undefined) return { ok: true, rules: { maxBytes } };
  let bytes: Buffer;
  try {
    bytes = readFileSync(keyFile);
  } catch (error) {
    return { ok: false, fault: `${keyFile} cannot be read (${(error as NodeJS.ErrnoException).code})` };
  }
  const pinned = parsePinnedKey(bytes);
  if (!pinned.ok) return { ok: false, fault: `${keyFile}: ${pinned.fault}` };
  const engine = createOpensslEngine({ keyCacheBytes: SETTINGS.keyCacheBytes.min });
  return {
    ok: true,
    rules: {
      maxBytes,
      pinned: {
        publicKey: pinned.publicKey,
        verify: (publicKey, signature, message) =>
          engine.verify([{ publicKey, signature, message }])[0] === 1,
      },
    },
  };
}
