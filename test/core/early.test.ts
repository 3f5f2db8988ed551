import { expect, test } from 'vitest';
import { wakeJob } from '../../server/core/wake.ts';
import { job, openService } from '../service.ts';
import { holdUp, holdUpAnywhere } from '../test-clock.ts';

/** A trigger that comes 3 ms too early, on a machine that holds it up for 5 ms. */
async function triggerHeldUpAt(nth: number) {
  const service = await openService([job({})]);
  await service.clock.advance(59_997);
  const readings = holdUp(service.clock, nth, 5);

  const waking = wakeJob(service.deps, 'job');
  for (let ms = 0; ms < 20; ms++) await service.clock.advance(1);

  const { started } = await waking;
  const { startedAt } = started.length > 0 ? await service.lastRun() : { startedAt: null };
  return { readings: readings(), at: new Date(startedAt ?? 0).toISOString().slice(11, 23) };
}

test('a trigger that comes early starts the occurrence, wherever it is held up', async () => {
  const { readings, others } = await holdUpAnywhere(triggerHeldUpAt, {
    earliest: '00:01:00.000',
    latest: '00:01:00.010',
  });

  expect(readings).toBeGreaterThan(10);
  expect(others).toEqual([]);
});
