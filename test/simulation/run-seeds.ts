/** Runs a range of seeds for the suite and says of each failing one how to see it again. */
import { simulate } from './simulation.ts';

export async function failuresOf(first: number, seeds: number): Promise<string[]> {
  const failures: string[] = [];
  for (let seed = first; seed < first + seeds; seed++) {
    const { violations, failure } = await simulate(seed);
    const messages = violations.map(({ invariant, message }) => `${invariant}: ${message}`);
    if (failure !== undefined) messages.unshift(failure);
    const [message] = messages;
    if (message !== undefined) failures.push(`npm run simulate -- --seed ${seed} shows: ${message}`);
  }
  return failures;
}
