/**
 * Who owns a slot of a Redis cluster, by what its nodes tell (CLUSTER NODES).
 *
 * Nodes disagree while a failover or a migration goes round, and one that is cut off goes on telling the past. The
 * cluster itself settles that by config epochs: of two owners of a slot the one with the higher epoch is right. So
 * that form is read, and not CLUSTER SLOTS, which leaves the epochs out.
 */
import type { HostPort } from './target.ts';

export interface SlotClaim {
  readonly owner: HostPort;
  /** Where a later owner is to be found: this one and its replicas. */
  readonly members: readonly HostPort[];
  readonly configEpoch: bigint;
}

const SLOTS = 16_384;
/** Of a slot's members; a shard has a handful. */
const MAX_MEMBERS = 16;

/** The slot of every key with this hash tag: CRC-16 (XMODEM). */
export function slotOf(tag: string): number {
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc % SLOTS;
}

interface Node {
  readonly id: string;
  readonly at: HostPort;
  readonly primary: string;
  readonly configEpoch: bigint;
  readonly slots: readonly string[];
}

/**
 * One node's answer. `asked` is where it was reached, since a node that has not yet met another does not know its
 * own address; `byName`: nodes that announce a name are reached by it, for their certificates are good for names.
 * `undefined`: it knows of no owner.
 */
export function readClaim(
  answer: string,
  slot: number,
  asked: HostPort,
  byName: boolean,
): SlotClaim | undefined {
  const nodes = answer.split('\n').flatMap((line) => readNode(line, asked, byName) ?? []);
  const owner = nodes.find(({ slots }) => slots.some((range) => contains(range, slot)));
  if (owner === undefined) return undefined;
  const replicas = nodes.filter(({ primary }) => primary === owner.id);
  const members = [owner, ...replicas].slice(0, MAX_MEMBERS).map(({ at }) => at);
  return { owner: owner.at, members, configEpoch: owner.configEpoch };
}

/** The claim that the cluster itself holds for right; of several alike the first. */
export function latestClaim(claims: readonly SlotClaim[]): SlotClaim | undefined {
  return claims.reduce<SlotClaim | undefined>(
    (best, claim) => (best === undefined || claim.configEpoch > best.configEpoch ? claim : best),
    undefined,
  );
}

/** `<id> <host>:<port>@<bus>[,<name>[,…]] <flags> <primary or -> <ping> <pong> <epoch> <link> <slots> …` */
function readNode(line: string, asked: HostPort, byName: boolean): Node | undefined {
  const [id, address, flags, primary, , , epoch, , ...slots] = line.trim().split(' ');
  if (id === undefined || address === undefined || flags === undefined || primary === undefined) {
    return undefined;
  }
  const [, host, port] = /^(.*):(\d{1,5})(?:@|$)/.exec(address) ?? [];
  if (host === undefined || Number(port) === 0 || !/^\d{1,20}$/.test(epoch ?? '')) return undefined;
  const roles = flags.split(',');
  if (roles.includes('noaddr') || roles.includes('handshake')) return undefined;
  const [, name] = address.split(',');
  const isAsked = roles.includes('myself');
  const known = (byName && name) || host || (isAsked ? asked.host : '');
  if (known === '') return undefined;
  return {
    id,
    at: { host: known, port: Number(port) },
    primary,
    configEpoch: BigInt(epoch as string),
    slots,
  };
}

/** `7`, `0-5460`; what a migration adds in brackets is no ownership. */
function contains(range: string, slot: number): boolean {
  const [, first, last] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(range) ?? [];
  return first !== undefined && slot >= Number(first) && slot <= Number(last ?? first);
}
