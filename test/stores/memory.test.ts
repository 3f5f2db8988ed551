import { expect, test } from 'vitest';
import { openMemoryStore } from '../../server/stores/memory.ts';
import { commit, jobRecord } from '../builders.ts';
import { committed, create } from '../store-contract-due.ts';
import { storeContract } from '../store-contract.ts';
import { TEST_START, testClock } from '../test-clock.ts';

storeContract('the store in memory', async () => {
  const clock = testClock();
  return { store: openMemoryStore({ clock }), pass: (ms) => clock.advance(ms) };
});

test('what was stored can not be changed but by a commit', async () => {
  const store = openMemoryStore({ clock: testClock() });
  await create(store, { queue: [{ runId: 'a', since: 1 }] });

  const { record } = await store.read('nightly-report');

  expect(() => Object.assign(record!.queue[0]!, { since: 2 })).toThrow(TypeError);
});

test('its time stands still while the clock is behind what it gave out', async () => {
  const clock = testClock();
  const store = openMemoryStore({ clock });
  const before = await store.time();

  clock.setWall(TEST_START - 60_000);

  expect(await store.time()).toEqual(before);
});

test('a commit decided by a clock that was set back since waits until that time has come', async () => {
  const clock = testClock();
  const store = openMemoryStore({ clock });
  const { storeNow } = await store.time();
  clock.setWall(storeNow - 1000);
  const decided = commit(jobRecord(), { decidedAt: storeNow + 3000 });

  const early = await store.commit(decided);
  await clock.advance(4000);
  const inTime = await store.commit(decided);

  expect([early.kind, inTime.kind]).toEqual(['conflict', 'ok']);
});

test('a closed store answers nothing', async () => {
  const store = openMemoryStore({ clock: testClock() });
  await committed(store, commit(jobRecord()));

  await store.close();

  await expect(store.read('nightly-report')).rejects.toMatchObject({ name: 'StoreUnavailable' });
  await expect(store.listRuns({ limit: 1 })).rejects.toMatchObject({ name: 'StoreUnavailable' });
});
