import { describe, expect, test } from 'vitest';
import { auditStore } from '../../server/core/audit.ts';
import type { JobRecord, Run } from '../../server/core/records.ts';
import { rewind, type Rewinding } from '../../server/core/rewind.ts';
import { pauseJob, resumeJob } from '../../server/core/run-now.ts';
import { wakeAll } from '../../server/core/wake.ts';
import { jobRecord, lease, retry, run } from '../builders.ts';
import { job, noon, openService } from '../service.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = noon('12:00:00');
/** By a clock that was two days ahead. */
const AHEAD = NOW + 2 * DAY;

const reset = (record: JobRecord, more: Partial<Rewinding> = {}) =>
  rewind(record, { now: NOW, by: 'ann', undone: [], aheadTo: null, id: 'a1', ...more });

/** The record once the clock was reset, where that changes it. */
function rewound(record: JobRecord, more: Partial<Rewinding> = {}): JobRecord {
  const after = reset(record, more);
  if (after === undefined) throw new Error('nothing lay ahead');
  return after.record;
}

const range = (from: number, to: number, change: Partial<Run> = {}): Run =>
  run({
    id: `nightly-report@${from}..${to}`,
    state: 'missed',
    reason: 'outage',
    range: { from, to, count: 48, atLeast: false },
    ...change,
  });

/** Where in a value instants stand that lie ahead of now. */
function aheadIn(value: unknown, path = ''): string[] {
  if (typeof value === 'number') return value > NOW && value < NOW + 10 * DAY ? [path] : [];
  if (typeof value !== 'object') return [];
  return Object.entries(value ?? {}).flatMap(([key, inner]) =>
    aheadIn(inner, path === '' ? key : `${path}.${key}`),
  );
}

const backfill = {
  id: 'b',
  from: NOW - DAY,
  to: AHEAD,
  cursor: NOW - HOUR,
  since: AHEAD,
  by: null,
};

/** A record of which every instant lies ahead. */
const everything = jobRecord({
  schedules: [
    { schedule: '0 * * * *', timeZone: 'UTC', from: NOW - DAY },
    { schedule: '5 * * * *', timeZone: 'UTC', from: AHEAD },
  ],
  registeredAt: AHEAD,
  retiredAt: AHEAD,
  watermark: AHEAD,
  ledgerFrom: AHEAD,
  catchUpTo: AHEAD,
  freeAt: AHEAD,
  paused: { at: AHEAD, by: 'ann', note: null, until: AHEAD + HOUR },
  pauses: [{ from: NOW - HOUR, to: AHEAD }],
  active: {
    a: lease({
      startedAt: AHEAD,
      renewedAt: AHEAD,
      cancel: { at: AHEAD, why: 'cancelled', by: null },
    }),
  },
  retries: [retry({ since: AHEAD, notBefore: AHEAD })],
  queue: [{ runId: 'q', since: AHEAD }],
  backfill,
  backfills: [{ ...backfill, to: NOW, since: NOW, endedAt: AHEAD }],
  nextActionAt: AHEAD,
  last: { runId: 'r', state: 'succeeded', at: AHEAD },
  recent: [{ id: 'r', state: 'succeeded', at: AHEAD, ms: 5 }],
  days: [{ day: Math.floor(AHEAD / DAY), good: 1, bad: 0, quiet: 0 }],
});

describe('a record, when a clock that was ahead is reset,', () => {
  test('has nothing left that lies ahead, but what is meant to', () => {
    const after = rewound(everything, { aheadTo: AHEAD });

    expect(aheadIn(everything).length).toBeGreaterThan(20);
    const meant = ['paused.until', 'retries.0.notBefore', 'nextActionAt', 'aheadTo'];
    expect(aheadIn(after)).toEqual(meant);
    expect(after.days).toEqual([]);
  });

  test('is left as it is where it says nothing of the future', () => {
    const until = NOW + HOUR;
    const record = jobRecord({
      watermark: NOW - HOUR,
      freeAt: NOW - 1000,
      catchUpTo: NOW - 1000,
      paused: { at: NOW - HOUR, by: null, note: null, until },
      retries: [retry({ since: NOW - 5000, notBefore: NOW + 9000 })],
      nextActionAt: NOW + 9000,
      active: { a: lease({ renewedAt: NOW }) },
    });

    expect(reset(record)).toBeUndefined();
    expect(reset(rewound(everything))).toBeUndefined();
  });

  test('waits no longer for a retry than the policy says', () => {
    const retries = [retry({ attempt: 3, since: NOW - 5000, notBefore: AHEAD })];

    const after = rewound(jobRecord({ retries }));

    // 10 s doubled once, and a tenth more for its spread.
    expect(after.retries[0]?.notBefore).toBe(NOW + 22_000);
  });

  test('goes on from before a range that reaches ahead, and its counts without it', () => {
    const ahead = range(NOW - 2 * HOUR, AHEAD);
    const record = jobRecord({
      watermark: AHEAD,
      counters: { missed: 50, succeeded: 7 },
      recent: [
        { id: 'before', state: 'succeeded', at: NOW - DAY, ms: 5 },
        { id: ahead.id, state: 'missed', at: AHEAD, ms: null },
      ],
    });

    const after = rewound(record, { undone: [ahead] });

    expect(after.watermark).toBe(NOW - 2 * HOUR - 1);
    expect(after.counters).toEqual({ missed: 2, succeeded: 7 });
    expect(after.recent.map((one) => one.id)).toEqual(['before']);
  });

  test('keeps what was paused as paused, though the range that said so is gone', () => {
    const undone = [range(NOW - 2 * HOUR, AHEAD, { state: 'skipped', reason: 'paused' })];

    const after = rewound(jobRecord({ watermark: AHEAD }), { undone });

    expect(after.pauses).toEqual([{ from: NOW - 2 * HOUR - 1, to: NOW }]);
  });

  test('is paused again where a pause came to its end by that clock alone', () => {
    const lastPause = { at: NOW - HOUR, by: 'ann', note: 'disk', until: NOW + HOUR };
    const pauses = [{ from: NOW - HOUR, to: NOW + HOUR }];
    const undone = [range(NOW - HOUR + 1, AHEAD, { state: 'skipped', reason: 'paused' })];

    const after = rewound(jobRecord({ watermark: AHEAD, pauses, lastPause }), { undone });

    expect(after).toMatchObject({ paused: lastPause, pauses: [], lastPause: null });
  });

  test('is not paused again where its pause had ended before', () => {
    const lastPause = { at: NOW - DAY, by: 'ann', note: 'disk', until: NOW - HOUR };

    const after = rewound(jobRecord({ watermark: AHEAD, lastPause }));

    expect(after.paused).toBeNull();
  });

  test('backfills nothing that has not come', () => {
    const whole = rewound(jobRecord({ backfill }));
    const none = rewound(jobRecord({ backfill: { ...backfill, cursor: NOW + HOUR } }));

    expect(whole.backfill?.to).toBe(NOW);
    expect(none).toMatchObject({ backfill: null, backfills: [{ id: 'b', endedAt: NOW }] });
  });
});

test('a pause that came to its own end is remembered until somebody resumes another', async () => {
  const service = await openService([job({})]);
  const { deps, clock } = service;
  const lastPause = async () => (await service.store.read('job')).record?.lastPause;
  await pauseJob(deps, 'job', { by: 'ann', note: null, until: clock.wall() + HOUR });

  await service.wake('01:01:00');
  const ended = await lastPause();
  await pauseJob(deps, 'job', { by: 'bob', note: null, until: null });
  await resumeJob(deps, 'job', 'bob');

  expect(ended).toMatchObject({ by: 'ann', until: noon('01:00:00') });
  expect(await lastPause()).toBeNull();
});

test('a job that was set aside until a time that has not come is looked at again', async () => {
  const service = await openService([job({ schedule: '0 * * * *' })]);
  const { clock, store } = service;
  clock.setWall(noon('00:00:00') + DAY);
  const { version = '' } = await store.read('job');
  const until = clock.wall() + HOUR;
  await store.quarantine({ name: 'job', version, until, problem: 'for a test' });
  clock.setWall(noon('00:00:00'));

  await store.resetClock('ann');

  const { items } = await store.due({ limit: 5, aheadMs: 0 });
  expect(items.map(({ name }) => name)).toEqual(['job']);
  await service.wake('01:00:00');
  expect((await service.lastRun()).state).toBe('succeeded');
});

test('after a clock that was days ahead was reset, jobs go on from now, and the ledger is whole', async () => {
  const service = await openService([job({ schedule: '*/10 * * * *' })]);
  const { clock, store } = service;
  await service.wake('00:10:00');

  // Two days ahead for long enough to be believed, then set right.
  clock.setWall(noon('00:15:00') + 2 * DAY);
  expect((await store.time()).unsteady).toMatch(/jumped ahead/);
  await clock.advance(100_000);
  await wakeAll(service.deps, { aheadMs: 0, thorough: true });
  await service.settle();
  expect((await store.read('job')).record?.watermark).toBeGreaterThan(noon('23:00:00'));
  clock.setWall(noon('00:20:00'));
  expect((await store.time()).unsteady).toMatch(/set back by 48 h/);

  await store.resetClock('ann');
  for (const time of ['00:20:00', '00:30:00', '00:40:00']) await service.wake(time);

  const scheduled = (await service.runs()).filter(({ at }) => at <= noon('01:00:00'));
  expect(scheduled.map(({ id, state }) => [id.slice(4), state])).toEqual([
    ['20260301T001000Z', 'succeeded'],
    ['20260301T002000Z', 'succeeded'],
    ['20260301T003000Z', 'succeeded'],
    ['20260301T004000Z', 'succeeded'],
  ]);
  expect((await auditStore(store)).gaps).toEqual([]);
  const { actions } = await store.listActions({ limit: 20 });
  expect(actions.map(({ action }) => action)).toContain('rewind');
});
