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

type Peer = ReturnType<Peers['of']>;

/** Of a connection that its client has reset, whose last requests are still to be handled, nobody can tell. */
const NOBODY = new Uint8Array(0);

/** Asks the parser anew each time. */
export function createUncachedPeers(options: PeersOptions): Peers {
  const nobody = options.marks.ofAddress(NOBODY);
  return { of: (res) => ask(res, options) ?? nobody };
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
  const nobody = options.marks.ofAddress(NOBODY);
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
      if (!isReliable) return ask(res, options) ?? nobody;
      const connection = connectionOf(res);
      const peer = known.get(connection);
      if (peer !== undefined && ++recalled % CHECK_ONE_IN !== 0) return peer;
      const asked = ask(res, options);
      if (asked === undefined) return peer ?? nobody;
      if (peer !== undefined && peer !== asked) distrust();
      else if (isReliable) known.set(connection, asked);
      return asked;
    },
  };
}

/** Undefined: it cannot be told any more. */
function ask(res: HttpResponse, { marks, trusted }: PeersOptions): Peer | undefined {
  if (trusted !== undefined) {
    const text = Buffer.from(res.getRemoteAddressAsText()).toString('latin1');
    if (text === '') return undefined;
    if (trusted.check(text, text.includes(':') ? 'ipv6' : 'ipv4')) return TRUSTED_PROXY;
  }
  const address = new Uint8Array(res.getRemoteAddress());
  return address.length === 0 ? undefined : marks.ofAddress(address);
}
