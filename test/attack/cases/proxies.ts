/**
 * Attack 97, by strangers who speak as proxies do: the parser reads version 2 of the PROXY protocol from anybody, and the
 * gateway believes it of nobody but those that it was told to trust.
 */
import type { AttackCases } from '../attack-case.ts';
import { DROPPED, onTheWire, post } from '../wire.ts';

/** Section 2.2 of the protocol: what it begins with, version and command, family, length, addresses and ports. */
const proxied = (command: string, family: string, addresses: string, length = addresses.length): string =>
  `\r\n\r\n\0\r\nQUIT\n${command}${family}${String.fromCharCode(length >> 8, length & 0xff)}${addresses}`;

/** 203.0.113.7 to 0.0.0.0: addresses for documentation. */
const ADDRESSES = '\xcb\0\x71\x07\0\0\0\0\x1f\x90\0\x50';
export const PROXIED = proxied('\x21', '\x11', ADDRESSES);

export const PROXIES: AttackCases = (
  [
    ['a header of the PROXY protocol', '200 ok, open', PROXIED],
    ['a PROXY header of a check of its own', '200 ok, open', proxied('\x20', '\0', '')],
    ['a PROXY header twice', DROPPED, PROXIED + PROXIED],
    ['a PROXY header whose length lies', DROPPED, proxied('\x21', '\x11', ADDRESSES, 0xffff)],
    ['a PROXY header cut short', 'parser 505, closed', PROXIED.slice(0, 20)],
    ['a PROXY header, version 1', 'parser 505, closed', 'PROXY TCP4 203.0.113.7 127.0.0.1 8080 80\r\n'],
  ] as const
).map(([name, expected, before]) =>
  onTheWire({
    number: 97,
    name,
    sent: `${JSON.stringify(before.slice(0, 8)).slice(1, -1)}… and a request`,
    expected,
    bytes: (target) => before + post(target),
  }),
);
