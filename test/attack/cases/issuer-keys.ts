/** Attack 98: issuers' keys under which signatures could be made by anybody, or read in two ways. */
import { writeFileSync } from 'node:fs';
import { LOW_ORDER_ENCODINGS } from '../../../src/encoding/ed25519-point.ts';
import { basePointTimes, scalarOf, torsion } from '../../signature/forge.ts';
import { call } from '../../support/call.ts';
import { startGateway } from '../../support/gateway.ts';
import type { AttackCase, AttackCases } from '../attack-case.ts';
import { ATTACKED_ISSUERS, type AttackTarget } from '../attack-target.ts';

const hex = (text: string): Uint8Array => Buffer.from(text, 'hex');
const SOUND = basePointTimes(scalarOf('weak'));
const REFUSED = '409 trust-list-refused, key_refused';

const KEYS: readonly (readonly [name: string, bytes: Uint8Array, expected: string])[] = [
  ...LOW_ORDER_ENCODINGS.map(
    (text, index) => [`a point of low order (${index})`, hex(text), REFUSED] as const,
  ),
  ...[1, 2, 4].map(
    (index) => [`a point with torsion (${index})`, SOUND.add(torsion(index)).toBytes(), REFUSED] as const,
  ),
  // y = p + 3 (of a point on the curve) and y = 2 (of none), little-endian.
  ['a point spelt non-canonically', hex(`f0${'ff'.repeat(30)}7f`), REFUSED],
  ['no point at all', hex(`02${'00'.repeat(31)}`), REFUSED],
  ['of 31 bytes', new Uint8Array(31).fill(7), '409 trust-list-refused, schema'],
];

const listWith = (bytes: Uint8Array, version: number): object => {
  const key = { kty: 'OKP', crv: 'Ed25519', kid: 'weak', x: Buffer.from(bytes).toString('base64url') };
  return { version, issuers: [...ATTACKED_ISSUERS, { iss: 'https://weak.example', keys: [key] }] };
};

async function versionInForce({ gateway }: AttackTarget): Promise<number> {
  return (await call<{ version: number }>(`${gateway.admin}/admin/v1/trust-list`)).json.version;
}

/** Refused whole, with what is right in it, or taken: a list of a higher version, right but for one key at most. */
const reloaded = (name: string, bytes: Uint8Array, expected: string): AttackCase => ({
  number: 98,
  name: `an issuer's key that is ${name}`,
  sent: 'a higher version of the trust list with it',
  expected,
  run: async (target) => {
    const { trustListFile, admin } = target.gateway;
    const before = await versionInForce(target);
    writeFileSync(trustListFile, JSON.stringify(listWith(bytes, before + 1)));
    const { status, json } = await call<{ type?: string; reason?: string }>(
      `${admin}/admin/v1/trust-list/reload`,
      { method: 'POST' },
    );
    const steps = (await versionInForce(target)) - before;
    const told = json.type === undefined ? `${status}` : `${status} ${json.type}, ${json.reason}`;
    return `${told}; ${steps === 0 ? 'the list in force stays' : `${steps} version on`}`;
  },
});

const AT_START: AttackCase = {
  number: 98,
  name: "an issuer's weak key, at the start",
  sent: 'a first trust list with it',
  expected: 'exit code 2, for a key that is a point of small order',
  beside: 'own-gateway',
  run: () =>
    startGateway({ trustList: listWith(torsion(1).toBytes(), 1) }).then(
      async (gateway) => {
        await gateway.dispose();
        return 'it started';
      },
      ({ message }: Error) => {
        const why = message.includes('a point of small order')
          ? 'a key that is a point of small order'
          : message;
        return `exit code ${/ended with (\S+) before/.exec(message)?.[1]}, for ${why}`;
      },
    ),
};

export const ISSUER_KEYS: AttackCases = [
  ...KEYS.map(([name, bytes, expected]) => reloaded(name, bytes, `${expected}; the list in force stays`)),
  // What shows that the others were refused for their keys.
  reloaded('sound', SOUND.toBytes(), '200; 1 version on'),
  AT_START,
];
