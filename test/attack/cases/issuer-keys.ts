/** Attack 98: issuers' keys under which signatures could be made by anybody, or read in two ways. */
import { writeFileSync } from 'node:fs';
import { LOW_ORDER_ENCODINGS } from '../../../src/encoding/ed25519-point.ts';
import { basePointTimes, scalarOf, torsion } from '../../signature/forge.ts';
import { call } from '../../support/call.ts';
import { startGateway } from '../../support/gateway.ts';
import type { AttackCase, AttackCases } from '../attack-case.ts';
import { ATTACKED_ISSUERS } from '../attack-target.ts';

const hex = (text: string): Uint8Array => Buffer.from(text, 'hex');
const MIXED = basePointTimes(scalarOf('weak'));

const KEYS: readonly (readonly [string, Uint8Array])[] = [
  ...LOW_ORDER_ENCODINGS.map((text, index) => [`a point of low order (${index})`, hex(text)] as const),
  ...[1, 2, 4].map(
    (index) => [`a point with torsion (${index})`, MIXED.add(torsion(index)).toBytes()] as const,
  ),
  // y = p + 3 (of a point on the curve) and y = 2 (of none), little-endian.
  ['a point spelt non-canonically', hex(`f0${'ff'.repeat(30)}7f`)],
  ['no point at all', hex(`02${'00'.repeat(31)}`)],
  ['of 31 bytes', new Uint8Array(31).fill(7)],
];

const weakList = (bytes: Uint8Array, version: number): object => {
  const weak = { kty: 'OKP', crv: 'Ed25519', kid: 'weak', x: Buffer.from(bytes).toString('base64url') };
  return { version, issuers: [...ATTACKED_ISSUERS, { iss: 'https://weak.example', keys: [weak] }] };
};

/** Refused whole, with what is right in it: the list in force stays. */
const reloaded = ([name, bytes]: (typeof KEYS)[number]): AttackCase => ({
  number: 98,
  name: `an issuer's key that is ${name}`,
  sent: 'a higher version of the trust list with it',
  expected: '409 trust-list-refused, and version 1 stays',
  run: async ({ gateway }) => {
    writeFileSync(gateway.trustListFile, JSON.stringify(weakList(bytes, 2)));
    const { status, json } = await call<{ type?: string }>(`${gateway.admin}/admin/v1/trust-list/reload`, {
      method: 'POST',
    });
    const inForce = await call<{ version: number }>(`${gateway.admin}/admin/v1/trust-list`);
    return `${status} ${json.type ?? 'taken'}, and version ${inForce.json.version} stays`;
  },
});

const AT_START: AttackCase = {
  number: 98,
  name: "an issuer's weak key, at the start",
  sent: 'a first trust list with it',
  expected: 'exit code 2',
  isBeside: true,
  run: () =>
    startGateway({ trustList: weakList(torsion(1).toBytes(), 1) }).then(
      async (gateway) => {
        await gateway.dispose();
        return 'it started';
      },
      (error: Error) => `exit code ${/ended with (\S+) before/.exec(error.message)?.[1]}`,
    ),
};

export const ISSUER_KEYS: AttackCases = [...KEYS.map(reloaded), AT_START];
