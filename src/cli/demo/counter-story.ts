/**
 * The demo's second story: one card at the counter of a pharmacy, shown by its holder and by others, each time with
 * the answer that must come.
 */
import { randomUUID } from 'node:crypto';
import type { AdminClient } from '../../client/admin-client.ts';
import { type GatewayClient, gatewayClient } from '../../client/gateway-client.ts';
import type { Reason } from '../../verdict.ts';
import type { CounterStep } from './counter-words.ts';
import {
  HOLDER_ISSUER,
  type HolderKeys,
  holderCard,
  OTHER_PHARMACY,
  PHARMACY,
  proveHolder,
} from './holder-cards.ts';

export interface ToldStep {
  readonly step: CounterStep;
  readonly expected: Reason;
  /** A reason, or how the call ended without one. */
  readonly said: string;
}

const SUB = 'demo-holder-at-the-counter';
const ONE_YEAR_SECONDS = 365 * 86_400;

/** Tells the story, whatever is answered; `expected` and `said` show where it went wrong. */
export async function tellCounterStory(
  dataUrl: string,
  admin: AdminClient,
  keys: HolderKeys,
): Promise<readonly ToldStep[]> {
  const client = gatewayClient({ baseUrl: dataUrl });
  const told: ToldStep[] = [];
  const show = async (step: CounterStep, expected: Reason, card: string, proof?: string, at = PHARMACY) => {
    told.push({ step, expected, said: await ask(client, card, proof, at) });
  };
  const nowSeconds = Math.floor(Date.now() / 1000);
  const issue = (iat: number, rights: 'open' | 'ended' = 'open') => {
    const claims = {
      jti: randomUUID(),
      sub: SUB,
      iat,
      exp: nowSeconds + ONE_YEAR_SECONDS,
      note: 'synthetic',
    };
    return holderCard(keys, { claims, nowSeconds, rights });
  };

  const card = issue(nowSeconds - 1);
  const proof = proveHolder(keys, card);
  await show('shown', 'ok', card, proof);
  await show('photographed', 'replayed', card, proof);
  await show('elsewhere', 'holder_proof_invalid', card, proveHolder(keys, card), OTHER_PHARMACY);
  await show('copied', 'holder_proof_missing', card);
  const ended = issue(nowSeconds - 1, 'ended');
  await show('rights_ended', 'rights_not_open', ended, proveHolder(keys, ended));
  // The new card first, then the word that all older ones are superseded: so nobody is ever without one.
  const renewed = issue(nowSeconds);
  await admin.statusChanges({ changes: [{ iss: HOLDER_ISSUER, sub: SUB, issuedBefore: nowSeconds }] });
  await show('superseded', 'revoked', card, proveHolder(keys, card));
  await show('renewed', 'ok', renewed, proveHolder(keys, renewed));
  return told;
}

async function ask(
  client: GatewayClient,
  credential: string,
  holderProof: string | undefined,
  audience: string,
): Promise<string> {
  const outcome = await client.verify({ credential, holderProof, audience, channel: 'qr' });
  return outcome.kind === 'answer' ? outcome.value.reason : outcome.kind;
}
