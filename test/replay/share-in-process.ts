/** A gateway of its own process: asks about the same proofs as others do, at the same instants, and prints the answers. */
import { idOf } from './replay-fixture.ts';
import { openGuard } from './sharing-fixture.ts';

const [url = '', startAtMs = '0'] = process.argv.slice(2);
const guard = openGuard(url);
// So that the connection is there.
await guard.ask([]);
await new Promise((resolve) => setTimeout(resolve, Number(startAtMs) - Date.now()));
const answers: string[] = [];
for (let call = 0; call < 100; call++) {
  const answer = await guard.ask(Array.from({ length: 20 }, (_, i) => idOf(20 * call + i)));
  answers.push(...answer);
}
process.stdout.write(answers.join(' '));
guard.stop();
