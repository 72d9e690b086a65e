/**
 * Who connects, asked of the parser once a connection: it makes an object with memory of its own of each answer, and under
 * overload, where each call's is wanted, those cost some 15 % of the goodput.
 */
import type { HttpResponse, TemplatedApp } from 'uWebSockets.js';
import type { BlockList } from 'node:net';
import type { NativeAddon } from '../../native/addon.ts';
import type { ClientMark, ClientMarks } from './client-marks.ts';

/** In place of the mark of whoever connects: what it says of other addresses is believed. */
export const TRUSTED_PROXY = -1;

export interface Peers {
  /** To be asked only while the parser calls. */
  of(res: HttpResponse): ClientMark | typeof TRUSTED_PROXY;
}

export interface PeersOptions {
  readonly marks: ClientMarks;
  /** Whose word on other addresses is believed. */
  readonly trusted: BlockList | undefined;
}

/** Asks the parser anew each time. */
export function createUncachedPeers({ marks, trusted }: PeersOptions): Peers {
  return {
    of: (res) =>
      trusted !== undefined && isTrusted(res, trusted)
        ? TRUSTED_PROXY
        : marks.ofAddress(new Uint8Array(res.getRemoteAddress())),
  };
}

/** One recalled in so many is asked for anew. */
const CHECK_ONE_IN = 4096;

export interface CachedPeersOptions extends PeersOptions {
  readonly app: TemplatedApp;
  /** Which can tell the app's connections apart: of a parser whose memory is known. */
  readonly addon: NativeAddon;
  /** Told, once, that a connection was taken for another, or could not be told: from then on none is recalled. */
  disagreed(): void;
}

/** Remembers those of connections that are open, and no more: as many as the app lets in. */
export function createPeers(options: CachedPeersOptions): Peers {
  const { app, addon, disagreed } = options;
  const { of: ask } = createUncachedPeers(options);
  const known = new Map<number, ReturnType<Peers['of']>>();
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
      if (peer !== undefined && peer !== asked) distrust();
      else if (isReliable) known.set(connection, asked);
      return asked;
    },
  };
}

function isTrusted(res: HttpResponse, proxies: BlockList): boolean {
  const address = Buffer.from(res.getRemoteAddressAsText()).toString('latin1');
  return proxies.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
}
