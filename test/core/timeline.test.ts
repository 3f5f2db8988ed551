import { describe, expect, test } from 'vitest';
import type { JobRecord, Run } from '../../server/core/records.ts';
import { failuresOf } from '../../server/core/stats.ts';
import { summarise } from '../../server/core/summary.ts';
import {
  endedRun,
  interestOf,
  laneOf,
  type Ended,
  type JobSeen,
  type Lane,
  type TimeWindow,
} from '../../server/core/timeline.ts';
import { jobRecord, lease, run } from '../builders.ts';

const MINUTE = 60_000;
const at = (text: string): number => Date.parse(`2026-03-${text}Z`);
const now = at('10T12:00');
const window: TimeWindow = { from: at('09T12:00'), now, to: at('11T12:00') };

const record = (schedule: string | null, change: Partial<JobRecord> = {}): JobRecord =>
  jobRecord({
    schedules: [{ schedule, timeZone: 'UTC', from: at('01T00:00') }],
    watermark: now,
    ...change,
  });

function seen(given: JobRecord | undefined): JobSeen {
  const loaded = {
    name: 'nightly-report',
    version: '1',
    record: given,
    problem: given === undefined ? 'it is no JSON' : undefined,
    setAside: undefined,
  };
  const job = summarise(loaded, undefined, now);
  return { job, record: given, failures: failuresOf(given ?? { recent: [] }) };
}

const ended = (change: Partial<Ended>): Ended => ({
  id: 'a',
  short: 'a',
  state: 'succeeded',
  from: now - 10 * MINUTE,
  to: now - 9 * MINUTE,
  lateMs: 0,
  stretch: null,
  error: null,
  ...change,
});

const lane = (
  given: JobRecord | undefined,
  { runs = [], typicalMs = null }: { runs?: readonly Ended[]; typicalMs?: number | null } = {},
): Lane => laneOf(seen(given), { ended: runs, typicalMs }, window);

const hours = (times: readonly number[]): string[] =>
  times.map((one) => new Date(one).toISOString().slice(8, 16));

describe('what ended', () => {
  test('is drawn where it ended in the window, the first beginning first', () => {
    const runs = [
      ended({ id: 'now', from: now - 5, to: now - 1 }),
      ended({ id: 'long', from: window.from - 1000, to: window.from + 1 }),
      ended({ id: 'before', from: window.from - 1000, to: window.from }),
    ];

    expect(lane(record(null), { runs }).ended.map(({ id }) => id)).toEqual(['long', 'now']);
  });

  test('of a run on record is told from its first start to its end, late as it was', () => {
    const read = run({
      state: 'failed',
      trigger: 'schedule',
      scheduledAt: now - 20 * MINUTE,
      startedAt: now - 19 * MINUTE,
      endedAt: now - 5 * MINUTE,
      error: { name: 'Error', message: 'disk full', stack: null },
    });

    expect(endedRun(read, 'x')).toMatchObject({
      from: now - 19 * MINUTE,
      to: now - 5 * MINUTE,
      lateMs: MINUTE,
      error: 'disk full',
      stretch: null,
    });
  });

  test('of a stretch of occurrences is as long as the stretch', () => {
    const range = { from: now - 300 * MINUTE, to: now - 200 * MINUTE, count: 101, atLeast: false };
    const read = run({ state: 'missed', reason: 'outage', at: range.to, range });

    expect(endedRun(read, 'x')).toMatchObject({
      from: range.from,
      to: range.to,
      stretch: { reason: 'outage', count: 101, atLeast: false },
    });
  });

  test('is known only back to the oldest outcome that the record holds', () => {
    const recent = Array.from({ length: 60 }, (_, i) => {
      return { id: `${i}`, state: 'succeeded', at: now - (60 - i) * MINUTE, ms: 5 } as const;
    });

    expect(lane(record('* * * * *', { recent })).knownFrom).toBe(now - 60 * MINUTE);
    expect(lane(record('* * * * *', { recent: recent.slice(1) })).knownFrom).toBeNull();
  });
});

describe('what is to come', () => {
  test('are the occurrences of the window after now', () => {
    const { coming, due } = lane(record('0 */6 * * *'));

    expect(hours(coming.at)).toEqual(['10T18:00', '11T00:00', '11T06:00', '11T12:00']);
    expect(due.at).toEqual([]);
  });

  test('is told as bands where there is too much of it', () => {
    const everyMinute = lane(record('* * * * *')).coming;
    const byDay = lane(record('*/5 9-17 * * *')).coming;

    expect(everyMinute.at).toEqual([]);
    expect(everyMinute.bands).toEqual([{ from: now + MINUTE, to: window.to }]);
    expect(byDay.bands.map(({ from, to }) => hours([from, to]))).toEqual([
      ['10T12:05', '10T18:05'],
      ['11T09:00', '11T12:00'],
    ]);
  });

  test('is nothing of a pause without an end, and what comes after one with an end', () => {
    const paused = { at: now - MINUTE, by: null, note: null, until: null };
    const forever = lane(record('0 * * * *', { paused }));
    const until = lane(record('0 * * * *', { paused: { ...paused, until: at('11T10:30') } }));

    expect([forever.coming.at, forever.paused]).toEqual([
      [],
      { from: now - MINUTE, to: window.to },
    ]);
    expect(hours(until.coming.at)).toEqual(['11T11:00', '11T12:00']);
    expect(until.paused).toEqual({ from: now - MINUTE, to: at('11T10:30') });
  });

  test('is due where the watermark has not come to it', () => {
    const { due, coming } = lane(record('0 * * * *', { watermark: at('10T09:30') }));

    expect(hours(due.at)).toEqual(['10T10:00', '10T11:00']);
    expect(hours(coming.at.slice(0, 1))).toEqual(['10T13:00']);
  });

  test('is nothing of a retired job, of one by hand, and of a schedule that can not be read', () => {
    const retired = lane(record('0 * * * *', { retiredAt: now }));

    for (const { coming } of [retired, lane(record(null)), lane(record('* * * * ? nonsense'))]) {
      expect(coming).toEqual({ at: [], bands: [] });
    }
  });
});

describe('an overlap ahead', () => {
  const spec = (overlap: JobRecord['spec']['overlap']) => ({ ...jobRecord().spec, overlap });

  test('is seen where the usual length reaches into the next occurrence', () => {
    const hourly = record('0 */6 * * *', { spec: spec('skip') });

    const short = lane(hourly, { typicalMs: 5 * 60 * MINUTE });
    const long = lane(hourly, { typicalMs: 7 * 60 * MINUTE });

    expect(short.overlapping).toEqual([]);
    // What is skipped takes no time, so that the one after it starts.
    expect(hours(long.overlapping)).toEqual(['11T00:00', '11T12:00']);
  });

  test('is seen ahead of bands, too', () => {
    const { coming, overlapping } = lane(record('*/5 * * * *'), { typicalMs: 6 * MINUTE });

    expect(coming.bands).toHaveLength(1);
    expect(hours(overlapping.slice(0, 2))).toEqual(['10T12:10', '10T12:20']);
  });

  test('is none where as many may run at once', () => {
    const two = record('0 */6 * * *', { spec: spec({ allow: 2 }) });

    expect(lane(two, { typicalMs: 7 * 60 * MINUTE }).overlapping).toEqual([]);
  });

  test('counts what is at work, and under queue what waits', () => {
    const active = { a: lease({ startedAt: now - MINUTE }) };
    const queued = record('0 */6 * * *', { spec: spec('queue'), active });

    const { overlapping } = lane(queued, { typicalMs: 11 * 60 * MINUTE });

    expect(hours(overlapping)).toEqual(['10T18:00', '11T00:00', '11T06:00', '11T12:00']);
  });
});

test('what is under way is told with when it should be over', () => {
  const busy = record(null, {
    active: { a: lease({ runId: 'x', scheduledAt: now - 3 * MINUTE, startedAt: now - MINUTE }) },
    retries: [
      {
        runId: 'y',
        trigger: 'schedule',
        scheduledAt: now,
        attempt: 2,
        interruptions: 0,
        notBefore: now + 5 * MINUTE,
        since: now - 9 * MINUTE,
        beside: false,
      },
    ],
    queue: [{ runId: 'z', since: now - 2 * MINUTE }],
  });

  expect(lane(busy, { typicalMs: 4 * MINUTE }).underway).toEqual([
    { id: 'x', state: 'running', from: now - MINUTE, until: now + 3 * MINUTE, lateMs: 2 * MINUTE },
    { id: 'y', state: 'retry_wait', from: now, until: now + 5 * MINUTE, lateMs: 0 },
    { id: 'z', state: 'queued', from: now - 2 * MINUTE, until: null, lateMs: 0 },
  ]);
});

describe('a job is worth a lane', () => {
  const interest = (given: JobRecord | undefined, runs: readonly Run[] = []) =>
    interestOf(seen(given), runs, window);
  const outcome = { id: 'a', state: 'succeeded', at: now - MINUTE, ms: 5 } as const;

  test('as a problem, where it failed in the window or can not be decided about', () => {
    const failed = { ...outcome, state: 'failed' } as const;

    expect(interest(record(null, { recent: [failed] }))).toBe('problem');
    expect(interest(record(null, { recent: [{ ...failed, at: window.from }] }))).toBe('none');
    expect(interest(record(null), [run({ state: 'missed' })])).toBe('problem');
    expect(interest(undefined)).toBe('problem');
  });

  test('where something ended, is under way, is to come, or was paused', () => {
    const last = { runId: 'a', state: 'succeeded', at: now - MINUTE } as const;
    const paused = { at: now - MINUTE, by: null, note: null, until: null };

    expect(interest(record(null, { last }))).toBe('some');
    expect(interest(record(null), [run({ state: 'skipped' })])).toBe('some');
    expect(interest(record(null, { active: { a: lease() } }))).toBe('some');
    expect(interest(record('0 0 * * *'))).toBe('some');
    expect(interest(record('0 0 1 1 *', { paused }))).toBe('some');
    expect(interest(record('0 0 1 1 *'))).toBe('none');
    expect(interest(record(null))).toBe('none');
  });
});
