/** Every case there is, by number. */
import type { AttackCase } from '../attack-case.ts';
import { BODIES } from './bodies.ts';
import { CREDENTIALS } from './credentials.ts';
import { FRAMING } from './framing.ts';
import { OPERATIONS } from './operations.ts';

export const ATTACKS: readonly AttackCase[] = [...FRAMING, ...BODIES, ...CREDENTIALS, ...OPERATIONS].sort(
  (one, other) => one.number - other.number,
);
