import { expect, test } from 'vitest';
import { auditStore } from '../../server/core/audit.ts';
import { rewindJob } from '../../server/core/run-now.ts';
import { wakeAll } from '../../server/core/wake.ts';
import { job, noon, openService } from '../service.ts';

test('after a clock that was days ahead was reset, jobs go on from now, and the ledger is whole', async () => {
  const service = await openService([job({ schedule: '*/10 * * * *' })]);
  const { clock, store } = service;
  await service.wake('00:10:00');

  // Two days ahead for long enough to be believed, then set right.
  clock.setWall(noon('00:15:00') + 2 * 86_400_000);
  expect((await store.time()).unsteady).toMatch(/jumped ahead/);
  await clock.advance(100_000);
  await wakeAll(service.deps, { aheadMs: 0, thorough: true });
  await service.settle();
  expect((await store.read('job')).record?.watermark).toBeGreaterThan(noon('23:00:00'));
  clock.setWall(noon('00:20:00'));
  expect((await store.time()).unsteady).toMatch(/set back by 48 h/);

  await store.resetClock('ann');
  await rewindJob(service.deps, 'job', 'ann');
  for (const time of ['00:20:00', '00:30:00', '00:40:00']) await service.wake(time);

  const scheduled = (await service.runs()).filter(({ at }) => at <= noon('01:00:00'));
  expect(scheduled.map(({ id, state }) => [id.slice(4), state])).toEqual([
    ['20260301T001000Z', 'succeeded'],
    ['20260301T002000Z', 'succeeded'],
    ['20260301T003000Z', 'succeeded'],
    ['20260301T004000Z', 'succeeded'],
  ]);
  const { gaps } = await auditStore(store);
  expect(gaps.filter(({ what }) => !what.includes('beyond the watermark'))).toEqual([]);
  const { actions } = await store.listActions({ limit: 20 });
  expect(actions.map(({ action }) => action)).toContain('rewind');
});
