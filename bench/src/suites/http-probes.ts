/** Whether a server tells good credentials from bad ones, before its speed is looked at. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { Target } from '../process/targets.ts';

/** Room for the first lines of the corpus, of which two of the same key are needed: keys take turns. */
const HEAD_BYTES = 64 * 1024;

interface Probe {
  readonly what: string;
  readonly credential: string;
  readonly isValid: boolean;
}

/** Asks for each alone and for all in one batch; throws when a verdict is wrong. */
export async function probeVerdicts(target: Target, credentialsFile: string): Promise<void> {
  const probes = makeProbes(firstLines(credentialsFile));
  for (const { what, credential, isValid } of probes) {
    const answer = await askFor(target, '/v1/verify', 'application/json', { credential });
    if ((JSON.parse(answer.toString('utf8')).verdict === 'valid') !== isValid) {
      throw new Error(`${target.name} is wrong about ${what}`);
    }
  }
  const credentials = probes.map(({ credential }) => credential);
  const codes = await askFor(target, '/v1/verify/batch', 'application/octet-stream', { credentials });
  for (const [index, { what, isValid }] of probes.entries()) {
    if ((codes[index] === 0) !== isValid) throw new Error(`${target.name} is wrong about ${what} in a batch`);
  }
  if (codes.length !== probes.length) throw new Error(`${target.name} answers a batch with too many codes`);
}

function makeProbes(lines: readonly string[]): Probe[] {
  const [good, ...others] = lines as [string, ...string[]];
  const [header, payload, signature] = good.split('.') as [string, string, string];
  const other = others.find((line) => line.startsWith(`${header}.`));
  if (other === undefined) throw new Error('the corpus begins with no two credentials of the same key');
  const withHeader = (members: object): string => {
    const changed = { ...JSON.parse(Buffer.from(header, 'base64url').toString('utf8')), ...members };
    return `${Buffer.from(JSON.stringify(changed)).toString('base64url')}.${payload}.${signature}`;
  };
  const bytes = Buffer.from(signature, 'base64url');
  bytes.writeUInt8(bytes.readUInt8(0) ^ 1);
  const bad = (what: string, credential: string): Probe => ({ what, credential, isValid: false });
  return [
    { what: 'a good credential', credential: good, isValid: true },
    bad('a bit of the signature', `${header}.${payload}.${bytes.toString('base64url')}`),
    bad("another credential's claims", `${header}.${other.split('.')[1]}.${signature}`),
    bad('an unknown key', withHeader({ kid: 'bench-none' })),
    bad('an algorithm that is not allowed', withHeader({ alg: 'none' })),
    bad('no signature', `${header}.${payload}.`),
    bad('no credential', 'none'),
    { what: 'another good credential', credential: other, isValid: true },
  ];
}

export async function askFor(target: Target, path: string, accept: string, body: object): Promise<Buffer> {
  const answer = await fetch(target.origin + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify(body),
  });
  if (answer.status !== 200) throw new Error(`${target.name} answers ${path} with ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

function firstLines(path: string): string[] {
  const head = Buffer.alloc(HEAD_BYTES);
  const file = openSync(path, 'r');
  const length = readSync(file, head, 0, HEAD_BYTES, 0);
  closeSync(file);
  // The last one may be cut off.
  return head.toString('latin1', 0, length).split('\n').slice(0, -1);
}
