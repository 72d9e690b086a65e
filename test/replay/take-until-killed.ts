/**
 * A gateway's side of the journal, killed in the middle: takes proofs, a few a millisecond, and prints the number of each
 * once it was handed to the journal for so long as the documents say that it may take.
 */
import { systemClock } from '../../src/clock.ts';
import { openProofJournal } from '../../src/replay/proof-journal.ts';
import { createTakenNotes } from '../../src/replay/taken-notes.ts';
import { createTaking } from '../../src/replay/taking.ts';
import { idOf, makeTable } from './replay-fixture.ts';

const [dir = '', name = ''] = process.argv.slice(2);
const take = createTaking(makeTable(100_000, systemClock.monotonicMs()), systemClock, 0);
const journal = openProofJournal({
  dir,
  clock: systemClock,
  keepMs: 0,
  take,
  onFailure: (error) => {
    throw error;
  },
});
const notes = createTakenNotes(journal.append);
let next = 0;
setInterval(() => {
  for (let i = 0; i < 20; i++) {
    const number = next++;
    const expiresAtMs = systemClock.wallMs() + 600_000;
    if (take(idOf(`${name}-${number}`), expiresAtMs) !== 'first') throw new Error('taken before');
    notes.note(idOf(`${name}-${number}`), expiresAtMs);
    setTimeout(() => process.stdout.write(`${number}\n`), 250);
  }
}, 2);
