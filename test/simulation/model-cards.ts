/**
 * The cards of a simulated run: each is one credential, of a holder who has several, issued at an instant of its own.
 * To supersede what a holder was issued before an instant so revokes some of them.
 */
import { cardHash, holderHash } from '../../src/revocation/card-hash.ts';
import { type DeploymentSecret, deriveSecret } from '../../src/revocation/deployment-secret.ts';
import type { HashedEntry } from '../../src/revocation/shared/shared-log.ts';
import { decodedEntry } from './model-copy.ts';

export const SECRET: DeploymentSecret = deriveSecret(Buffer.alloc(32, 0x5a));
export const ISS = 'https://synthetic-issuer.example';
const HOLDERS = 2;

export const CARDS = Array.from({ length: 24 }, (_, i) => `card-${i}`);

const hashes = new Map<string, Buffer>();

export function hashOf(card: string): Buffer {
  const hash = hashes.get(card) ?? cardHash(SECRET.cardHashKey, ISS, card);
  hashes.set(card, hash);
  return hash;
}

const numberOf = (card: string): number => Number(card.split('-')[1]);

export function holderOf(card: string): string {
  return `holder-${numberOf(card) % HOLDERS}`;
}

/** Seconds; no two cards of a holder at the same instant. */
export function issuedAt(card: string): number {
  return 1_795_000_000 + Math.floor(numberOf(card) / HOLDERS) + 0.5;
}

export function holderHashOf(holder: string): Buffer {
  const hash = hashes.get(holder) ?? holderHash(SECRET.cardHashKey, ISS, holder);
  hashes.set(holder, hash);
  return hash;
}

/** Those that are superseded by an entry of their holder. */
export function supersededBy(holder: string, issuedBefore: number): string[] {
  return CARDS.filter((card) => holderOf(card) === holder && issuedAt(card) < issuedBefore);
}

/** What entries say of a card, as the path judges it; `unreadable`: one that is not authentic may be its revocation. */
export function statusIn(
  entryOf: (hash: Buffer) => Buffer | undefined,
  card: string,
): 'active' | 'suspended' | 'revoked' | 'unreadable' | undefined {
  const read = (hash: Buffer) => {
    const entry = entryOf(hash);
    const stored: HashedEntry | undefined = entry && { hash, entry };
    return stored && (decodedEntry(SECRET.entryMacKey, stored) ?? 'unreadable');
  };
  const own = read(hashOf(card));
  const holder = read(holderHashOf(holderOf(card)));
  if (own !== 'unreadable' && own?.status === 'revoked') return 'revoked';
  if (holder !== 'unreadable' && holder?.status === 'superseded' && issuedAt(card) < holder.issuedBefore) {
    return 'revoked';
  }
  if (own === 'unreadable' || holder === 'unreadable') return 'unreadable';
  return own?.status === 'active' || own?.status === 'suspended' ? own.status : undefined;
}
