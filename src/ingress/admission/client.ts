/**
 * Whose share a request comes out of: the caller's, where callers have names, so that many connections get no more than
 * one; else the address's that connects. What a proxy says of addresses (PROXY protocol v2) is believed only if the
 * proxy's own address is one of those that the operator trusts: anybody can send such a header.
 */

import type { HttpResponse } from 'uWebSockets.js';
import type { KnownCaller } from '../../callers/caller-index.ts';
import type { Client } from './admission.ts';
import type { ClientMark, ClientMarks } from './client-marks.ts';
import { type Peers, TRUSTED_PROXY } from './peers.ts';

export interface ClientFinder {
  /** Valid until the next is found. */
  find(res: HttpResponse, caller: KnownCaller | undefined): Client;
}

export function createClientFinder(peers: Peers, marks: ClientMarks): ClientFinder {
  let res: HttpResponse;
  let caller: KnownCaller | undefined;
  const client: Client = {
    mark: () => {
      if (caller !== undefined) return marks.ofCaller(caller.place);
      const peer = peers.of(res);
      return peer === TRUSTED_PROXY ? proxied(res, marks) : peer;
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

/** A proxy may name another address with each request, so it is asked anew; one that names none is the client itself. */
function proxied(res: HttpResponse, marks: ClientMarks): ClientMark {
  const named = new Uint8Array(res.getProxiedRemoteAddress());
  return marks.ofAddress(named.length > 0 ? named : new Uint8Array(res.getRemoteAddress()));
}
