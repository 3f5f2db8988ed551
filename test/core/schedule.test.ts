import { describe, expect, test } from 'vitest';
import type { WallSchedule } from '../../server/core/calendar.ts';
import {
  countBetween,
  newestBetween,
  nextAfter,
  occurrencesBetween,
  parseSchedule,
  previousBefore,
} from '../../server/core/schedule.ts';
import type { Schedule, ScheduleProblem } from '../../server/core/schedule.ts';
import { readSchedule } from './read-schedule.ts';

const at = (iso: string): number => Date.parse(iso.length === 10 ? `${iso}T00:00Z` : iso);
const iso = (instant: number): string => new Date(instant).toISOString().slice(0, 16);

const read = (text: string, name?: string): Schedule => readSchedule(text, 'UTC', name);

function wallOf({ rules: [rule] }: Schedule): WallSchedule {
  if (rule?.kind !== 'cron') throw new Error('not cron text');
  return rule.wall;
}

function problems(schedule: string, timeZone = 'UTC'): ScheduleProblem[] {
  const parsed = parseSchedule({ schedule, timeZone }, 'nightly-report');
  return 'problems' in parsed ? parsed.problems : [];
}

describe('the next occurrences after an instant are found across months and years', () => {
  test.each([
    ['* * * * *', '2027-01-01T00:00Z', ['2027-01-01T00:01', '2027-01-01T00:02']],
    ['* * * * *', '2027-01-01T00:00:59.999Z', ['2027-01-01T00:01', '2027-01-01T00:02']],
    ['0 2 * * *', '2027-12-31T01:59:59.999Z', ['2027-12-31T02:00', '2028-01-01T02:00']],
    ['5/20 */12 * * *', '2027-01-01', ['2027-01-01T00:05', '2027-01-01T00:25', '2027-01-01T00:45']],
    ['0 9 * * mon-fri', '2027-01-01', ['2027-01-01T09:00', '2027-01-04T09:00']],
    ['0 0 * * 7', '2027-01-01', ['2027-01-03T00:00', '2027-01-10T00:00']],
    ['0 0 * * sat,0', '2027-01-01', ['2027-01-02T00:00', '2027-01-03T00:00', '2027-01-09T00:00']],
    ['0 0 31 * *', '2027-01-01', ['2027-01-31T00:00', '2027-03-31T00:00', '2027-05-31T00:00']],
    ['0 0 L * *', '2028-01-01', ['2028-01-31T00:00', '2028-02-29T00:00', '2028-03-31T00:00']],
    ['0 0 15,L 2 *', '2027-01-01', ['2027-02-15T00:00', '2027-02-28T00:00', '2028-02-15T00:00']],
    ['0 0 * * 5L', '2027-01-01', ['2027-01-29T00:00', '2027-02-26T00:00', '2027-03-26T00:00']],
    ['0 0 * * 1#2', '2027-01-01', ['2027-01-11T00:00', '2027-02-08T00:00', '2027-03-08T00:00']],
    ['0 0 * * 5#1,5#3', '2027-01-01', ['2027-01-15T00:00', '2027-02-05T00:00']],
    ['0 0 * * 0#5', '2027-02-01', ['2027-05-30T00:00', '2027-08-29T00:00']],
    ['0 0 29 2 *', '2027-01-01', ['2028-02-29T00:00', '2032-02-29T00:00']],
    ['0 0 29 2 *', '2096-01-01', ['2096-02-29T00:00', '2104-02-29T00:00']],
    ['0 0 29 2 */7', '2088-01-01', ['2088-02-29T00:00', '2128-02-29T00:00']],
    ['@yearly', '1899-06-01', ['1900-01-01T00:00', '1901-01-01T00:00']],
    ['0 0 L 2 *', '1899-06-01', ['1900-02-28T00:00', '1901-02-28T00:00']],
    ['59 23 * * *', '1969-12-30T23:58:59.999Z', ['1969-12-30T23:59', '1969-12-31T23:59']],
    ['0 0 * * *', '0099-12-30', ['0099-12-31T00:00', '0100-01-01T00:00']],
  ])('%s after %s: %j', (text, after, expected) => {
    const schedule = read(text);

    const found = occurrencesBetween(schedule, { from: at(after), to: Infinity }, expected.length);

    expect(found.map(iso)).toEqual(expected);
  });
});

// The authority is Vixie cron (crontab(5)): "if both fields are restricted (don't start with *)".
describe('restricted dates and weekdays are alternatives; a star restricts nothing', () => {
  test.each([
    ['0 0 10 1 1', [4, 10, 11, 18, 25]],
    ['0 0 10 1 *', [10]],
    ['0 0 * 1 1', [4, 11, 18, 25]],
    ['0 0 ? 1 1', [4, 11, 18, 25]],
    ['0 0 10 1 ?', [10]],
    ['0 0 */10 1 1', [11]],
    ['0 0 */2 1 1', [11, 25]],
    ['0 0 1-11 1 */2', [2, 3, 5, 7, 9, 10]],
    ['0 0 1-11 1 */7', [3, 10]],
    ['0 0 *,10 1 1', [4, 11, 18, 25]],
    ['0 0 1-31/10 1 1', [1, 4, 11, 18, 21, 25, 31]],
    ['0 0 L 1 5L', [29, 31]],
    ['0 0 10 1 1#2', [10, 11]],
  ])('%s in January 2027: %j', (text, expected) => {
    const schedule = read(text);

    const span = { from: at('2026-12-31T23:59Z'), to: at('2027-01-31T23:59Z') };
    const found = occurrencesBetween(schedule, span, 100);

    expect(found.map((instant) => new Date(instant).getUTCDate())).toEqual(expected);
  });
});

describe('spans are half-open: (from, to]', () => {
  const hourly = read('0 * * * *');
  const span = { from: at('2027-01-01T00:00Z'), to: at('2027-01-01T04:00Z') };

  test('a limit keeps the oldest or the newest, and both come oldest first', () => {
    const found = [occurrencesBetween(hourly, span, 2), newestBetween(hourly, span, 2)];

    const hours = found.map((instants) =>
      instants.map((instant) => new Date(instant).getUTCHours()),
    );
    expect(hours).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test.each([
    [3, { count: 3, atLeast: true }],
    [4, { count: 4, atLeast: false }],
    [5, { count: 4, atLeast: false }],
    [0, { count: 0, atLeast: true }],
  ])('counting to %i of four occurrences gives %j', (limit, expected) => {
    const count = countBetween(hourly, span, limit);

    expect(count).toEqual(expected);
  });

  test('an empty or reversed span holds nothing', () => {
    const spans = [span.to, span.from].map((to) => ({ from: span.to, to }));

    const found = spans.flatMap((none) => [
      ...occurrencesBetween(hourly, none, 9),
      ...newestBetween(hourly, none, 9),
      ...(countBetween(hourly, none, 9).count > 0 ? ['counted'] : []),
    ]);

    expect(found).toEqual([]);
  });
});

test('where Date ends there is no next occurrence, and before it begins no previous one', () => {
  const schedule = read('* * * * *');

  const found = [8.64e15, Infinity, NaN].flatMap((instant) => [
    nextAfter(schedule, instant),
    previousBefore(schedule, -instant),
  ]);

  expect(found).toEqual(Array.from({ length: 6 }, () => undefined));
});

describe('what cannot be is refused, under its setting', () => {
  const neverBoth = 'never comes: no day named is both the day of month and the day of week';

  test.each([
    ['0 0 30 2 *', 'never comes: no month named has a day 30'],
    ['0 0 30,31 feb *', 'never comes: no month named has a day 30 or 31'],
    ['0 0 31 4,6,9,11 *', 'never comes: no month named has a day 31'],
    ['0 0 31 4 */2', 'never comes: no month named has a day 31'],
    ['0 0 */31 * 1#2', neverBoth],
    ['0 0 */30 2 1L', neverBoth],
    [
      '5 *',
      'expected five fields (minute hour day-of-month month day-of-week), or six with the second ' +
        'first, got 2: day-of-month, month and day-of-week are missing',
    ],
  ])('%s: %s', (text, message) => {
    const found = problems(text);

    expect(found).toEqual([{ field: 'schedule', message }]);
  });

  test('what comes at some time is accepted, and Etc/UTC is UTC', () => {
    const texts = ['0 0 31 4 1', '0 0 29,30 2 *', '0 0 31 4,5 *', '0 0 31,L 2 *', '0 0 29 2 */7'];

    const found = texts.flatMap((text) => problems(text, 'Etc/UTC'));

    expect(found).toEqual([]);
  });

  test.each([
    ['Mars/Olympus', 'time zone "Mars/Olympus" is not an IANA name, such as "Europe/London"'],
    ['+02:00', 'time zone "+02:00" is not an IANA name, such as "Europe/London"'],
    ['', 'time zone "" is not an IANA name, such as "Europe/London"'],
    // Names of ICU's own: Dhaka to it, where a person means London.
    ['BST', 'time zone "BST" is not an IANA name, such as "Europe/London"'],
    ['ist', 'time zone "ist" is not an IANA name, such as "Europe/London"'],
    ['PST', 'time zone "PST" is not an IANA name, such as "Europe/London"'],
    ['SystemV/PST8PDT', 'time zone "SystemV/PST8PDT" is not an IANA name, such as "Europe/London"'],
  ])('the time zone %j: %s', (timeZone, message) => {
    const found = problems('0 2 * * *', timeZone);

    expect(found).toEqual([{ field: 'timeZone', message }]);
  });

  test('the short names that are the IANA’s are known', () => {
    const zones = ['CET', 'EST', 'gmt', 'UTC', 'EST5EDT', 'US/Eastern', 'Etc/GMT-14'];

    const found = zones.flatMap((zone) => problems('0 2 * * *', zone));

    expect(found).toEqual([]);
  });

  test('a text that is too long is refused, and a long one is quoted in part', () => {
    const long = `${'0 2 * * *; '.repeat(1000)}0 2 * * *`;
    const wrong = `0 2 * * *; 61 ${'1,'.repeat(100)}1 * * *`;

    const found = [problems(long), problems(wrong)].map(([first]) => first?.message ?? '');

    expect(found[0]).toBe('11009 characters are too many: at most 8000 make a schedule');
    expect(found[1]?.length).toBeLessThan(200);
  });

  test('two rules that are the same are one', () => {
    expect(read('0 2 * * *; 0 3 * * *; 0 2 * * *').text).toBe('0 2 * * *; 0 3 * * *');
  });

  test('problems of text and zone are reported together', () => {
    const found = problems('61 24 * * *', 'Mars/Olympus');

    expect(found.map(({ field }) => field)).toEqual(['schedule', 'schedule', 'timeZone']);
  });
});

describe('H is a number drawn from the name of the job', () => {
  // Deployed jobs keep their times only as long as these stay as they are.
  test.each([
    ['nightly-report', 'H H H H H', '34 13 3 7 6'],
    ['nightly-report', 'H/15 H(0-6) H/7 * *', '4-59/15 4 3-28/7 * *'],
    ['send-invoices', 'H H * * H', '56 10 * * 2'],
    ['send-invoices', 'H/30,H(10-20)/2,59 0 * * mon', '26-59/30,10-20/2,59 0 * * MON'],
  ])('for %s, %s is %s', (name, text, expected) => {
    const schedule = read(text, name);

    expect(schedule.text).toBe(expected);
  });

  const names = Array.from({ length: 500 }, (_, i) => `job-${i}`);
  const spread = (values: number[], size: number): number[] =>
    Array.from({ length: size }, (_, i) => values.filter((value) => value === i).length);

  test('many jobs are spread over the hour and the week', () => {
    const schedules = names.map((name) => read('H 0 * * H', name));

    const minutes = spread(
      schedules.map((schedule) => wallOf(schedule).minutes[0]!),
      60,
    );
    const weekdays = spread(
      schedules.map((schedule) => wallOf(schedule).days.weekdays[0]!),
      7,
    );
    expect(Math.min(...minutes)).toBeGreaterThan(0);
    expect(Math.max(...minutes)).toBeLessThan(25);
    expect(Math.max(...weekdays)).toBeLessThan(2 * Math.min(...weekdays));
  });

  test('minutes do not go with hours: as many jobs are spread over the day', () => {
    const times = names.map((name) => read('H H * * *', name).text);

    expect(new Set(times).size).toBeGreaterThan(400);
  });

  test('no month is left out', () => {
    const dates = names.map((name) => wallOf(read('0 0 H * *', name)).days.dates[0]!);

    expect([Math.min(...dates), Math.max(...dates)]).toEqual([1, 28]);
  });

  test('an empty name draws the same numbers each time', () => {
    const first = read('H H * * *', '');
    for (let i = 0; i <= 1000; i += 1) read('0 0 * * *', `makes-the-cache-forget-${i}`);

    const second = read('H H * * *', '');

    expect(second).toEqual(first);
  });

  test('what H became can be read as cron text, and means the same', () => {
    const text = 'H/20,H(5-9) H/5 H/9 H/4 H(0-7)/2';

    for (const name of names.slice(0, 100)) {
      const schedule = read(text, name);
      expect(read(schedule.text, 'another')).toEqual(schedule);
    }
  });
});

test('reading the same schedule again is a look-up', () => {
  const first = read('7 7 7 7 *');

  const second = read('7 7 7 7 *');

  expect(second).toBe(first);
});
