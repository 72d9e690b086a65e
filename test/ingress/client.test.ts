/** Whose share a request comes out of, as a real parser shows its connections: PROXY protocol v2 and all. */
import { App, type us_listen_socket, us_listen_socket_close, us_socket_local_port } from 'uWebSockets.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KnownCaller } from '../../src/callers/caller-index.ts';
import { createClientFinder } from '../../src/ingress/admission/client.ts';
import { parseNetworks } from '../../src/networks.ts';
import { exchangeRaw, head } from '../support/raw-http.ts';

const finders = {
  '/nobody': createClientFinder(undefined),
  '/loopback': createClientFinder(parseNetworks('127.0.0.0/8, ::1')),
  '/elsewhere': createClientFinder(parseNetworks('10.0.0.0/8,2001:db8::/32')),
};
const NAMED: KnownCaller = { name: 'alpha', place: 258, scopes: new Set(), bucket: undefined };

let port: number;
let socket: us_listen_socket;
const app = App();

beforeAll(async () => {
  for (const [path, finder] of Object.entries(finders)) {
    app.get(path, (res) => {
      res.end(Buffer.from(finder.find(res, undefined).mark()).toString('hex'));
    });
    app.get(`${path}/named`, (res) => {
      res.end(Buffer.from(finder.find(res, NAMED).mark()).toString('hex'));
    });
  }
  await new Promise<void>((resolve) => {
    app.listen('127.0.0.1', 0, (taken) => {
      if (taken === false) throw new Error('no port');
      socket = taken;
      port = us_socket_local_port(taken);
      resolve();
    });
  });
});
afterAll(() => {
  us_listen_socket_close(socket);
  app.close();
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

async function markOf(path: string, before: Uint8Array = Buffer.alloc(0)): Promise<string> {
  const request = Buffer.from(head(`GET ${path} HTTP/1.1`, 'Host: a'));
  const { answers } = await exchangeRaw(port, [Buffer.concat([before, request])]);
  return answers[0]?.body ?? '';
}

const IPV4 = proxied(0x11, [192, 0, 2, 7]);
const IPV6 = proxied(0x21, [0x20, 0x01, 0x0d, 0xb8, ...Array(11).fill(0), 9]);

describe('a client', () => {
  it('is the address that connects', async () => {
    expect(await markOf('/nobody')).toBe('7f000001');
    expect(await markOf('/loopback')).toBe('7f000001');
  });

  it('is what a trusted proxy says', async () => {
    expect(await markOf('/loopback', IPV4)).toBe('c0000207');
    expect(await markOf('/loopback', IPV6)).toBe('20010db8000000000000000000000009');
  });

  // Why a proxy that is trusted must read HTTP itself: what it only passes on may hold further headers.
  it('is what the last header says, wherever on the connection it stands', async () => {
    const request = Buffer.from(head('GET /loopback HTTP/1.1', 'Host: a'));
    const { answers } = await exchangeRaw(
      port,
      [Buffer.concat([IPV4, request]), Buffer.concat([IPV6, request])],
      {
        answers: 2,
      },
    );
    expect(answers.map(({ body }) => body)).toEqual(['c0000207', '20010db8000000000000000000000009']);
  });

  it('is not what anybody else says', async () => {
    expect(await markOf('/nobody', IPV4)).toBe('7f000001');
    expect(await markOf('/elsewhere', IPV4)).toBe('7f000001');
  });

  it('is the caller, where callers have names', async () => {
    expect(await markOf('/nobody/named')).toBe('0000000102');
    expect(await markOf('/loopback/named', IPV4)).toBe('0000000102');
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
