/**
 * A thread of the bulk loader: makes the authentic entries of one range of sequence numbers, 60 bytes each, in the
 * shared buffer. Plain JavaScript on the built service, so that it needs no compiler.
 */
import { parentPort, workerData } from 'node:worker_threads';

const { modules, master, iss, jtis, from, to, sinceMs, buffer } = workerData;
const { cardHash } = await import(modules.cardHash);
const { deriveSecret } = await import(modules.secret);
const { encodeEntry } = await import(modules.entry);

const { cardHashKey, entryMacKey } = deriveSecret(Buffer.from(master, 'hex'));
const bytes = new Uint8Array(buffer);
for (let seq = from; seq < to; seq++) {
  const hash = cardHash(cardHashKey, iss, `${jtis}${String(seq).padStart(12, '0')}`);
  const entry = encodeEntry(entryMacKey, hash, {
    // A few that the filter knows and that are not final.
    status: seq % 1_000 === 0 ? 'suspended' : 'revoked',
    why: undefined,
    sinceMs,
    expiresAt: Number.POSITIVE_INFINITY,
    seq,
    extendsOnly: false,
  });
  bytes.set(hash, (seq - 1) * 60);
  bytes.set(entry, (seq - 1) * 60 + 16);
}
parentPort.postMessage('done');
