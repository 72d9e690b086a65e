/**
 * Whose share a request comes out of: the caller's, where callers have names, so that many connections get no more than
 * one; else the address's that connects. What a proxy says of addresses (PROXY protocol v2) is believed only if the
 * proxy's own address is one of those that the operator trusts: anybody can send such a header.
 */

import type { HttpResponse } from 'uWebSockets.js';
import type { BlockList } from 'node:net';
import type { KnownCaller } from '../../callers/caller-index.ts';
import type { Client } from './admission.ts';

export interface ClientFinder {
  /** Valid until the next is found. */
  find(res: HttpResponse, caller: KnownCaller | undefined): Client;
}

/** Longer than an IPv4 address, shorter than an IPv6 one: never taken for either. */
const CALLER_MARK_BYTES = 5;

export function createClientFinder(trustedProxies: BlockList | undefined): ClientFinder {
  let res: HttpResponse;
  let caller: KnownCaller | undefined;
  const client: Client = {
    mark: () => (caller === undefined ? addressOf(res, trustedProxies) : callerMark(caller.place)),
  };
  return {
    find: (itsRes, itsCaller) => {
      res = itsRes;
      caller = itsCaller;
      return client;
    },
  };
}

function callerMark(place: number): Uint8Array {
  const mark = Buffer.alloc(CALLER_MARK_BYTES);
  mark.writeUInt32BE(place, 1);
  return mark;
}

function addressOf(res: HttpResponse, trustedProxies: BlockList | undefined): Uint8Array {
  if (trustedProxies !== undefined && isTrusted(res, trustedProxies)) {
    const proxied = new Uint8Array(res.getProxiedRemoteAddress());
    if (proxied.length > 0) return proxied;
  }
  return new Uint8Array(res.getRemoteAddress());
}

function isTrusted(res: HttpResponse, proxies: BlockList): boolean {
  const address = Buffer.from(res.getRemoteAddressAsText()).toString('latin1');
  return proxies.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
}
