import { expect, test } from 'vitest';
import { keepWakes, readLastWake } from '../../server/core/last-wake.ts';
import { StoreUnavailable } from '../../server/core/store.ts';
import { wakeAll, wakeJob } from '../../server/core/wake.ts';
import { job, noon, openService } from '../service.ts';

const wake = { at: noon('00:01:00'), started: 1, lagMs: 20 };

test('each wake-up is known here at once, and noted in the store every five minutes', async () => {
  const { deps, store, clock } = await openService([job({})]);
  const wakes = keepWakes();
  const seen = [];

  for (let minute = 1; minute <= 7; minute++) {
    await wakes.heard(deps, { ...wake, at: noon(`00:0${minute}:00`) });
    seen.push((await readLastWake(store, 'default'))?.at);
    expect(wakes.last?.at).toBe(noon(`00:0${minute}:00`));
    await clock.advance(60_000);
  }

  const [first, sixth] = [noon('00:01:00'), noon('00:06:00')];
  expect(seen).toEqual([first, first, first, first, first, sixth, sixth]);
});

test('where it is billed the first of a process is not noted', async () => {
  const { deps, store, clock } = await openService([job({})]);
  const wakes = keepWakes();
  Object.assign(store, { costs: () => new Map() });

  await wakes.heard(deps, wake);
  const atFirst = await readLastWake(store, 'default');
  await clock.advance(deps.timing.seenEveryMs);
  await wakes.heard(deps, wake);

  expect([atFirst, await readLastWake(store, 'default')]).toEqual([undefined, wake]);
});

test('a store that fails, or hangs, keeps no wake-up from its answer', async () => {
  const { deps, store, clock } = await openService([job({})]);
  store.readMeta = () => Promise.reject(new StoreUnavailable('down'));
  await keepWakes().heard(deps, wake);

  store.readMeta = () => new Promise(() => undefined);
  let answered = false;
  void keepWakes()
    .heard(deps, wake)
    .then(() => (answered = true));
  await clock.advance(3000);

  expect(answered).toBe(true);
});

test.for([null, 7, 'x', [], {}, { at: 1e300, started: 1, lagMs: 1 }, { at: 'x' }])(
  'where somebody put %o nothing is said to be noted',
  async (value) => {
    const { store } = await openService([job({})]);

    await store.writeMeta('tick:default', value, undefined);

    expect(await readLastWake(store, 'default')).toBeUndefined();
  },
);

test('a wake-up says how long the first of what was due had waited', async () => {
  const service = await openService([
    job({ name: 'a' }),
    job({ name: 'b', schedule: '*/2 * * * *' }),
  ]);
  const { deps, clock } = service;
  const all = { aheadMs: 0, thorough: true };

  await clock.advance(noon('00:02:07') - clock.wall());
  const late = await wakeAll(deps, all);
  await service.settle();
  const idle = await wakeAll(deps, all);
  await clock.advance(noon('00:03:01') - clock.wall());
  const one = await wakeJob(deps, 'a');

  expect([late.lagMs, idle.lagMs, one.lagMs]).toEqual([67_000, 0, 1000]);
});
