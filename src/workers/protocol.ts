/** Messages between the main thread and a data-plane worker, and what a worker is born with. */
import type { PlacedCaller } from '../callers/caller-index.ts';
import type { Config } from '../config.ts';
import type { ParserBuild } from '../ingress/parser-build.ts';
import type { TrustList } from '../keys/trusted-key.ts';
import type { LogFields } from '../log.ts';
import type { SharedReplay } from '../replay/create-replay-guard.ts';
import type { DeploymentSecret } from '../revocation/deployment-secret.ts';
import type { CanaryAnswer, CanaryProbe } from './canary.ts';

export interface WorkerBirth {
  readonly config: Config;
  /** Counters that this worker alone writes. */
  readonly counters: SharedArrayBuffer;
  /** Its signs of life (workers/worker-life.ts). */
  readonly life: SharedArrayBuffer;
  readonly state: SharedArrayBuffer;
  /** How far the process still trusts its engines (signature/engine-level.ts). */
  readonly engineLevel: SharedArrayBuffer;
  readonly revocation: SharedRevocation;
  readonly replay: SharedReplay;
  readonly trustList: TrustList | undefined;
  /** As the main thread judged it. */
  readonly parser: ParserBuild;
  /** Absent where callers have no names. */
  readonly callers: SharedCallers | undefined;
}

/** Who may call: names, hashes of keys and the key that makes them, and everybody's buckets (callers/buckets.ts). */
export interface SharedCallers {
  readonly list: readonly PlacedCaller[];
  readonly hashKey: Uint8Array;
  readonly buckets: SharedArrayBuffer;
}

/** What a worker needs of the revocation side: shared memory, the store to confirm in, and its keys. */
export interface SharedRevocation {
  readonly filter: SharedArrayBuffer;
  readonly freshness: SharedArrayBuffer;
  readonly completeness: SharedArrayBuffer;
  readonly supersedes: SharedArrayBuffer;
  readonly changes: SharedArrayBuffer;
  readonly dir: string;
  /** Of the store's files; a filter belongs to one store only. */
  readonly identity: string;
  readonly secret: DeploymentSecret;
}

export type ToWorker =
  /** A new list: answered by `taken` once every later verification is judged by it. */
  | { readonly kind: 'trust-list'; readonly list: TrustList; readonly ticket: number }
  /** Who may call from now on: answered by `taken`. */
  | { readonly kind: 'callers'; readonly list: readonly PlacedCaller[]; readonly ticket: number }
  /** A filter made anew: answered by `taken` once the thread reads no other. */
  | { readonly kind: 'filter'; readonly shared: SharedArrayBuffer; readonly ticket: number }
  /** What others prove of the hashes asked for by `prove-revoked`, in order. */
  | { readonly kind: 'revoked'; readonly ticket: number; readonly issuedBefore: readonly number[] }
  /** Credentials of known answers: answered by `canary`. At most one is under way. */
  | { readonly kind: 'canary'; readonly probe: CanaryProbe }
  /** No connection is open for new work any more: close everything and end. */
  | { readonly kind: 'close' };

export type FromWorker =
  /** Proofs taken, for the journal (replay/taken-notes.ts). */
  | { readonly kind: 'proofs-taken'; readonly notes: Uint8Array }
  /** Other gateways cannot be asked about proofs for the moment. */
  | { readonly kind: 'replay-cut-off'; readonly because: string }
  /** The worker's app, which the acceptor hands connections to. */
  | {
      readonly kind: 'ready';
      readonly descriptor: unknown;
      readonly engine: string;
      readonly implementation: string;
      /** What it watches its connections with; `undefined` when there is no native code, and so no way to end it alone. */
      readonly epoll: number | undefined;
    }
  /** It cannot serve; it waits to be closed. */
  | { readonly kind: 'failed'; readonly error: string }
  /** Something threw where nobody catches; the thread goes on until it is replaced, and closed. */
  | { readonly kind: 'uncaught'; readonly fields: LogFields }
  | { readonly kind: 'taken'; readonly ticket: number }
  /** Cards and holders by their hashes, of which the copy cannot tell: answered by `revoked`. */
  | { readonly kind: 'prove-revoked'; readonly ticket: number; readonly hashes: readonly Uint8Array[] }
  | { readonly kind: 'canary'; readonly answer: CanaryAnswer }
  | { readonly kind: 'engine-disagreement'; readonly fields: LogFields }
  | { readonly kind: 'unknown-key'; readonly iss: string; readonly kid: string }
  | { readonly kind: 'unexpected-error'; readonly fields: LogFields }
  | { readonly kind: 'access'; readonly line: LogFields };
