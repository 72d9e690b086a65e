/** Whose share a request comes out of, as a real parser shows its connections: PROXY protocol v2 and all. */
import {
  App,
  type HttpResponse,
  type TemplatedApp,
  type us_listen_socket,
  us_listen_socket_close,
  us_socket_local_port,
} from 'uWebSockets.js';
import { Agent, get } from 'node:http';
import type { BlockList } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KnownCaller } from '../../src/callers/caller-index.ts';
import { type ClientFinder, createClientFinder } from '../../src/ingress/admission/client.ts';
import { createClientMarks } from '../../src/ingress/admission/client-marks.ts';
import { createPeers, createUncachedPeers } from '../../src/ingress/admission/peers.ts';
import { listenAlone } from '../../src/ingress/listen.ts';
import type { NativeAddon } from '../../src/native/addon.ts';
import { parseNetworks } from '../../src/networks.ts';
import { nativeAddon } from '../support/path-world.ts';
import { exchangeRaw, head } from '../support/raw-http.ts';

const marks = createClientMarks();
const app = App();
const strange: string[] = [];
const addon = nativeAddon();
/** As native code told them apart, at their beginnings and their ends. */
const connections: number[] = [];
const noteConnection = (res: HttpResponse): void => {
  connections.push(addon.connectionOf(res));
};
app.filter(noteConnection);

/** Both ways of asking who connects, which must agree; `/recalled` is what a gateway does with native code. */
function finders(trusted: BlockList | undefined): Record<string, ClientFinder> {
  const cached = createPeers({ marks, trusted, app, addon, disagreed: () => strange.push('disagreed') });
  return {
    '/asked': createClientFinder(createUncachedPeers({ marks, trusted }), marks),
    '/recalled': createClientFinder(cached, marks),
  };
}
const TRUST: Record<string, BlockList | undefined> = {
  '/nobody': undefined,
  '/loopback': parseNetworks('127.0.0.0/8, ::1'),
  '/elsewhere': parseNetworks('10.0.0.0/8,2001:db8::/32'),
};
const WAYS = ['/asked', '/recalled'] as const;
const NAMED: KnownCaller = { name: 'alpha', place: 258, scopes: new Set(), bucket: undefined };

let port: number;
let socket: us_listen_socket;

beforeAll(async () => {
  for (const [path, trusted] of Object.entries(TRUST)) {
    for (const [way, finder] of Object.entries(finders(trusted))) {
      app.get(`${path}${way}`, (res) => void res.end(`${finder.find(res, undefined).mark()}`));
      app.get(`${path}${way}/named`, (res) => void res.end(`${finder.find(res, NAMED).mark()}`));
    }
  }
  socket = (await listenAlone(app, '127.0.0.1', 0)) as us_listen_socket;
  port = us_socket_local_port(socket);
});
afterAll(() => {
  us_listen_socket_close(socket);
  app.close();
  expect(strange).toEqual([]);
});

/** A PROXY protocol v2 header (section 2.2): signature, PROXY over TCP, addresses and ports. */
function proxied(family: 0x11 | 0x21, source: readonly number[]): Buffer {
  const addresses = Buffer.from([...source, ...source.map(() => 0), 0x1f, 0x90, 0x00, 0x50]);
  const start = Buffer.from([
    0x0d,
    0x0a,
    0x0d,
    0x0a,
    0x00,
    0x0d,
    0x0a,
    0x51,
    0x55,
    0x49,
    0x54,
    0x0a,
    0x21,
    family,
  ]);
  const length = Buffer.from([0, addresses.length]);
  return Buffer.concat([start, length, addresses]);
}

async function markOf(path: string, before: Uint8Array = Buffer.alloc(0)) {
  const request = Buffer.from(head(`GET ${path} HTTP/1.1`, 'Host: a'));
  const { answers } = await exchangeRaw(port, [Buffer.concat([before, request])]);
  return answers[0]?.body ?? '';
}
const ofBytes = (...address: number[]): string => `${marks.ofAddress(Uint8Array.from(address))}`;

const OWN = ofBytes(127, 0, 0, 1);
const OTHER = ofBytes(127, 0, 0, 2);
const IPV4 = proxied(0x11, [192, 0, 2, 7]);
const IPV6 = proxied(0x21, [0x20, 0x01, 0x0d, 0xb8, ...Array(11).fill(0), 9]);
const NAMED_IPV4 = ofBytes(192, 0, 2, 7);
const NAMED_IPV6 = ofBytes(0x20, 0x01, 0x0d, 0xb8, ...Array(11).fill(0), 9);

describe.each(WAYS)('a client, its address %s', (way) => {
  it('is the address that connects', async () => {
    expect(await markOf(`/nobody${way}`)).toBe(OWN);
    expect(await markOf(`/loopback${way}`)).toBe(OWN);
  });

  it('is what a trusted proxy says', async () => {
    expect(await markOf(`/loopback${way}`, IPV4)).toBe(NAMED_IPV4);
    expect(await markOf(`/loopback${way}`, IPV6)).toBe(NAMED_IPV6);
  });

  // Why a proxy that is trusted must read HTTP itself: what it only passes on may hold further headers.
  it('is what the last header says, wherever on the connection it stands', async () => {
    const request = Buffer.from(head(`GET /loopback${way} HTTP/1.1`, 'Host: a'));
    const { answers } = await exchangeRaw(
      port,
      [Buffer.concat([IPV4, request]), Buffer.concat([IPV6, request])],
      { answers: 2 },
    );
    expect(answers.map(({ body }) => body)).toEqual([NAMED_IPV4, NAMED_IPV6]);
  });

  it('is not what anybody else says', async () => {
    expect(await markOf(`/nobody${way}`, IPV4)).toBe(OWN);
    expect(await markOf(`/elsewhere${way}`, IPV4)).toBe(OWN);
  });

  it('is the caller, where callers have names', async () => {
    const named = `${marks.ofCaller(258)}`;
    expect(await markOf(`/nobody${way}/named`)).toBe(named);
    expect(await markOf(`/loopback${way}/named`, IPV4)).toBe(named);
  });

  it('is its own address on connections that take the places of others in memory, and are used again', async () => {
    connections.length = 0;
    for (let round = 0; round < 40; round++) {
      const last = 2 + (round % 7);
      const request = Buffer.from(head(`GET /nobody${way} HTTP/1.1`, 'Host: a'));
      const { answers } = await exchangeRaw(port, [request, request, request], {
        answers: 3,
        localAddress: `127.0.0.${last}`,
      });
      expect(answers.map(({ body }) => body)).toEqual(Array(3).fill(ofBytes(127, 0, 0, last)));
    }
    expect(new Set(connections).size).toBeLessThan(connections.length / 2);
  });
});

describe('a connection that native code takes for another', () => {
  const told: string[] = [];
  const other = App();
  let listening: us_listen_socket;
  let otherPort = 0;
  /** All are one to it. */
  const blind: NativeAddon = { ...addon, connectionOf: () => 1 };

  beforeAll(async () => {
    const peers = createPeers({
      ...{ marks, trusted: undefined, app: other, addon: blind },
      disagreed: () => told.push('disagreed'),
    });
    const finder = createClientFinder(peers, marks);
    other.get('/', (res) => void res.end(`${finder.find(res, undefined).mark()}`));
    listening = (await listenAlone(other, '127.0.0.1', 0)) as us_listen_socket;
    otherPort = us_socket_local_port(listening);
  });
  afterAll(() => {
    us_listen_socket_close(listening);
    other.close();
  });

  it('is found out, told once, and then everybody is asked for', async () => {
    // Both are open all the while: the beginning or end of a connection makes it forgotten.
    const first = callFrom('127.0.0.1');
    const second = callFrom('127.0.0.2');
    expect([await first.get(), await second.get()]).toEqual([OWN, OTHER]);
    expect(await first.get()).toBe(OTHER);
    for (let asked = 0; asked < 5_000 && told.length === 0; asked++) await first.get();
    expect([await first.get(), await second.get(), ...told]).toEqual([OWN, OTHER, 'disagreed']);
    first.end();
    second.end();
  });

  /** Calls on one connection. */
  function callFrom(localAddress: string) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, localAddress });
    return {
      end: () => agent.destroy(),
      get: () =>
        new Promise<string>((resolve, reject) => {
          get({ host: '127.0.0.1', port: otherPort, agent }, (answer) => {
            let body = '';
            answer.on('data', (piece) => {
              body += piece;
            });
            answer.on('end', () => resolve(body));
          }).on('error', reject);
        }),
    };
  }
});

describe('a connection that nobody can tell of', () => {
  /** What the parser would answer of connections, one after the other: their addresses, empty once a client has reset. */
  const answering = (addresses: readonly (readonly number[])[]) => {
    let asked = 0;
    const next = () => Uint8Array.from(addresses[Math.min(asked, addresses.length - 1)] ?? []).buffer;
    return {
      getRemoteAddress: () => {
        const address = next();
        asked++;
        return address;
      },
      getRemoteAddressAsText: () => Buffer.from(new Uint8Array(next()).join('.')).buffer,
    } as unknown as HttpResponse;
  };
  const LOOPBACK = parseNetworks('127.0.0.0/8');
  const peersOf = (trusted: BlockList | undefined, connectionOf: () => number) => {
    const told: string[] = [];
    const filters: ((res: HttpResponse) => void)[] = [];
    const filtered = { filter: (filter: (res: HttpResponse) => void) => filters.push(filter) };
    const peers = createPeers({
      ...{ marks, trusted, app: filtered as unknown as TemplatedApp, addon: { ...addon, connectionOf } },
      disagreed: () => told.push('disagreed'),
    });
    return { peers, told, filters };
  };

  it('since its client has reset it keeps what was known of it, and is not taken for another', () => {
    const { peers, told } = peersOf(undefined, () => 1);
    const res = answering([[127, 0, 0, 2], []]);
    for (let call = 0; call < 10_000; call++)
      expect(peers.of(res)).toBe(marks.ofAddress(Uint8Array.of(127, 0, 0, 2)));
    expect(told).toEqual([]);
  });

  it.each([undefined, LOOPBACK])('is nobody’s where it was never known, and nothing is thrown', (trusted) => {
    const nobody = marks.ofAddress(new Uint8Array(0));
    expect(createUncachedPeers({ marks, trusted }).of(answering([[]]))).toBe(nobody);
    const { peers, told } = peersOf(trusted, () => 1);
    expect(peers.of(answering([[]]))).toBe(nobody);
    // And nothing was kept: the next one there is told for what it is.
    expect(peers.of(answering([[10, 0, 0, 7]]))).toBe(marks.ofAddress(Uint8Array.of(10, 0, 0, 7)));
    expect(told).toEqual([]);
  });

  it('by native code is asked of the parser each time from then on, which is told once', () => {
    const { peers, told, filters } = peersOf(undefined, () => {
      throw new Error('out of reach');
    });
    for (let call = 0; call < 3; call++) {
      expect(peers.of(answering([[127, 0, 0, 3]]))).toBe(marks.ofAddress(Uint8Array.of(127, 0, 0, 3)));
      for (const filter of filters) filter(answering([[]]));
    }
    expect(told).toEqual(['disagreed']);
  });
});

describe('networks', () => {
  it.each(['', '10.0.0.0/33', '10.0.0', 'localhost', '::1/129', '10.0.0.0/8/8', '10.0.0.0/-1', 'a,b'])(
    '"%s" is none',
    (text) => {
      expect(parseNetworks(text)).toBeUndefined();
    },
  );

  it('are addresses and prefixes of both families', () => {
    const networks = parseNetworks('192.0.2.1, 10.0.0.0/8,2001:db8::/32');
    expect(networks?.check('10.9.9.9')).toBe(true);
    expect(networks?.check('192.0.2.2')).toBe(false);
    expect(networks?.check('2001:db8::5', 'ipv6')).toBe(true);
    // A listener for both families sees IPv4 in this form.
    expect(networks?.check('::ffff:10.1.1.1', 'ipv6')).toBe(true);
  });
});
