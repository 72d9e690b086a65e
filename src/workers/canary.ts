/**
 * The canary as a data-plane thread answers it: credentials whose answers are known take the very path that callers'
 * credentials take, on this thread's engine, filter and store. Their issuer stands in a trust index made for this one
 * call, so no caller can ever be judged by it.
 */
import { type GatewayParts, verifySlice } from '../gateway.ts';
import { buildTrustIndex } from '../keys/trust-index.ts';
import type { TrustedIssuer } from '../keys/trusted-key.ts';
import { describeError, type LogFields } from '../log.ts';
import { type Reason, reasonOf } from '../verdict.ts';
import { beginSlice, sliceOf } from '../verification/slice.ts';

/** What is asked, made by the main thread for one round. */
export interface CanaryProbe {
  /** On no trust list. */
  readonly issuer: TrustedIssuer;
  readonly good: string;
  /** As good, but signed by somebody else under the same kid. */
  readonly forged: string;
  /** Absent until its revocation stands in this gateway's store. */
  readonly revoked?: string;
}

export interface CanaryAnswer {
  /** Whether every answer was the right one. */
  readonly right: boolean;
  /** For the log: the reasons given, or the error thrown. */
  readonly fields: LogFields;
}

export interface CanaryOptions {
  /** Those of the thread, but that nothing is counted as traffic. */
  readonly parts: GatewayParts;
  /** Whether what the copy lacks is not there. */
  isComplete(): boolean;
}

type Kind = 'good' | 'forged' | 'revoked';

export function answerCanary(probe: CanaryProbe, options: CanaryOptions): CanaryAnswer {
  const { good, forged, revoked } = probe;
  const asked: [Kind, string][] = [
    ['good', good],
    ['forged', forged],
  ];
  if (revoked !== undefined) asked.push(['revoked', revoked]);
  try {
    // The knowledge may come of age during the call; then either answer is right.
    const before = rightAnswers(options);
    const parts = canaryParts(probe.issuer, options.parts);
    const slice = sliceOf(asked.map(([, credential]) => ({ credential })));
    // Twice: what the reference decodes at first is recognised then, and done in bulk as callers' credentials are.
    const rounds = [1, 2].map(() => {
      beginSlice(slice, slice.texts, asked.length);
      verifySlice(slice, parts, parts.trust());
      return asked.map((_, index) => reasonOf(slice.reasons[index] as number));
    });
    const after = rightAnswers(options);
    const right = asked.every(([kind], index) =>
      rounds.every((reasons) => [...before[kind], ...after[kind]].includes(reasons[index] as Reason)),
    );
    const said = (index: number) => [...new Set(rounds.map((reasons) => reasons[index]))].join(', then ');
    return { right, fields: Object.fromEntries(asked.map(([kind], index) => [kind, said(index)])) };
  } catch (error) {
    return { right: false, fields: describeError(error) };
  }
}

/** The thread's own parts, with another trust index: there is one exactly when there is a list in force. */
function canaryParts(issuer: TrustedIssuer, parts: GatewayParts): GatewayParts {
  const list = parts.trust();
  const canaryOnly = list && buildTrustIndex({ version: list.version, issuers: [issuer] });
  return { ...parts, trust: () => canaryOnly, noteUnknownKey: () => {}, acceptTestCredentials: true };
}

/** What the path must say now. It is wrong also to call a card good that nobody can know to be good. */
function rightAnswers({ parts, isComplete }: CanaryOptions): Record<Kind, readonly Reason[]> {
  if (parts.trust() === undefined || parts.trustIsStale()) {
    const stale = ['keys_stale'] as const;
    return { good: stale, forged: stale, revoked: stale };
  }
  return { good: rightForGood(parts, isComplete()), forged: ['bad_signature'], revoked: ['revoked'] };
}

function rightForGood(parts: GatewayParts, complete: boolean): readonly Reason[] {
  if (parts.revocationIsExpired()) return ['revocation_stale'];
  // The filter may take any card for a known one; while the copy is not whole, nothing there clears it.
  return complete ? ['ok'] : ['ok', 'revocation_stale'];
}
