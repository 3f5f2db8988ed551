import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** What an address is, to somebody who was given it by others. */
export type AddressKind =
  | 'public'
  /** This machine, and networks of one's own: somebody may want to send there. */
  | 'loopback'
  | 'private'
  | 'link-local'
  | 'shared'
  /** Where a cloud hands out credentials: nobody is told anything there. */
  | 'metadata'
  /** No one program's. */
  | 'multicast'
  | 'reserved';

/** Of one's own network: may be asked where whoever set up the service says so. */
export const isNear = (kind: AddressKind): boolean =>
  kind === 'loopback' || kind === 'private' || kind === 'link-local' || kind === 'shared';

/** What follows "it leads to 10.0.0.1, ". */
export const KIND_TEXT: Readonly<Record<AddressKind, string>> = {
  public: 'a public address',
  loopback: 'this machine itself',
  private: 'an address of a private network',
  'link-local': 'a link-local address',
  shared: "an address of a carrier's inner network",
  metadata: 'where a cloud hands out credentials',
  multicast: 'an address of many at once',
  reserved: 'a reserved address',
};

type Range = readonly [kind: AddressKind, prefix: string, bits: number];

/**
 * What of IPv4 is not public (https://www.iana.org/assignments/iana-ipv4-special-registry), and the
 * metadata servers: the one of most clouds, then those of Azure, Alibaba and Oracle. The first that
 * fits holds.
 */
const IPV4: readonly Range[] = [
  ['metadata', '169.254.169.254', 32],
  ['metadata', '168.63.129.16', 32],
  ['metadata', '100.100.100.200', 32],
  ['metadata', '192.0.0.192', 32],
  ['loopback', '127.0.0.0', 8],
  ['private', '10.0.0.0', 8],
  ['private', '172.16.0.0', 12],
  ['private', '192.168.0.0', 16],
  ['link-local', '169.254.0.0', 16],
  ['shared', '100.64.0.0', 10],
  ['reserved', '0.0.0.0', 8],
  ['reserved', '192.0.0.0', 24],
  ['reserved', '192.0.2.0', 24],
  ['reserved', '192.88.99.0', 24],
  ['reserved', '198.18.0.0', 15],
  ['reserved', '198.51.100.0', 24],
  ['reserved', '203.0.113.0', 24],
  ['multicast', '224.0.0.0', 4],
  ['reserved', '240.0.0.0', 4],
];

/** The same of IPv6. All that lies outside of GLOBAL is reserved, too. */
const IPV6: readonly Range[] = [
  ['metadata', 'fd00:ec2::254', 128],
  ['metadata', 'fd20:ce::254', 128],
  ['loopback', '::1', 128],
  ['private', 'fc00::', 7],
  ['link-local', 'fe80::', 10],
  // What RFC 3879 has taken back; some still use it as a private network.
  ['private', 'fec0::', 10],
  ['multicast', 'ff00::', 8],
  ['reserved', '::', 128],
  // Teredo among them.
  ['reserved', '2001::', 23],
  ['reserved', '2001:db8::', 32],
  ['reserved', '3fff::', 20],
];

/** What is given out to the world, and the ways to write an IPv4 address that may be public. */
const GLOBAL: readonly Range[] = [
  ['public', '2000::', 3],
  ['public', '::ffff:0:0', 96],
  ['public', '64:ff9b::', 96],
];

/** An IPv4 address inside one of IPv6: mapped, translated (NAT64), compatible as of old, 6to4. */
function embedded([kind, prefix, bits]: Range): Range[] {
  const [a = 0, b = 0, c = 0, d = 0] = prefix.split('.').map(Number);
  const hex = (high: number, low: number): string => (high * 256 + low).toString(16);
  return [
    [kind, `::ffff:${prefix}`, 96 + bits],
    [kind, `64:ff9b::${prefix}`, 96 + bits],
    [kind, `::${prefix}`, 96 + bits],
    [kind, `2002:${hex(a, b)}:${hex(c, d)}::`, 16 + bits],
  ];
}

interface Lists {
  readonly ipv4: readonly (readonly [AddressKind, BlockList])[];
  readonly ipv6: readonly (readonly [AddressKind, BlockList])[];
  readonly global: BlockList;
}

let lists: Lists | undefined;

// A list for each range, as each tells its kind; an IPv4 address would fit lists of IPv6 as well.
const makeLists = (): Lists => ({
  ipv4: IPV4.map((range) => [range[0], listOf([range], 'ipv4')]),
  ipv6: [...IPV6, ...IPV4.flatMap(embedded)].map((range) => [range[0], listOf([range], 'ipv6')]),
  global: listOf(GLOBAL, 'ipv6'),
});

function listOf(ranges: readonly Range[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const [, prefix, bits] of ranges) list.addSubnet(prefix, bits, family);
  return list;
}

/** What kind of address it is; `reserved` for what is none at all. */
export function kindOf(address: string): AddressKind {
  lists ??= makeLists();
  if (isIPv4(address)) {
    return lists.ipv4.find(([, list]) => list.check(address, 'ipv4'))?.[0] ?? 'public';
  }
  // Only what is on the same link needs a zone, and no list could be asked about one.
  if (address.includes('%')) return 'link-local';
  if (!isIPv6(address)) return 'reserved';
  const found = lists.ipv6.find(([, list]) => list.check(address, 'ipv6'))?.[0];
  return found ?? (lists.global.check(address, 'ipv6') ? 'public' : 'reserved');
}
