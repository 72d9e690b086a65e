/** Networks by CIDR (RFC 4632, RFC 4291 section 2.3), as a setting lists them. */
import { BlockList, isIP } from 'node:net';

/** Addresses and networks, by commas; `undefined` when one of them is none. */
export function parseNetworks(text: string): BlockList | undefined {
  const networks = new BlockList();
  for (const part of text.split(',')) {
    const [address = '', bits, ...more] = part.trim().split('/');
    const version = isIP(address);
    if (version === 0 || more.length > 0) return undefined;
    const family = version === 4 ? 'ipv4' : 'ipv6';
    if (bits === undefined) {
      networks.addAddress(address, family);
      continue;
    }
    if (!/^\d{1,3}$/.test(bits) || Number(bits) > (version === 4 ? 32 : 128)) return undefined;
    networks.addSubnet(address, Number(bits), family);
  }
  return networks;
}
