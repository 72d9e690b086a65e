/** The finder of clients that a data-plane thread judges shares by: its app's connections, by native code if it may look. */
import type { TemplatedApp } from 'uWebSockets.js';
import type { Config } from '../config.ts';
import { type ClientFinder, createClientFinder } from '../ingress/admission/client.ts';
import { createClientMarks } from '../ingress/admission/client-marks.ts';
import { createPeers, createUncachedPeers } from '../ingress/admission/peers.ts';
import type { NativeAddon } from '../native/addon.ts';
import { parseNetworks } from '../networks.ts';

const STRANGE =
  'a connection was taken for another, or could not be told: addresses are asked for anew from now on';

/** `addon`: native code that may look into the parser's memory. `onStrange` is told, once, why it is not used any more. */
export function openClientFinder(
  app: TemplatedApp,
  { trustedProxies }: Pick<Config, 'trustedProxies'>,
  addon: NativeAddon | undefined,
  onStrange: (what: string) => void,
): ClientFinder {
  const trusted = trustedProxies ? parseNetworks(trustedProxies) : undefined;
  const marks = createClientMarks();
  const peers =
    addon === undefined
      ? createUncachedPeers({ marks, trusted })
      : createPeers({ marks, trusted, app, addon, disagreed: () => onStrange(STRANGE) });
  return createClientFinder(peers, marks);
}
