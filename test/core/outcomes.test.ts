import { describe, expect, test } from 'vitest';
import { account, draftOf } from '../../server/core/draft.ts';
import type { DayTally, JobRecord } from '../../server/core/records.ts';
import type { RunState } from '../../server/core/run.ts';
import { runNow } from '../../server/core/run-now.ts';
import { jobRecord, runRequest } from '../builders.ts';
import { byHand, job, openService } from '../service.ts';
import { at, PureJob } from './pure-job.ts';

/** The figures that a job's record keeps of what its runs came to. */

const DAY = Math.floor(at('00:00') / 86_400_000);
const days = (job: PureJob): readonly DayTally[] => job.record?.days ?? [];

function after(record: JobRecord, ...outcomes: [RunState, number, number?][]) {
  const draft = draftOf(record);
  for (const [state, day, count] of outcomes) {
    account(draft, { id: 'x', state, at: day * 86_400_000 + 5, ms: null }, count);
  }
  return draft.record.days ?? [];
}

describe('outcomes by day', () => {
  test('are good, bad or quiet, and what is no outcome counts as none', () => {
    const states: RunState[] = ['succeeded', 'failed', 'timed_out', 'lost', 'missed'];
    const all: RunState[] = [...states, 'cancelled', 'skipped', 'retry_wait', 'running', 'queued'];

    const counted = after(jobRecord(), ...all.map((state): [RunState, number] => [state, 7]));

    expect(counted).toEqual([{ day: 7, good: 1, bad: 4, quiet: 2 }]);
  });

  test('a range counts as often as it has occurrences, on the day of its end', () => {
    const job = new PureJob({ schedule: '0 * * * *', catchUp: { runs: 'none' } }, at('00:30'));

    job.wake(at('2026-03-04T10:30:00'));

    expect(days(job)).toEqual([{ day: DAY + 2, good: 0, bad: 58, quiet: 0 }]);
  });

  test('the newest come last, also where an older day is added to; at most 42 are kept', () => {
    const mixed = after(jobRecord(), ['succeeded', 9], ['missed', 7, 3], ['failed', 9]);
    const many = after(
      jobRecord(),
      ...Array.from({ length: 50 }, (_, day): [RunState, number] => ['succeeded', day]),
    );

    expect(mixed).toEqual([
      { day: 7, good: 0, bad: 3, quiet: 0 },
      { day: 9, good: 1, bad: 1, quiet: 0 },
    ]);
    expect(many.map(({ day }) => day)).toEqual(Array.from({ length: 42 }, (_, i) => i + 8));
  });

  test('a record of before they were counted begins with what comes', () => {
    const { days: _none, ...old } = jobRecord();

    expect(after(old, ['succeeded', 9])).toEqual([{ day: 9, good: 1, bad: 0, quiet: 0 }]);
  });
});

describe('how late a run began', () => {
  const recent = (job: PureJob) => job.record?.recent.map(({ late }) => late);

  test('is kept from one second on, for runs of the schedule', () => {
    const job = new PureJob({ schedule: '* * * * *', overlap: 'queue' }, at('00:00'));
    job.wakeAndRun(at('00:01:00.999'));
    job.wakeAndRun(at('00:02:01'));
    job.manual('a', at('00:02:30'));
    const [attempt = ''] = Object.keys(job.record?.active ?? {});
    job.finish(attempt, at('00:02:31'));

    expect(recent(job)).toEqual([undefined, 1000, undefined]);
    expect(job.record?.recent.map((one) => 'late' in one)).toEqual([false, true, false]);
  });

  test('is not guessed at for a later attempt, whose lease does not know the first', () => {
    const retry = { attempts: 2, backoff: { from: 0, to: 0 } } as const;
    const job = new PureJob({ schedule: '* * * * *', retry }, at('00:00'));
    const first = job.wake(at('00:01:05')) ?? '';
    job.finish(first, at('00:01:06'), 'failed', false);

    job.wakeAndRun(at('00:01:07'));

    expect(recent(job)).toEqual([undefined]);
  });
});

test('an attempt tells how many beats of its lease came through', async () => {
  const ends: (() => void)[] = [];
  const run = (): Promise<void> => new Promise((resolve) => ends.push(resolve));
  const service = await openService([job({ run, lease: '30s' })]);
  await service.wake('00:01:00');
  for (let second = 0; second < 35; second++) await service.clock.advance(1000);
  ends[0]?.();
  await service.settle();

  const [attempt] = (await service.lastRun()).attempts;

  expect(attempt).toMatchObject({ outcome: 'succeeded', renewals: 3 });
});

test('an attempt that another ended says nothing of its beats', () => {
  const job = new PureJob({}, at('00:00'));
  job.manual('a', at('00:10'));

  job.wake(at('00:20'));

  const [attempt] = job.runs.get('job!a')?.attempts ?? [];
  expect(attempt).toMatchObject({ outcome: 'lost' });
  expect(attempt).not.toHaveProperty('renewals');
});

describe('a run that repeats another', () => {
  const request = runRequest({ key: 'k', by: 'ann' });

  test('is a new run that names it, and on record as a rerun', async () => {
    const service = await openService([byHand({})]);
    const deps = service.deps;
    const first = await runNow(deps, byHand({}), { ...request, key: 'first' });
    await service.idle();
    if (first.kind !== 'created') throw new Error(first.kind);
    const again = { ...request, rerunOf: first.run.id };

    const made = await runNow(deps, byHand({}), again);
    const twice = await runNow(deps, byHand({}), again);
    const other = await runNow(deps, byHand({}), request);
    await service.idle();

    expect(made).toMatchObject({ kind: 'created', run: { cause: first.run.id } });
    expect([twice.kind, other.kind]).toEqual(['replayed', 'other-request']);
    const { actions } = await service.store.listActions({ limit: 9 });
    const told = actions.map(({ action, by, detail, after }) => [action, by, detail, after]);
    expect(told).toHaveLength(2);
    expect(told).toContainEqual(['run-now', 'ann', 'no input', 'running']);
    expect(told).toContainEqual(['rerun', 'ann', `repeats ${first.run.id}, no input`, 'running']);
  });

  test('one that repeats none has the hash it always had', async () => {
    const service = await openService([byHand({})]);

    const made = await runNow(service.deps, byHand({}), request);

    if (made.kind !== 'created') throw new Error(made.kind);
    expect(made.run.requestHash).toBe('o6s2XFiWOftd03nc-7N9SP_b3OZ_hEvP89CzVl4Mu_k');
    expect(made.run.cause).toBeNull();
  });
});
