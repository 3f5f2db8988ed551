import { expect, test } from 'vitest';
import type { AlertConfig } from '../../server/config-alerts.ts';
import { Alerts } from '../../server/observe/alerts.ts';
import type { Resolve } from '../../server/observe/safe-fetch.ts';
import { run } from '../builders.ts';
import { testClock } from '../test-clock.ts';
import { receiver } from './receiver.ts';

/** Where alerts go is decided by what the name leads to at the time, not by the name. */

async function sent(config: Partial<AlertConfig>, ...addresses: readonly string[]) {
  const lines: string[] = [];
  const resolve: Resolve = async () =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  const alerts = new Alerts({
    config: {
      url: 'https://hooks.example.com/T0P-SECRET',
      secret: null,
      privateToo: false,
      ...config,
    },
    clock: testClock(),
    log: (level, event, fields) =>
      void lines.push(`${level} ${event} ${(fields?.['error'] as string | undefined) ?? ''}`),
    build: 'build-1',
    base: () => null,
    resolve,
  });
  const about = { job: 'job', run: run({ state: 'failed' }), reason: null };
  alerts.tell({ ...about, kind: 'failed', failures: 1, missed: null });
  await alerts.idle();
  return lines.join('\n');
}

test.each(['10.0.0.8', '::1', 'fd00::1', '100.64.0.1', '64:ff9b::10.0.0.8'])(
  'a name that leads to %s is not told, and the log says what would allow it',
  async (address) => {
    const said = await sent({}, '93.184.216.34', address);

    expect(said).toMatch(
      /^warn alert_not_sent "hooks\.example\.com" leads to \S+, .*: PUNCTUAL_ALERT_PRIVATE=yes would allow it$/,
    );
  },
);

test.each(['169.254.169.254', '0.0.0.0', '224.0.0.1'])(
  'nor is one that leads to %s, whatever is allowed',
  async (address) => {
    const said = await sent({ privateToo: true }, '10.0.0.8', address);

    expect(said).toMatch(/^warn alert_not_sent "hooks\.example\.com" leads to .* is not asked$/);
    expect(said).toContain(address);
  },
);

test('nothing is told in clear to a public address, even where private ones are allowed', async () => {
  const said = await sent(
    { url: 'http://hooks.example.com/T0P-SECRET', privateToo: true },
    '10.0.0.8',
    '93.184.216.34',
  );

  expect(said).toContain(
    'leads to 93.184.216.34, a public address, and is not asked: what is public is told over https',
  );
  expect(said).not.toContain('T0P-SECRET');
});

test('a private one is, in clear too, where that is allowed', async () => {
  const site = await receiver();

  const said = await sent(
    { url: `http://hooks.example.com:${site.port}/x`, privateToo: true },
    '127.0.0.1',
  );

  expect(said).toMatch(/^info alert_sent/);
  expect(site.received).toMatchObject([{ path: '/x', body: { kind: 'failed' } }]);
});
