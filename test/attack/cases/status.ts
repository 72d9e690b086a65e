/** Attacks 89 to 92: status changes, and listeners asked for what is not theirs. */
import { call, changeStatus } from '../../support/call.ts';
import { FASTEST_ENGINE } from '../../support/gateway.ts';
import { head } from '../../support/raw-http.ts';
import { credential, ISS } from '../../support/synthetic-issuer.ts';
import { claims, reasonFor } from '../asked.ts';
import type { AttackCases } from '../attack-case.ts';
import { PAYLOAD_MARK, withTarget } from '../attack-target.ts';
import { gistOf } from '../described.ts';
import { HOST, JSON_TYPE, whole } from '../wire.ts';
import { FORGED_RECORDS } from './forged-record.ts';

const card = (jti: string): string => credential({ payload: claims({ jti }) });

const CHANGES: AttackCases = [
  {
    number: 89,
    name: 'a status change that is sent again',
    sent: 'suspend, reinstate, and the first call again',
    expected: '200, the same seq, and the card stays ok',
    run: async (target) => {
      const { gateway } = target;
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
      return `${second.status}, ${seq}, and the card stays ${await reasonFor(target, card(jti))}`;
    },
  },
  {
    number: 89,
    name: 'a revocation that is to be lifted',
    sent: 'revoke, then reinstate',
    expected: '409, and the card stays revoked',
    run: async (target) => {
      const { gateway } = target;
      const jti = `${PAYLOAD_MARK}-final`;
      await changeStatus(gateway.admin, { iss: ISS, jti, status: 'revoked' });
      const { status } = await call(`${gateway.admin}/admin/v1/status-changes`, {
        body: { changes: [{ iss: ISS, jti, status: 'active' }] },
      });
      return `${status}, and the card stays ${await reasonFor(target, card(jti))}`;
    },
  },
  {
    number: 90,
    name: 'a mass revocation over the guard',
    sent: 'eleven calls of 1,000 revocations',
    expected: '200 ten times, 409 mass-change-held; a card of the tenth revoked, one of the last ok',
    beside: 'own-gateway',
    // One to which nothing was done before: the guard counts all changes of ten minutes.
    run: () =>
      withTarget({ env: FASTEST_ENGINE }, async (target) => {
        const jti = (round: number): string => `${PAYLOAD_MARK}-${round}`;
        const got: string[] = [];
        for (let round = 1; round <= 11; round++) {
          const changes = Array.from({ length: 1_000 }, (_, index) => ({
            iss: ISS,
            jti: `${jti(round)}-${index}`,
            status: 'revoked',
          }));
          const url = `${target.gateway.admin}/admin/v1/status-changes`;
          const { status, text } = await call(url, { body: { changes } });
          got.push(`${status} ${gistOf(text)}`.trim());
        }
        const taken = got.slice(0, 10).every((one) => one === '200')
          ? '200 ten times'
          : got.slice(0, 10).join();
        const [tenth, last] = [
          await reasonFor(target, card(`${jti(10)}-0`)),
          await reasonFor(target, card(`${jti(11)}-0`)),
        ];
        return `${taken}, ${got[10]}; a card of the tenth ${tenth}, one of the last ${last}`;
      }),
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
).map(([path, body]) => {
  const text = body === undefined ? '' : JSON.stringify(body);
  const request =
    body === undefined
      ? head(`GET ${path} HTTP/1.1`, HOST)
      : head(`POST ${path} HTTP/1.1`, HOST, JSON_TYPE, `Content-Length: ${text.length}`) + text;
  return whole(92, `${path} asked of the data listener`, '404 not-found, open', request);
});

export const STATUS: AttackCases = [...CHANGES, ...FORGED_RECORDS, ...DATA_PORT];
