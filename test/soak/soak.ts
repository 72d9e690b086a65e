/**
 * A soak: many clients that ask in every way there is, and leave at every point there is; and what must be left of it
 * in the gateway afterwards, which is nothing.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { scrape, until } from '../support/call.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { exchangeRaw, head } from '../support/raw-http.ts';
import { type Ask, type Asks, makeAsks } from './requests.ts';
import { Connection, type Tally } from './soak-connection.ts';

const CLIENTS = 32;
const MOST_PIPELINED = 16;
/** The least that a gateway can be given, and the largest body. */
const BODY_MEMORY_BYTES = 16 * 1024 * 1024;
/** Of a batch that waits whole, beside its body. */
const KEPT_BYTES = 256 * 1024;
/** What the heap and its fragments may vary by between two moments of rest. */
const RSS_BOUND_BYTES = 48 * 1024 * 1024;
type Random = (below: number) => number;

/** The same in every run. */
function lcg(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
}

const pick = <T>(from: readonly T[], random: Random): T => from[random(from.length)] as T;

/** Some requests that one write sends. */
function draw({ singles, batches, large }: Asks, random: Random): Ask[] {
  const kind = random(100);
  if (kind === 0) return [large];
  if (kind < 12) return [pick(batches, random)];
  if (kind < 40) return [pick(singles, random)];
  return Array.from({ length: 2 + random(MOST_PIPELINED - 1) }, () => pick(singles, random));
}

/** The parser refuses a request whose first line comes in two pieces (505): no request is cut there. */
const FIRST_LINE_BYTES = 40;

/** In one segment; or, one alone, cut in two or three anywhere behind its first line. */
function cut(asks: readonly Ask[], random: Random): Buffer[] {
  const bytes = Buffer.concat(asks.map((one) => one.bytes));
  if (asks.length > 1 || random(4) > 0) return [bytes];
  const place = (): number => FIRST_LINE_BYTES + random(bytes.length - FIRST_LINE_BYTES);
  const places = [0, place(), place(), bytes.length].sort((x, y) => x - y);
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end));
}

/** Leaves in the head, in the body, before the answer, or in the middle of it. */
async function leaveInTheMiddle(one: Connection, asks: Ask[], random: Random): Promise<void> {
  const all = Buffer.concat(asks.map(({ bytes }) => bytes));
  const { headBytes, bytes: last } = asks.at(-1) as Ask;
  const lastAt = all.length - last.length;
  const reset = random(2) === 0;
  const soon = pick(['now', 'written', 'later'] as const, random);
  switch (random(4)) {
    case 0:
      return one.abort(asks, all.subarray(0, lastAt + 1 + random(headBytes - 1)), soon, reset);
    case 1:
      return one.abort(
        asks,
        all.subarray(0, lastAt + headBytes + random(last.length - headBytes)),
        soon,
        reset,
      );
    case 2:
      return one.abort(asks, all, soon, reset);
    default:
      return one.abort(asks, all, 'answering', reset);
  }
}

/** One client after the other in one place, until so many requests were sent. */
async function play(place: number, port: number, asks: Asks, most: number, tally: Tally): Promise<void> {
  const random = lcg(20_261_126 + place);
  while (tally.sent < most) {
    const one = await Connection.from(`127.0.0.${2 + (place % 8)}`, port, tally);
    for (let left = 1 + random(20); left > 0 && tally.sent < most && !one.closed; left--) {
      const drawn = draw(asks, random);
      if (random(8) === 0) await leaveInTheMiddle(one, drawn, random);
      else await one.ask(drawn, cut(drawn, random));
    }
    one.leave();
  }
}

function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function residentBytes(pid: number): number {
  const [, kilobytes = ''] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

/** Nothing is under way any more: the scrape is the only request. */
async function rest(gateway: Gateway): Promise<void> {
  const idle = {
    vigie_requests_in_flight: 1,
    vigie_connections: 0,
    vigie_batch_queue_items: 0,
    vigie_refusals_waiting: 0,
    // An overload is felt for a moment longer than it lasts, and would shed what is asked next.
    'vigie_overloaded_workers{what="single"}': 0,
    'vigie_overloaded_workers{what="batch"}': 0,
  };
  await until(async () => {
    const samples = await scrape(gateway.metrics);
    return Object.entries(idle).every(([name, value]) => samples.get(name) === value);
  });
}

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
  const gateway = await startGateway({ env: { VIGIE_BODY_MEMORY_BYTES: `${BODY_MEMORY_BYTES}` } });
  try {
    const asks = makeAsks();
    const tally: Tally = { sent: 0, right: 0, refused: 0, aborted: 0, closed: 0, wrong: [] };
    const playAll = async (most: number): Promise<void> => {
      const places = Array.from({ length: CLIENTS }, (_, place) => place);
      await Promise.all(places.map((place) => play(place, gateway.dataPort, asks, most, tally)));
      await rest(gateway);
    };
    await expectAllMemoryFree(gateway);
    await rest(gateway);
    const descriptorsBefore = openDescriptors(gateway.pid);
    await playAll(first);
    const firstBytes = residentBytes(gateway.pid);
    await playAll(requests);
    const lastBytes = residentBytes(gateway.pid);

    expect(tally.wrong).toEqual([]);
    expect(tally.right + tally.refused + tally.aborted + tally.closed).toBe(tally.sent);
    expect(tally.right).toBeGreaterThan(requests / 2);
    expect(tally.aborted).toBeGreaterThan(requests / 20);
    expect(lastBytes - firstBytes).toBeLessThan(RSS_BOUND_BYTES);
    await until(() => openDescriptors(gateway.pid) <= descriptorsBefore);
    await expectAllMemoryFree(gateway);
    const samples = await scrape(gateway.metrics);
    expect(samples.get('vigie_unexpected_errors_total')).toBe(0);
    return { ...tally, firstMiB: firstBytes / 2 ** 20, lastMiB: lastBytes / 2 ** 20 };
  } finally {
    await gateway.dispose();
  }
}
