/**
 * Clients as fairness knows them: by a hash under a seed of its own, so that nobody can choose an address that is taken for
 * another's, and so that what is kept of a connection is one small number.
 */
import { randomInt } from 'node:crypto';

/** Alike for all requests of one client, from 0 to 2^28 - 1. */
export type ClientMark = number;

export const MARK_BITS = 28;
/** Longer than an IPv4 address, shorter than what is hashed of an IPv6 one: alike to neither but by chance. */
const CALLER_BYTES = 5;

export interface ClientMarks {
  /**
   * Of an address of four or sixteen bytes. An IPv6 one stands for the 64 bits of its network, since that one's owner has all
   * addresses behind them. IPv4 comes as four bytes or, on a listener for both, mapped into sixteen.
   */
  ofAddress(address: Uint8Array): ClientMark;
  /** Of a caller with a name, by its place among them. */
  ofCaller(place: number): ClientMark;
}

export function createClientMarks(seed: number = randomInt(2 ** 32)): ClientMarks {
  const caller = Buffer.alloc(CALLER_BYTES);
  return {
    ofAddress: (address) => {
      if (address.length !== 16) return hash(address, 0, address.length, seed);
      return isIpv4Mapped(address) ? hash(address, 12, 16, seed) : hash(address, 0, 8, seed);
    },
    ofCaller: (place) => {
      caller.writeUInt32BE(place, 1);
      return hash(caller, 0, CALLER_BYTES, seed);
    },
  };
}

function hash(bytes: Uint8Array, from: number, to: number, seed: number): ClientMark {
  let mixed = seed | 0;
  for (let i = from; i < to; i++)
    mixed = Math.imul(mixed ^ (bytes[i] as number), 0x5bd1e995) ^ (mixed >>> 13);
  // The finisher of MurmurHash3: every bit of the address reaches every bit of the mark.
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> (32 - MARK_BITS);
}

function isIpv4Mapped(address: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (address[i] !== 0) return false;
  return address[10] === 0xff && address[11] === 0xff;
}
