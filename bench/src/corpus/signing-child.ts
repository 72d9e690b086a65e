/** Signs its share of a round's proofs, and writes the requests that carry them. */
import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs';
import { ownTask, reportResult } from '../process/measuring-child.ts';
import { readSigningKeys } from './holder-keys.ts';
import { signHolderProof } from './holder-proof.ts';
import {
  PRESENTATIONS_A_BATCH,
  SINGLES_A_BATCH,
  type SigningResult,
  type SigningTask,
} from './presentation-requests.ts';

const { corpus, batchesFile, singlesFile, first, step } = await ownTask<SigningTask>();
const credentials = openSync(corpus.credentialsFile, 'r');
const holders = openSync(corpus.holderKeysFile, 'r');
const outputs = { batches: openSync(batchesFile, 'r+'), singles: openSync(singlesFile, 'r+') };
let lengths: SigningResult | undefined;

for (let batch = first; batch * PRESENTATIONS_A_BATCH < corpus.credentials; batch += step) writeBatch(batch);
// On the disk now, and not while something is measured; they stay in memory as well.
for (const file of Object.values(outputs)) fdatasyncSync(file);
for (const file of [credentials, holders, ...Object.values(outputs)]) closeSync(file);
reportResult(lengths);

/** The requests with the credentials of one batch. */
function writeBatch(batch: number): void {
  const start = batch * PRESENTATIONS_A_BATCH;
  const lines = readLines(start);
  const keys = readSigningKeys(holders, start, lines.length);
  const iat = Math.floor(Date.now() / 1000);
  const shown = (_: unknown, index: number) => {
    const credential = lines[index] as string;
    const key = keys[index] as (typeof keys)[number];
    return { credential, holderProof: signHolderProof(credential, key, { iat }) };
  };
  const items = Array.from({ length: PRESENTATIONS_A_BATCH }, shown);
  const whole = post('/v1/verify/batch', 'application/octet-stream', { credentials: items });
  const singles = Array.from({ length: SINGLES_A_BATCH }, shown).map((item) =>
    post('/v1/verify', 'application/json', item),
  );
  const singleBytes = (singles[0] as Buffer).length;
  lengths ??= { batchBytes: whole.length, singleBytes };
  const isAlike =
    whole.length === lengths.batchBytes && singles.every(({ length }) => length === lengths?.singleBytes);
  if (!isAlike) throw new Error('requests of the same kind differ in length');
  writeSync(outputs.batches, whole, 0, whole.length, batch * whole.length);
  const together = Buffer.concat(singles);
  writeSync(outputs.singles, together, 0, together.length, batch * together.length);
}

function readLines(start: number): string[] {
  const lineBytes = corpus.credentialChars + 1;
  const bytes = Buffer.alloc(PRESENTATIONS_A_BATCH * lineBytes);
  readSync(credentials, bytes, 0, bytes.length, start * lineBytes);
  return bytes.toString('latin1').trimEnd().split('\n');
}

/** The same for every server: none of them looks at the port in `Host`. */
function post(path: string, accept: string, body: object): Buffer {
  const text = JSON.stringify(body);
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Content-Type: application/json',
    `Accept: ${accept}`,
    `Content-Length: ${text.length}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${text}`, 'latin1');
}
