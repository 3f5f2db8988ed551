import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TEST_START } from '../../test-clock.ts';
import { proxyKey } from '../google.ts';
import { asserted, openTo, proxy } from './callers.ts';

/** The keys of Identity-Aware Proxy: kept, renewed, and never done without. */

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: TEST_START }));
afterEach(() => void vi.useRealTimers());

const ADA = 'ada@example.com';
const newer = proxyKey('iap-2');

async function opened() {
  const { ask, keys, service } = await openTo('cloud-run');
  const look = async (key = proxy) =>
    (await ask('GET', '/', { headers: asserted(ADA, {}, key) })).status;
  const later = (ms: number): void => {
    vi.setSystemTime(Date.now() + ms);
    service.clock.setWall(Date.now());
  };
  const show = (...shown: readonly (typeof proxy)[]): void => {
    keys.body = JSON.stringify(Object.fromEntries(shown.map(({ kid, pem }) => [kid, pem])));
  };
  return { look, later, show, keys };
}

test('are asked for once an hour, by how many requests ever', async () => {
  const { look, later, keys } = await opened();

  await Promise.all([look(), look(), look()]);
  await look();
  const before = keys.asked;
  later(3_600_000);
  await look();

  expect([before, keys.asked]).toEqual([1, 2]);
});

test('a new one is found within a minute, and made-up ones do not make us ask', async () => {
  const { look, later, show, keys } = await opened();
  await look();
  show(proxy, newer);

  const tooSoon = await Promise.all([look(newer), look(newer)]);
  later(60_000);
  const found = await look(newer);

  expect([tooSoon, found, keys.asked]).toEqual([[401, 401], 200, 2]);
});

test('one that is withdrawn lets nobody in after an hour', async () => {
  const { look, later, show } = await opened();
  const before = await look();
  show(newer);
  later(3_600_000);

  expect([before, await look()]).toEqual([200, 401]);
});

test.each(['{}', 'not JSON', '{"iap-1": "no key"}'])(
  'that can not be had (%s) let nobody in, and nobody is told that they are wrong',
  async (body) => {
    const { look, keys } = await opened();
    keys.body = body;
    const without = await look();
    keys.body = JSON.stringify({ [proxy.kid]: proxy.pem });

    expect([without, await look()]).toEqual([503, 200]);
  },
);
