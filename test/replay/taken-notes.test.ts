/** Notes on their way to the journal: none is lost, and how long they are gathered. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createTakenNotes, NOTE_BYTES } from '../../src/replay/taken-notes.ts';
import { idOf } from './replay-fixture.ts';

/** Timers of one process that are set together run in the order of their times, on a slow machine too. */
const SOON_MS = 12;

/** Counts of what was sent, and how to wait for the next. */
function gathering() {
  const sent: number[] = [];
  let onSent = (): void => {};
  const notes = createTakenNotes((bytes) => {
    sent.push(bytes.length / NOTE_BYTES);
    onSent();
  });
  const take = (count: number): void => {
    for (let i = 0; i < count; i++) notes.note(idOf(`proof ${i}`), 1_000);
  };
  const sending = (): Promise<void> =>
    new Promise((resolve) => {
      onSent = resolve;
    });
  return { sent, take, flush: notes.flush, sending };
}

it('few are sent soon', async () => {
  const { sent, take } = gathering();
  take(3);
  expect(sent).toEqual([]);
  await sleep(SOON_MS);
  expect(sent).toEqual([3]);
});

it('those behind many are gathered for longer, and the first behind a pause is not one of them', async () => {
  const { sent, take, sending } = gathering();
  take(64);
  await sending();
  take(1);
  await sleep(SOON_MS);
  expect(sent).toEqual([64]);
  await sending();
  take(64);
  await sending();
  await sleep(50);
  take(2);
  await sleep(SOON_MS);
  expect(sent).toEqual([64, 1, 64, 2]);
});

it('are sent at once when there is no more room, and when that is asked for', () => {
  const { sent, take, flush } = gathering();
  take(4_096 + 5);
  expect(sent).toEqual([4_096]);
  flush();
  flush();
  expect(sent).toEqual([4_096, 5]);
});
