/**
 * Who connects, asked of the parser once a connection: it makes an object in memory of its own of each answer, which under
 * overload, where each call's is asked for, cost a fifth of what serving a call does.
 */
import type { HttpResponse, TemplatedApp } from 'uWebSockets.js';
import type { BlockList } from 'node:net';
import type { NativeAddon } from '../../native/addon.ts';

export interface Peer {
  /** Of whoever connects: four bytes or sixteen. */
  readonly address: Uint8Array;
  /** What it says of other addresses is believed. */
  readonly isTrusted: boolean;
}

export interface Peers {
  /** To be asked only while the parser calls. */
  of(res: HttpResponse): Peer;
}

/** Asks the parser anew each time. `trusted`: whose word on other addresses is believed. */
export function createUncachedPeers(trusted: BlockList | undefined): Peers {
  return {
    of: (res) => ({
      address: new Uint8Array(res.getRemoteAddress()),
      isTrusted: trusted !== undefined && isTrusted(res, trusted),
    }),
  };
}

/** One recalled in so many is asked for anew. */
const CHECK_ONE_IN = 4096;

export interface PeersOptions {
  readonly app: TemplatedApp;
  readonly trusted: BlockList | undefined;
  /** Which can tell connections of the app apart: of a parser whose memory is known. */
  readonly addon: NativeAddon;
  /** Told, once, that a connection was taken for another, or could not be told: from then on none is recalled. */
  disagreed(): void;
}

/** Remembers those of connections that are open, and no more: as many as the app lets in. */
export function createPeers({ app, trusted, addon, disagreed }: PeersOptions): Peers {
  const { of: ask } = createUncachedPeers(trusted);
  const known = new Map<number, Peer>();
  let isReliable = true;
  let recalled = 0;

  const distrust = (): void => {
    isReliable = false;
    known.clear();
    disagreed();
  };
  const connectionOf = (res: HttpResponse): number => {
    try {
      return addon.connectionOf(res);
    } catch {
      distrust();
      return Number.NaN;
    }
  };
  // At its end, and once more where its place is taken by the next.
  const forget = (res: HttpResponse): void => {
    if (known.size > 0) known.delete(connectionOf(res));
  };
  app.filter(forget);

  return {
    of: (res) => {
      if (!isReliable) return ask(res);
      const connection = connectionOf(res);
      const peer = known.get(connection);
      if (peer !== undefined && ++recalled % CHECK_ONE_IN !== 0) return peer;
      const asked = ask(res);
      if (peer !== undefined && !isSame(peer, asked)) distrust();
      else if (isReliable) known.set(connection, asked);
      return asked;
    },
  };
}

function isTrusted(res: HttpResponse, proxies: BlockList): boolean {
  const address = Buffer.from(res.getRemoteAddressAsText()).toString('latin1');
  return proxies.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
}

function isSame(one: Peer, other: Peer): boolean {
  return one.isTrusted === other.isTrusted && Buffer.compare(one.address, other.address) === 0;
}
