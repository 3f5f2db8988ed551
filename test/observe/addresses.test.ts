import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isNear, kindOf } from '../../server/observe/addresses.ts';

/** Authority: IANA's registries of special-purpose addresses, and what clouds document. */

test.each([
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['::1', 'loopback'],
  ['10.0.0.1', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.1.1', 'private'],
  ['fc00::1', 'private'],
  ['fdff:ffff::1', 'private'],
  ['fec0::1', 'private'],
  ['169.254.1.1', 'link-local'],
  ['fe80::1', 'link-local'],
  ['fe80::1%eth0', 'link-local'],
  ['febf::1', 'link-local'],
  ['100.64.0.1', 'shared'],
  ['100.127.255.255', 'shared'],
  ['169.254.169.254', 'metadata'],
  ['168.63.129.16', 'metadata'],
  ['100.100.100.200', 'metadata'],
  ['192.0.0.192', 'metadata'],
  ['fd00:ec2::254', 'metadata'],
  ['fd20:ce::254', 'metadata'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['ff02::1', 'multicast'],
  ['0.0.0.0', 'reserved'],
  ['0.1.2.3', 'reserved'],
  ['192.0.2.1', 'reserved'],
  ['198.18.0.1', 'reserved'],
  ['198.19.255.255', 'reserved'],
  ['198.51.100.1', 'reserved'],
  ['203.0.113.1', 'reserved'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.255', 'reserved'],
  ['::', 'reserved'],
  ['2001::1', 'reserved'],
  ['2001:db8::1', 'reserved'],
  ['3fff::1', 'reserved'],
  ['4000::1', 'reserved'],
  ['64:ff9b:1::1', 'reserved'],
  ['100::1', 'reserved'],
  ['5f00::1', 'reserved'],
  ['', 'reserved'],
  ['127.1', 'reserved'],
  ['localhost', 'reserved'],
  ['1.1.1.1', 'public'],
  ['9.255.255.255', 'public'],
  ['11.0.0.0', 'public'],
  ['100.63.255.255', 'public'],
  ['100.128.0.0', 'public'],
  ['126.255.255.255', 'public'],
  ['128.0.0.0', 'public'],
  ['172.15.255.255', 'public'],
  ['172.32.0.0', 'public'],
  ['192.167.255.255', 'public'],
  ['192.169.0.0', 'public'],
  ['223.255.255.255', 'public'],
  ['2606:4700::1111', 'public'],
  ['2a00:1450:4001::8a', 'public'],
])('%s is %s', (address, kind) => {
  expect(kindOf(address)).toBe(kind);
});

describe('an IPv4 address inside one of IPv6 is what it is by itself', () => {
  const hex = (high: number, low: number): string => ((high << 8) | low).toString(16);
  const ways: Record<string, (v4: readonly number[]) => string> = {
    mapped: (v4) => `::ffff:${v4.join('.')}`,
    'mapped, in hex': ([a = 0, b = 0, c = 0, d = 0]) => `::FFFF:${hex(a, b)}:${hex(c, d)}`,
    'mapped, in full': ([a = 0, b = 0, c = 0, d = 0]) =>
      `0000:0:0:0:0:ffff:${hex(a, b)}:${hex(c, d)}`,
    'translated (NAT64)': (v4) => `64:ff9b::${v4.join('.')}`,
    '6to4': ([a = 0, b = 0, c = 0, d = 0]) => `2002:${hex(a, b)}:${hex(c, d)}::1`,
  };
  const octet = fc.nat(255);
  const near = fc.oneof(
    fc.tuple(fc.constantFrom(0, 10, 127, 224, 240, 255), octet, octet, octet),
    fc.tuple(fc.constant(192), fc.constant(168), octet, octet),
    fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), octet, octet),
    fc.tuple(fc.constant(169), fc.constant(254), octet, octet),
    fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), octet, octet),
    fc.tuple(octet, octet, octet, octet),
  );

  test.each(Object.keys(ways))('%s', (way) => {
    fc.assert(
      fc.property(near, (v4) => {
        expect(kindOf(ways[way]?.(v4) ?? '')).toBe(kindOf(v4.join('.')));
      }),
      { numRuns: 500, seed: 8 },
    );
  });

  test('the compatible form of old is never public', () => {
    expect(['::8.8.8.8', '::10.0.0.1', '::127.0.0.1'].map(kindOf)).toEqual([
      'reserved',
      'private',
      'loopback',
    ]);
  });
});

test('any address at all has a kind, and only those of own networks are near', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), (address) => {
      const kind = kindOf(address);
      expect(isNear(kind) && kind === 'public').toBe(false);
    }),
    { numRuns: 2000, seed: 8 },
  );
  const kinds = ['metadata', 'multicast', 'reserved', 'public'] as const;
  expect(kinds.filter(isNear)).toEqual([]);
});
