/**
 * Whose share a request comes out of: the caller's, where callers have names, so that many connections get no more than
 * one; else the address's that connects. What a proxy says of addresses (PROXY protocol v2) is believed only if the
 * proxy's own address is one of those that the operator trusts: anybody can send such a header.
 */

import type { HttpResponse } from 'uWebSockets.js';
import type { KnownCaller } from '../../callers/caller-index.ts';
import type { Client } from './admission.ts';
import type { Peers } from './peers.ts';

export interface ClientFinder {
  /** Valid until the next is found, and so is its mark. */
  find(res: HttpResponse, caller: KnownCaller | undefined): Client;
}

/** Longer than an IPv4 address, shorter than an IPv6 one: never taken for either. */
const CALLER_MARK_BYTES = 5;

export function createClientFinder(peers: Peers): ClientFinder {
  const callerMark = Buffer.alloc(CALLER_MARK_BYTES);
  let res: HttpResponse;
  let caller: KnownCaller | undefined;
  const client: Client = {
    mark: () => {
      if (caller === undefined) return addressOf(res, peers);
      callerMark.writeUInt32BE(caller.place, 1);
      return callerMark;
    },
  };
  return {
    find: (itsRes, itsCaller) => {
      res = itsRes;
      caller = itsCaller;
      return client;
    },
  };
}

/** A proxy may name another address with each request, so that is asked anew. */
function addressOf(res: HttpResponse, peers: Peers): Uint8Array {
  const { address, isTrusted } = peers.of(res);
  if (!isTrusted) return address;
  const proxied = new Uint8Array(res.getProxiedRemoteAddress());
  return proxied.length > 0 ? proxied : address;
}
