/**
 * The cards of a recorded history: one credential each. Most are changed by their `jti`; of a holder's two, one was
 * issued before the instant up to which all are superseded, which revokes it, and one at that very instant.
 */
import { credential, goodClaims, ISS } from '../support/synthetic-issuer.ts';
import type { Change } from './history.ts';

type CardChange = Change['changes'][number];

/** In date for years, and issued days ago, whatever a test does to clocks. */
const IN_DATE_SECONDS = 10 * 365 * 86_400;
const NOW_SECONDS = Math.floor(Date.now() / 1000);
export const SUPERSEDED_BEFORE = NOW_SECONDS - 10 * 86_400 + 0.5;

const OLDER = '-superseded-';
const YOUNGER = '-renewed-';

export function holderOf(card: string): string {
  return card.replace(OLDER, '-holder-').replace(YOUNGER, '-holder-');
}

/** Whether the card is revoked by superseding what its holder was issued. */
export function isSuperseded(card: string): boolean {
  return card.includes(OLDER);
}

/** As the admin interface is asked for it. */
export function changeCallOf({ card, status }: CardChange): object {
  if (!isSuperseded(card)) return { iss: ISS, jti: card, status };
  if (status !== 'revoked') throw new Error('a card that is superseded has no other status');
  return { iss: ISS, sub: holderOf(card), issuedBefore: SUPERSEDED_BEFORE };
}

const credentials = new Map<string, string>();

export function credentialOf(card: string): string {
  let text = credentials.get(card);
  if (text === undefined) {
    const iat = SUPERSEDED_BEFORE - (isSuperseded(card) ? 0.25 : 0);
    const claims = goodClaims({ jti: card, sub: holderOf(card), iat }, NOW_SECONDS + IN_DATE_SECONDS);
    text = credential({ payload: claims });
    credentials.set(card, text);
  }
  return text;
}
