/** A process that is to end, while a call of the system never comes back: in the stop of a part, or behind all of them. */
import { open } from 'node:fs/promises';
import { systemClock } from '../../src/clock.ts';
import { createForcedEnd, createStops } from '../../src/control/end.ts';
import { createLog } from '../../src/log.ts';

const [where, pipe = ''] = process.argv.slice(2);
// To open a pipe that nobody writes to hangs as a disk does, in the same place.
const hanging = open(pipe, 'r');
const endsAtMs = systemClock.monotonicMs();
const forced = createForcedEnd(systemClock, createLog('info'));
const stops = createStops();
if (where === 'in-a-stop') stops.add(async () => void (await hanging));
// As long ago as makes up for what the stops are given beyond the end.
forced.begun(endsAtMs - 10_000, 3);
process.stdout.write('begun\n');
await stops.run(endsAtMs);
process.stdout.write('stopped\n');
forced.stopped(endsAtMs, 0);
process.exitCode = 7;
