import { describe, expect, test } from 'vitest';
import { backfillPlan } from '../../server/core/backfill-plan.ts';
import { commit, jobRecord } from '../builders.ts';
import { byHand, job, noon, openService } from '../service.ts';
import { backfillJob } from '../../server/core/run-now.ts';

const MINUTE = 60_000;
const all = { listed: 1000, counted: 1000 };

describe('a plan of a backfill', () => {
  test('names the runs that the backfill then opens, across a change of the schedule', async () => {
    const service = await openService([job({ schedule: '*/10 * * * *' })]);
    await service.wake('01:00:00');
    const stored = await service.store.read('job');
    const [entry] = stored.record!.schedules;
    const schedules = [entry!, { ...entry!, schedule: '*/7 * * * *', from: noon('00:30:00') }];
    await service.store.commit({
      ...commit({ ...stored.record!, rev: stored.record!.rev + 1, schedules }),
      version: stored.version,
      decidedAt: stored.storeNow,
    });
    const span = { from: noon('00:10:00') - 1, to: noon('00:50:00') };
    const { record } = await service.store.read('job');

    const plan = backfillPlan(record!, span, all);
    await backfillJob(service.deps, 'job', { ...span, by: null });
    for (let minute = 1; minute < 20; minute++) {
      await service.wake(`01:${String(minute).padStart(2, '0')}:30`);
    }

    const opened = (await service.runs()).filter(({ trigger }) => trigger === 'backfill');
    expect(new Set(plan.first)).toEqual(new Set(opened.map(({ scheduledAt }) => scheduledAt)));
    expect(plan.count).toBe(opened.length);
    expect(plan.first.length).toBeGreaterThan(5);
  });

  test('lists the first and counts to an end', () => {
    const record = jobRecord({
      schedules: [{ schedule: '* * * * *', timeZone: 'UTC', from: 0 }],
    });
    const span = { from: 0, to: 100 * MINUTE };

    const few = backfillPlan(record, span, { listed: 2, counted: 10 });
    const most = backfillPlan(record, span, { listed: 0, counted: 100 });

    expect(few).toEqual({ first: [MINUTE, 2 * MINUTE], count: 10, atLeast: true });
    expect(most).toEqual({ first: [], count: 100, atLeast: false });
  });

  test('of a job that runs only by hand is empty', () => {
    const record = jobRecord({ schedules: [{ schedule: null, timeZone: 'UTC', from: 0 }] });

    expect(backfillPlan(record, { from: 0, to: MINUTE }, all).count).toBe(0);
    expect(byHand({}).schedule).toBeNull();
  });
});

test('a backfill that is asked for twice under one id is one', async () => {
  const service = await openService([job({ schedule: '*/10 * * * *' })]);
  await service.wake('01:00:00');
  const span = { from: noon('00:10:00') - 1, to: noon('00:30:00'), by: null, id: 'one' };

  const first = await backfillJob(service.deps, 'job', span);
  const second = await backfillJob(service.deps, 'job', span);

  expect([first.kind, second.kind]).toEqual(['changed', 'unchanged']);
});
