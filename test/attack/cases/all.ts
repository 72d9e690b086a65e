/** Every case there is, by number. */
import type { AttackCase } from '../attack-case.ts';
import { BATCHES } from './batches.ts';
import { BODIES } from './bodies.ts';
import { CLAIMS_AND_FORMS } from './claims.ts';
import { CONNECTIONS } from './connections.ts';
import { FRAMING } from './framing.ts';
import { HEADERS } from './headers.ts';
import { ISSUER_KEYS } from './issuer-keys.ts';
import { PROOFS } from './proofs.ts';
import { PROXIES } from './proxies.ts';
import { QUOTAS } from './quotas.ts';
import { SIGNATURES } from './signatures.ts';
import { STATUS } from './status.ts';
import { WATCHERS } from './watchers.ts';

export const ATTACKS: readonly AttackCase[] = [
  ...FRAMING,
  ...CONNECTIONS,
  ...BODIES,
  ...BATCHES,
  ...HEADERS,
  ...SIGNATURES,
  ...CLAIMS_AND_FORMS,
  ...PROOFS,
  ...STATUS,
  ...WATCHERS,
  ...QUOTAS,
  ...PROXIES,
  ...ISSUER_KEYS,
].sort((one, other) => one.number - other.number);
