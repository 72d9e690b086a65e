/** What peers are started with, and what one that runs is to the suite. */
import type { Corpus } from '../../corpus/credentials.ts';
import type { Options } from '../../options.ts';
import type { Target } from '../../process/targets.ts';
import type { RequestKind } from '../http-cells.ts';
import type { ProbeSet } from './probe-credentials.ts';

export interface PeerContext {
  readonly options: Options;
  readonly corpus: Corpus;
  /** The corpus's keys and the probes' one. */
  readonly trustListFile: string;
  readonly probes: ProbeSet;
  /** Of this run, removed at its end. */
  readonly dir: string;
}

export interface RunningPeer {
  readonly target: Target;
  readonly version: string;
  /** Whether it lets a credential pass. */
  readonly accepts: (credential: string) => Promise<boolean>;
  /** What else runs for it, on the generator's core. */
  readonly besidePid?: number;
  readonly stop: () => Promise<void>;
}

export interface PeerSpec {
  /** The row's name, without the kind of request. */
  readonly peer: string;
  readonly start: (context: PeerContext) => Promise<RunningPeer>;
  readonly kinds: readonly PeerKind[];
  /** Results are cached: its rows stand apart, and its load is the same few credentials over and over. */
  readonly isCached?: boolean;
  /** By its documents or by how it is made; what the probes find comes beside. */
  readonly cannot: readonly string[];
}

/** `bearer`: the credential in the Authorization header of a GET. */
export type PeerKind = RequestKind & { readonly isBearer?: boolean };

const POST_JSON = {
  contentType: 'application/json',
  targets: [],
} as const;

export const SINGLE: PeerKind = {
  ...POST_JSON,
  request: 'single',
  form: 'single-json',
  path: '/v1/verify',
  accept: 'application/json',
  answer: 'json',
  batch: 1,
  connections: 32,
  checkOneIn: 16,
};

/** A byte for each in the answer: what a peer does best. */
export const BATCH: PeerKind = {
  ...POST_JSON,
  request: 'batch',
  form: 'batch-json',
  path: '/v1/verify/batch',
  accept: 'application/octet-stream',
  answer: 'bytes',
  batch: 1_000,
  connections: 4,
  checkOneIn: 1,
};

export const BEARER: PeerKind = { ...SINGLE, form: 'prebuilt', isBearer: true };
