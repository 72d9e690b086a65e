/**
 * A soak: many clients that ask in every way there is, and leave at every point there is; and what must be left of it
 * in the gateway afterwards, which is nothing.
 */
import { expect } from 'vitest';
import { scrape, until } from '../support/call.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { exchangeRaw, head } from '../support/raw-http.ts';
import { COUNTS_DESCRIPTORS, openDescriptors, residentBytes, rest } from './at-rest.ts';
import { emptyTally, play } from './play.ts';
import { makeAsks } from './requests.ts';

const CLIENTS = 32;
/** The least that a gateway can be given, and the largest body. */
const BODY_MEMORY_BYTES = 16 * 1024 * 1024;
/** Of a batch that waits whole, beside its body. */
const KEPT_BYTES = 256 * 1024;
/** What the heap and its fragments may vary by between two moments of rest. */
const RSS_BOUND_BYTES = 48 * 1024 * 1024;

/** A body that fits, with what is kept of its verdicts, only if next to nothing is held any more. */
async function expectAllMemoryFree(gateway: Gateway): Promise<void> {
  const lines = Buffer.alloc(BODY_MEMORY_BYTES - KEPT_BYTES, `${'a'.repeat(1_999)}\n`);
  const top = head(
    'POST /v1/verify/batch HTTP/1.1',
    ...['Host: soak', 'Content-Type: text/plain', 'Accept: application/octet-stream'],
    `Content-Length: ${lines.length}`,
  );
  const { answers } = await exchangeRaw(gateway.dataPort, [top, lines]);
  expect([answers[0]?.status, answers[0]?.body.length]).toEqual([200, Math.ceil(lines.length / 2_000)]);
}

/**
 * `first`: after so many requests memory is looked at for the first time.
 *
 * @returns what came of it, and how much memory it took, for whoever runs it by hand.
 */
export async function soak(requests: number, first: number) {
  const gateway = await startGateway({
    env: { ...COUNTS_DESCRIPTORS, VIGIE_BODY_MEMORY_BYTES: `${BODY_MEMORY_BYTES}` },
  });
  try {
    const asks = makeAsks();
    const tally = emptyTally();
    const playAll = async (most: number): Promise<void> => {
      const places = Array.from({ length: CLIENTS }, (_, place) => place);
      const isOver = () => tally.sent >= most;
      const port = gateway.dataPort;
      await Promise.all(places.map((place) => play({ place, port, asks, tally, isOver })));
      await rest(gateway);
    };
    await expectAllMemoryFree(gateway);
    await rest(gateway);
    const descriptorsBefore = await openDescriptors(gateway);
    await playAll(first);
    const firstBytes = residentBytes(gateway.pid);
    await playAll(requests);
    const lastBytes = residentBytes(gateway.pid);

    expect(tally.wrong).toEqual([]);
    expect(tally.right + tally.refused + tally.aborted + tally.closed).toBe(tally.sent);
    expect(tally.right).toBeGreaterThan(requests / 2);
    expect(tally.aborted).toBeGreaterThan(requests / 20);
    expect(lastBytes - firstBytes).toBeLessThan(RSS_BOUND_BYTES);
    await until(async () => (await openDescriptors(gateway)) <= descriptorsBefore);
    await expectAllMemoryFree(gateway);
    const samples = await scrape(gateway.metrics);
    expect(samples.get('vigie_unexpected_errors_total')).toBe(0);
    return { ...tally, firstMiB: firstBytes / 2 ** 20, lastMiB: lastBytes / 2 ** 20 };
  } finally {
    await gateway.dispose();
  }
}
