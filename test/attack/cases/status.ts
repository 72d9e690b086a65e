/** Attacks 89 to 92: status changes, and listeners asked for what is not theirs. */
import { call, changeStatus, reasonOf } from '../../support/call.ts';
import { credential, ISS } from '../../support/synthetic-issuer.ts';
import { claims } from '../asked.ts';
import type { AttackCases } from '../attack-case.ts';
import { PAYLOAD_MARK } from '../attack-target.ts';
import { gistOf } from '../described.ts';
import { FORGED_RECORDS } from './forged-record.ts';

const card = (jti: string): string => credential({ payload: claims({ jti }) });

const CHANGES: AttackCases = [
  {
    number: 89,
    name: 'a status change that is sent again',
    sent: 'suspend, reinstate, and the first call again',
    expected: '200, the same seq, and the card stays ok',
    run: async ({ gateway }) => {
      const jti = `${PAYLOAD_MARK}-again`;
      const suspend = () =>
        call<{ seq: number }>(`${gateway.admin}/admin/v1/status-changes`, {
          body: { changes: [{ iss: ISS, jti, status: 'suspended' }] },
          headers: { 'idempotency-key': PAYLOAD_MARK },
        });
      const first = await suspend();
      await changeStatus(gateway.admin, { iss: ISS, jti, status: 'active' });
      const second = await suspend();
      const seq = second.json.seq === first.json.seq ? 'the same seq' : 'another seq';
      return `${second.status}, ${seq}, and the card stays ${await reasonOf(gateway.data, card(jti))}`;
    },
  },
  {
    number: 89,
    name: 'a revocation that is to be lifted',
    sent: 'revoke, then reinstate',
    expected: '409, and the card stays revoked',
    run: async ({ gateway }) => {
      const jti = `${PAYLOAD_MARK}-final`;
      await changeStatus(gateway.admin, { iss: ISS, jti, status: 'revoked' });
      const { status } = await call(`${gateway.admin}/admin/v1/status-changes`, {
        body: { changes: [{ iss: ISS, jti, status: 'active' }] },
      });
      return `${status}, and the card stays ${await reasonOf(gateway.data, card(jti))}`;
    },
  },
  {
    number: 90,
    name: 'a mass revocation over the guard',
    sent: 'eleven calls of 1,000 revocations',
    expected: '409 mass-change-held, and the next card is ok',
    run: async ({ gateway }) => {
      const jti = (call: number, index: number): string => `${PAYLOAD_MARK}-${call}-${index}`;
      let got = '';
      for (let round = 0; round < 11; round++) {
        const changes = Array.from({ length: 1_000 }, (_, index) => ({
          iss: ISS,
          jti: jti(round, index),
          status: 'revoked',
        }));
        const { status, text } = await call(`${gateway.admin}/admin/v1/status-changes`, {
          body: { changes },
        });
        got = `${status} ${gistOf(text)}`;
      }
      return `${got}, and the next card is ${await reasonOf(gateway.data, card(jti(10, 0)))}`;
    },
  },
];

const CHANGE = { changes: [{ iss: ISS, jti: PAYLOAD_MARK, status: 'revoked' }] };
const DATA_PORT: AttackCases = (
  [
    ['/metrics', undefined],
    ['/readyz/../metrics', undefined],
    ['/admin/v1/trust-list', undefined],
    ['/admin/v1/status/summary', undefined],
    ['/admin/v1/status-changes', CHANGE],
    ['/admin/v1/trust-list/reload', {}],
    ['/admin/v1/key-retirements', { iss: ISS, kid: 'k' }],
  ] as const
).map(([path, body]) => ({
  number: 92,
  name: `${path} asked of the data listener`,
  sent: `${body === undefined ? 'GET' : 'POST'} ${path}`,
  expected: '404 not-found',
  run: async ({ gateway }): Promise<string> => {
    const { status, text } = await call(`${gateway.data}${path}`, { body });
    return `${status} ${gistOf(text)}`;
  },
}));

export const STATUS: AttackCases = [...CHANGES, ...FORGED_RECORDS, ...DATA_PORT];
