import { describe, expect, test } from 'vitest';
import type { DayTally, Outcome } from '../../server/core/records.ts';
import type { RunState } from '../../server/core/run.ts';
import { parseSchedule } from '../../server/core/schedule.ts';
import {
  failuresOf,
  failuresSince,
  figuresOf,
  headroomOf,
  intervalOf,
  percentile,
} from '../../server/core/stats.ts';

const NOW = Date.parse('2026-03-02T12:00:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const outcome = (state: RunState, ms: number | null, at = NOW): Outcome => ({
  id: 'job@20260302T120000Z',
  state,
  at,
  ms,
});

const schedule = (text: string, timeZone = 'UTC') => {
  const parsed = parseSchedule({ schedule: text, timeZone }, 'job');
  if (!('schedule' in parsed)) throw new Error(parsed.problems[0]?.message);
  return parsed.schedule;
};

describe('a percentile', () => {
  test.each([
    [[], 50, null],
    [[7], 50, 7],
    [[7], 95, 7],
    [[1, 2], 50, 1],
    [[1, 2, 3], 50, 2],
    [[1, 2, 3, 4], 95, 4],
    [Array.from({ length: 20 }, (_, i) => i + 1), 95, 19],
    [Array.from({ length: 60 }, (_, i) => i + 1), 95, 57],
    [Array.from({ length: 60 }, (_, i) => i + 1), 50, 30],
  ])('of %j at %i is %s', (values, percent, expected) => {
    expect(percentile(values, percent)).toBe(expected);
  });
});

describe('figures', () => {
  test('count what succeeded and what went wrong, and leave out what nobody wanted to run', () => {
    const states = ['succeeded', 'failed', 'timed_out', 'lost', 'missed', 'skipped', 'cancelled'];

    const { good, bad } = figuresOf(states.map((state) => outcome(state as RunState, null)));

    expect([good, bad]).toEqual([1, 4]);
  });

  test('tell how long runs take by those that ran to an end of their own', () => {
    const recent = [
      outcome('succeeded', 30),
      outcome('failed', 10),
      outcome('timed_out', 20),
      outcome('cancelled', 5000),
      outcome('lost', 90_000),
      outcome('missed', null),
    ];

    expect(figuresOf(recent)).toMatchObject({ p50Ms: 20, p95Ms: 30 });
    expect(figuresOf([outcome('skipped', null)])).toMatchObject({ p50Ms: null, p95Ms: null });
  });
});

describe('the interval of a schedule', () => {
  test.each([
    ['* * * * *', MINUTE],
    ['*/5 * * * *', 5 * MINUTE],
    ['0 2 * * *', DAY],
    ['0,5 2 * * *', 5 * MINUTE],
    ['0 9-17 * * 1-5', HOUR],
    ['0 8 * * 1', 7 * DAY],
    ['every 90m', 90 * MINUTE],
  ])('%s is its closest gap', (text, expected) => {
    expect(intervalOf(schedule(text), NOW)).toBe(expected);
  });

  test('is an hour less where a clock is put forward on the way', () => {
    expect(intervalOf(schedule('0 2 * * *', 'Europe/London'), Date.parse('2026-03-27'))).toBe(
      DAY - HOUR,
    );
  });

  test('is none where nothing comes twice', () => {
    expect(intervalOf(schedule('at 2026-03-05T10:00'), NOW)).toBeNull();
    expect(intervalOf(schedule('at 2026-03-01T10:00'), NOW)).toBeNull();
  });
});

describe('headroom', () => {
  test('is tight from seven tenths of the interval on', () => {
    const used = (p95Ms: number) => headroomOf({ p95Ms }, 10 * MINUTE, 1);

    expect(used(7 * MINUTE - 1)).toMatchObject({ tight: false });
    expect(used(7 * MINUTE)).toMatchObject({ used: 0.7, tight: true });
    expect(used(20 * MINUTE)).toMatchObject({ used: 2, tight: true });
  });

  test('of a job that may run several times at once is as much wider', () => {
    expect(headroomOf({ p95Ms: 12 * MINUTE }, 5 * MINUTE, 3)).toMatchObject({ used: 0.8 });
  });

  test('is not spoken of where nothing was timed or nothing comes again', () => {
    expect(headroomOf({ p95Ms: null }, MINUTE, 1)).toBeNull();
    expect(headroomOf({ p95Ms: 5 }, null, 1)).toBeNull();
  });
});

describe('failures of the last day', () => {
  const since = NOW - DAY;
  const count = (recent: readonly Outcome[], days?: readonly DayTally[]) =>
    failuresSince([failuresOf({ recent, ...(days && { days }) })], since);
  const many = (state: RunState) =>
    Array.from({ length: 60 }, (_, i) => outcome(state, 5, NOW - (59 - i) * MINUTE));
  const today = Math.floor(NOW / DAY);

  test('are counted among the last outcomes, as far as these reach back', () => {
    const recent = [
      outcome('failed', 5, since),
      outcome('failed', 5, since + 1),
      outcome('missed', null, NOW - 5),
      outcome('succeeded', 5, NOW),
    ];

    expect(count(recent)).toEqual({ count: 2, atLeast: false });
    expect(count([])).toEqual({ count: 0, atLeast: false });
  });

  test('are all known also of a busy job, where no day counted more', () => {
    const fine = [{ day: today, good: 700, bad: 0, quiet: 0 }];

    expect(count(many('succeeded'), fine)).toEqual({ count: 0, atLeast: false });
  });

  test('are at least those that are known where a day counted more, or nobody counted', () => {
    const days = [
      { day: today - 9, good: 0, bad: 50, quiet: 0 },
      { day: today, good: 700, bad: 61, quiet: 0 },
    ];

    expect(count(many('failed'), days)).toEqual({ count: 60, atLeast: true });
    expect(count(many('succeeded'))).toEqual({ count: 0, atLeast: true });
  });
});
