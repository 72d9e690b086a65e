/**
 * What the addon must offer. A file that was built from older sources lacks some of it, and would be found out by the
 * first request that needs it; so it is held against this list when it is loaded.
 */
import type { NativeAddon } from './addon.ts';

/** Every member, which the compiler sees to. */
const MEMBERS: Readonly<Record<keyof NativeAddon, true>> = {
  adviseHugePages: true,
  baseWindowBits: true,
  clearStore: true,
  createCardHasher: true,
  createHeadTable: true,
  createProofHasher: true,
  createRecogniser: true,
  cutOff: true,
  cutOffWatched: true,
  decodeCredentials: true,
  decodeProofs: true,
  endProcess: true,
  endsSegment: true,
  findHead: true,
  forbidDumps: true,
  guardThread: true,
  headEndsEarly: true,
  identifyProofs: true,
  implementations: true,
  learnHead: true,
  lookUpCards: true,
  maxWindowBits: true,
  minWindowBits: true,
  prepareKey: true,
  prepareKeyNow: true,
  prepareSelfTestKey: true,
  preparedKeyBytes: true,
  recognise: true,
  scanBatch: true,
  scanSingles: true,
  storeStats: true,
  unwatchedConnections: true,
  verify: true,
  verifySelfTest: true,
  verifySpans: true,
  writeAnswers: true,
};

/** The first member that is not there. */
export function missingMember(loaded: object): string | undefined {
  return Object.keys(MEMBERS).find((name) => !(name in loaded));
}
