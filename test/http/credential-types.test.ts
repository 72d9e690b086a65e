/** What a credential's header may call itself: JWT, nothing, or what the policy of its own issuer names. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { call, type VerdictAnswer, verify } from '../support/call.ts';
import { type Gateway, listedIssuer, startGateway } from '../support/gateway.ts';
import { credential, goodClaims, ISS, KID, signerOf } from '../support/synthetic-issuer.ts';

const OTHER_ISS = 'https://other-issuer.example';
/** The same kid, so that the headers of both are the same bytes. */
const OTHER = signerOf('issuer of plain tokens', KID);
const TYPE = 'vc+jwt';

let gateway: Gateway;
beforeAll(async () => {
  const issuers = [listedIssuer({ typ: [TYPE, 'card+jwt'] }), listedIssuer({ iss: OTHER_ISS }, [OTHER])];
  gateway = await startGateway({ trustList: { version: 1, issuers } });
}, 60_000);
afterAll(() => gateway?.dispose());

const card = (typ: unknown, more: object = {}): string =>
  credential({ header: { typ }, payload: goodClaims({ iss: ISS, ...more }, Math.floor(Date.now() / 1000)) });
const foreign = (typ: unknown): string =>
  credential({
    header: { typ },
    payload: goodClaims({ iss: OTHER_ISS }, Math.floor(Date.now() / 1000)),
    signer: OTHER,
  });

const reasonOf = async (text: string): Promise<string> => (await verify(gateway.data, text)).reason;

it('is taken where the policy names it, the first time and when it is recognised', async () => {
  for (const typ of [TYPE, TYPE, 'card+jwt', TYPE, 'JWT', undefined])
    expect(await reasonOf(card(typ))).toBe('ok');
});

it('is malformed where it does not: for another type, another spelling, another issuer, or none that is known', async () => {
  for (const typ of ['VC+JWT', 'application/vc+jwt', 'kb+jwt', '', null, [TYPE]]) {
    expect(await reasonOf(card(typ))).toBe('malformed');
  }
  expect(await reasonOf(foreign('JWT'))).toBe('ok');
  expect(await reasonOf(foreign(TYPE))).toBe('malformed');
  expect(await reasonOf(card(TYPE, { iss: 'https://unknown.example' }))).toBe('malformed');
});

it('is judged alike in a batch, beside others', async () => {
  const credentials = [card(TYPE), foreign(TYPE), foreign('JWT'), card('dc+sd-jwt'), card(TYPE)];
  const { json } = await call<{ results: VerdictAnswer[] }>(`${gateway.data}/v1/verify/batch`, {
    body: { credentials },
  });
  expect(json.results.map(({ reason }) => reason)).toEqual(['ok', 'malformed', 'ok', 'malformed', 'ok']);
});
