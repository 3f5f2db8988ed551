import { describe, expect, test } from 'vitest';
import { nextAfter, occurrencesBetween } from '../../server/core/schedule.ts';
import { readSchedule } from './read-schedule.ts';

/*
 * The authority is Debian's cron 3.0pl1, by its manual pages: cron(8), the notes on changes of the
 * clock, and crontab(5), on the fields. What they promise, in our words:
 *
 * - A job at a fixed time, which a clock change of less than three hours leaves out, runs once soon
 *   after the change. One in an hour that is repeated runs the first time only.
 * - A job with a star in its minute or hour, or @hourly, goes by the new time at once: what is left
 *   out does not run, what is repeated runs again. A star counts where the field begins with it.
 * - Where day of month and day of week are both restricted, either is enough. A field that begins
 *   with a star is not restricted.
 *
 * When which zone changes its clocks is from the IANA database.
 */

const DAY_MS = 86_400_000;

/** What happens on a day of a zone's own calendar, which `Intl` tells, not the product. */
function onDay(text: string, timeZone: string, day: string): number[] {
  const noon = Date.parse(`${day}T12:00Z`);
  const calendar = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' });
  const around = { from: noon - 2 * DAY_MS, to: noon + 2 * DAY_MS };
  return occurrencesBetween(readSchedule(text, timeZone), around, 10_000).filter(
    (instant) => calendar.format(instant) === day,
  );
}

/** `03:00-04:00`: three o'clock where clocks are four hours behind UTC. */
const instants = (day: string, times: string): string[] =>
  times === '' ? [] : times.split(', ').map((time) => new Date(`${day}T${time}`).toISOString());

const iso = (instant: number): string => new Date(instant).toISOString();

type Row = readonly [zone: string, expression: string, day: string, times: string];

describe('a fixed time that is left out runs as soon as the clocks have been put forward', () => {
  const rows: Row[] = [
    // 02:00 becomes 03:00
    ['America/New_York', '30 2 * * *', '2026-03-08', '03:00-04:00'],
    ['America/New_York', '0 2 * * *', '2026-03-08', '03:00-04:00'],
    ['America/New_York', '59 2 * * *', '2026-03-08', '03:00-04:00'],
    ['America/New_York', '30 2 8 3 *', '2026-03-08', '03:00-04:00'],
    ['America/New_York', '30 2 * * sun', '2026-03-08', '03:00-04:00'],
    ['America/New_York', '30 1-3 * * *', '2026-03-08', '01:30-05:00, 03:00-04:00, 03:30-04:00'],
    // 01:00 becomes 02:00
    ['Europe/London', '30 1 * * *', '2026-03-29', '02:00+01:00'],
    ['Europe/London', '0 1 29 3 *', '2026-03-29', '02:00+01:00'],
    // 02:00 becomes 02:30
    ['Australia/Lord_Howe', '0 2 * * *', '2026-10-04', '02:30+11:00'],
    ['Australia/Lord_Howe', '15 2 * * *', '2026-10-04', '02:30+11:00'],
    // 02:45 becomes 03:45
    ['Pacific/Chatham', '45 2 * * *', '2026-09-27', '03:45+13:45'],
    ['Pacific/Chatham', '30 3 * * *', '2026-09-27', '03:45+13:45'],
    // 01:00 becomes 03:00
    ['Antarctica/Troll', '30 1 * * *', '2026-03-29', '03:00+02:00'],
    ['Antarctica/Troll', '30 2 * * *', '2026-03-29', '03:00+02:00'],
    // Midnight becomes 01:00
    ['Africa/Cairo', '@daily', '2026-04-24', '01:00+03:00'],
    ['Africa/Cairo', '30 0 * * *', '2026-04-24', '01:00+03:00'],
    ['America/Havana', '@daily', '2026-03-08', '01:00-04:00'],
    ['America/Santiago', '@daily', '2026-09-06', '01:00-03:00'],
    ['America/Santiago', '@weekly', '2026-09-06', '01:00-03:00'],
    ['Asia/Beirut', '@daily', '2026-03-29', '01:00+03:00'],
    ['America/Asuncion', '@monthly', '2023-10-01', '01:00-03:00'],
  ];

  test.for(rows)('in %s "%s" on %s: %s', ([timeZone, text, day, times]) => {
    const found = onDay(text, timeZone, day).map(iso);

    expect(found).toEqual(instants(day, times));
  });
});

describe('a fixed time beside what is left out runs as on any day', () => {
  const rows: Row[] = [
    ['America/New_York', '59 1 * * *', '2026-03-08', '01:59-05:00'],
    ['America/New_York', '0 3 * * *', '2026-03-08', '03:00-04:00'],
    ['America/New_York', '30 2 * * 1-6', '2026-03-08', ''],
    ['America/New_York', '30 2 * * *', '2026-03-09', '02:30-04:00'],
    ['Australia/Lord_Howe', '45 1 * * *', '2026-10-04', '01:45+10:30'],
    ['Australia/Lord_Howe', '30 2 * * *', '2026-10-04', '02:30+11:00'],
    ['Pacific/Chatham', '30 2 * * *', '2026-09-27', '02:30+12:45'],
    ['America/Santiago', '30 23 * * *', '2026-09-05', '23:30-04:00'],
  ];

  test.for(rows)('in %s "%s" on %s: %s', ([timeZone, text, day, times]) => {
    const found = onDay(text, timeZone, day).map(iso);

    expect(found).toEqual(instants(day, times));
  });
});

describe('a fixed time that is shown twice runs the first time only', () => {
  const rows: Row[] = [
    // 02:00 becomes 01:00
    ['America/New_York', '30 1 * * *', '2026-11-01', '01:30-04:00'],
    ['America/New_York', '0 1 * * *', '2026-11-01', '01:00-04:00'],
    ['America/New_York', '59 1 1 11 *', '2026-11-01', '01:59-04:00'],
    ['America/New_York', '0 2 * * *', '2026-11-01', '02:00-05:00'],
    ['America/New_York', '30 0-2 * * *', '2026-11-01', '00:30-04:00, 01:30-04:00, 02:30-05:00'],
    ['Europe/London', '30 1 * * *', '2026-10-25', '01:30+01:00'],
    // 02:00 becomes 01:30
    ['Australia/Lord_Howe', '15 1 * * *', '2026-04-05', '01:15+11:00'],
    ['Australia/Lord_Howe', '30 1 * * *', '2026-04-05', '01:30+11:00'],
    ['Australia/Lord_Howe', '45 1 * * *', '2026-04-05', '01:45+11:00'],
    ['Australia/Lord_Howe', '0 2 * * *', '2026-04-05', '02:00+10:30'],
    // 03:45 becomes 02:45
    ['Pacific/Chatham', '0 3 * * *', '2026-04-05', '03:00+13:45'],
    // 03:00 becomes 01:00
    ['Antarctica/Troll', '0 1,2,3 * * *', '2026-10-25', '01:00+02:00, 02:00+02:00, 03:00+00:00'],
    // 01:00 becomes midnight
    ['America/Havana', '@daily', '2026-11-01', '00:00-04:00'],
    // Midnight becomes 23:00 of the day before
    ['Africa/Cairo', '30 23 * * *', '2026-10-29', '23:30+03:00'],
    ['Africa/Cairo', '@daily', '2026-10-30', '00:00+02:00'],
    ['America/Santiago', '30 23 * * *', '2026-04-04', '23:30-03:00'],
    ['America/Santiago', '@daily', '2026-04-05', '00:00-04:00'],
  ];

  test.for(rows)('in %s "%s" on %s: %s', ([timeZone, text, day, times]) => {
    const found = onDay(text, timeZone, day).map(iso);

    expect(found).toEqual(instants(day, times));
  });
});

describe('in the second of two hours that are shown alike, what ran in the first is over', () => {
  test.each([
    ['America/New_York', '30 1 * * *', '2026-11-01T01:10-05:00', '2026-11-02T01:30-05:00'],
    ['Europe/London', '59 1 25 10 *', '2026-10-25T01:00+00:00', '2027-10-25T01:59+01:00'],
    ['Australia/Lord_Howe', '45 1 * * *', '2026-04-05T01:40+10:30', '2026-04-06T01:45+10:30'],
    ['America/Havana', '@daily', '2026-11-01T00:00-05:00', '2026-11-02T00:00-05:00'],
    ['Antarctica/Troll', '30 1 * * *', '2026-10-25T01:29+00:00', '2026-10-26T01:30+00:00'],
    ['America/Santiago', '30 23 * * *', '2026-04-04T23:00-04:00', '2026-04-05T23:30-04:00'],
    ['America/New_York', '*/30 1 * * *', '2026-11-01T01:10-05:00', '2026-11-01T01:30-05:00'],
  ])('in %s "%s" after %s comes next at %s', (timeZone, text, after, expected) => {
    const found = nextAfter(readSchedule(text, timeZone), Date.parse(after));

    expect(iso(found ?? NaN)).toBe(iso(Date.parse(expected)));
  });
});

describe('with a star in minute or hour, what is left out does not run', () => {
  const rows: Row[] = [
    ['America/New_York', '*/30 2 * * *', '2026-03-08', ''],
    ['America/New_York', '* 2 * * *', '2026-03-08', ''],
    ['America/New_York', '*/30 2,3 * * *', '2026-03-08', '03:00-04:00, 03:30-04:00'],
    ['America/New_York', '30 */2 8 3 *', '2026-03-08', hours('30', [0, 4, 6, 8, 10, 12])],
    ['Australia/Lord_Howe', '*/15 2 * * *', '2026-10-04', '02:30+11:00, 02:45+11:00'],
    ['Australia/Lord_Howe', '*/20 2 * * *', '2026-10-04', '02:40+11:00'],
    ['America/Santiago', '*/30 0,1 * * *', '2026-09-06', '01:00-03:00, 01:30-03:00'],
  ];

  /** In New York on 8 March 2026; the second half of the day is like any other. */
  function hours(minute: string, names: number[]): string {
    const of = (hour: number): string =>
      `${`${hour}`.padStart(2, '0')}:${minute}-0${hour < 2 ? 5 : 4}:00`;
    return [...names, 14, 16, 18, 20, 22].map(of).join(', ');
  }

  test.for(rows)('in %s "%s" on %s: %s', ([timeZone, text, day, times]) => {
    const found = onDay(text, timeZone, day).map(iso);

    expect(found).toEqual(instants(day, times));
  });
});

describe('with a star in minute or hour, what is shown twice runs twice', () => {
  const twice = '01:00-04:00, 01:30-04:00, 01:00-05:00, 01:30-05:00';
  const rows: Row[] = [
    ['America/New_York', '*/30 1 * * *', '2026-11-01', twice],
    [
      'Europe/London',
      '*/30 1 25 10 *',
      '2026-10-25',
      twice.replace(/-04/g, '+01').replace(/-05/g, '+00'),
    ],
    ['Australia/Lord_Howe', '*/30 1 * * *', '2026-04-05', '01:00+11:00, 01:30+11:00, 01:30+10:30'],
    [
      'America/Santiago',
      '*/30 23 4 4 *',
      '2026-04-04',
      '23:00-03:00, 23:30-03:00, 23:00-04:00, 23:30-04:00',
    ],
  ];

  test.for(rows)('in %s "%s" on %s: %s', ([timeZone, text, day, times]) => {
    const found = onDay(text, timeZone, day).map(iso);

    expect(found).toEqual(instants(day, times));
  });
});

describe('only a star that a field begins with makes a job follow real time', () => {
  const rows: Row[] = [
    ['America/New_York', '0-59/30 1 * * *', '2026-11-01', '01:00-04:00, 01:30-04:00'],
    ['America/New_York', '30,*/30 1 * * *', '2026-11-01', '01:00-04:00, 01:30-04:00'],
    [
      'America/New_York',
      '*/30,30 1 * * *',
      '2026-11-01',
      '01:00-04:00, 01:30-04:00, 01:00-05:00, 01:30-05:00',
    ],
    ['America/New_York', '30 0-23/2 * * sun', '2026-03-08', fixedHours()],
    ['America/New_York', '30 1 * 11 *', '2026-11-01', '01:30-04:00'],
  ];

  /** Half past each second hour, but for half past two. */
  function fixedHours(): string {
    const later = [4, 6, 8, 10, 12, 14, 16, 18, 20, 22].map((hour) => `${hour}`.padStart(2, '0'));
    return ['00:30-05:00', '03:00-04:00', ...later.map((hour) => `${hour}:30-04:00`)].join(', ');
  }

  test.for(rows)('in %s "%s" on %s: %s', ([timeZone, text, day, times]) => {
    const found = onDay(text, timeZone, day).map(iso);

    expect(found).toEqual(instants(day, times));
  });
});

test.for([
  ['America/New_York', '2026-03-08', 23],
  ['America/New_York', '2026-11-01', 25],
  ['America/Santiago', '2026-09-06', 23],
  ['America/Santiago', '2026-04-04', 25],
  ['Antarctica/Troll', '2026-03-29', 22],
  ['Antarctica/Troll', '2026-10-25', 26],
] as const)('@hourly in %s on %s runs each hour of real time: %i times', ([zone, day, times]) => {
  const found = onDay('@hourly', zone, day);

  expect(found).toHaveLength(times);
  expect(found.slice(1).map((instant, i) => instant - (found[i] ?? 0))).toEqual(
    Array.from({ length: times - 1 }, () => 3_600_000),
  );
});

test('@hourly on Lord Howe runs at the full hours of its clock, which are once 90 minutes apart', () => {
  const found = onDay('@hourly', 'Australia/Lord_Howe', '2026-10-04').map(iso);

  expect(found.slice(0, 4)).toEqual(
    instants('2026-10-04', '00:00+10:30, 01:00+10:30, 03:00+11:00, 04:00+11:00'),
  );
});

// Debian starts a process for each time that was left out; an occurrence of ours is an instant. And
// Debian takes a change of more than three hours for a correction of the clock.
describe('unlike Debian, what comes to one instant runs once, after whatever change', () => {
  const rows: Row[] = [
    // Two times of one job that are left out, and come to one instant
    ['America/New_York', '0,30 2 * * *', '2026-03-08', '03:00-04:00'],
    // A whole day that was left out, by moving across the date line
    ['Pacific/Apia', '0 12 * * *', '2011-12-31', '00:00+14:00, 12:00+14:00'],
  ];

  test.for(rows)('in %s "%s" on %s: %s', ([timeZone, text, day, times]) => {
    const found = onDay(text, timeZone, day).map(iso);

    expect(found).toEqual(instants(day, times));
  });
});

/** The dates on which something happens in May 2026, a month of 31 days, and the first day's times. */
function inMay(text: string): { dates: number[]; times: string[] } {
  const from = Date.UTC(2026, 4) - 1;
  const found = occurrencesBetween(readSchedule(text), { from, to: from + 31 * DAY_MS }, 10_000);
  const times = found.map((instant) => new Date(instant));
  const [first] = times;
  return {
    dates: [...new Set(times.map((time) => time.getUTCDate()))],
    times: times
      .filter((time) => time.getUTCDate() === first?.getUTCDate())
      .map((time) => time.toISOString().slice(11, 16)),
  };
}

const EVERY_DAY = Array.from({ length: 31 }, (_, i) => i + 1);
// It begins on a Friday.
const WORKING_DAYS = EVERY_DAY.filter((date) => date % 7 !== 2 && date % 7 !== 3);

describe('the examples of crontab(5) mean what it says they mean', () => {
  test.each([
    ['5 0 * * *', '00:05', EVERY_DAY],
    ['15 14 1 * *', '14:15', [1]],
    ['0 22 * * 1-5', '22:00', WORKING_DAYS],
    ['5 4 * * sun', '04:05', [3, 10, 17, 24, 31]],
    ['0 4 8-14 * *', '04:00', [8, 9, 10, 11, 12, 13, 14]],
    // Either day is enough: two dates, and each Friday.
    ['30 4 1,15 * 5', '04:30', [1, 8, 15, 22, 29]],
    ['30 4 2,16 * 5', '04:30', [1, 2, 8, 15, 16, 22, 29]],
    // A range holds both its ends, and may stand in a list.
    ['0 8-11 * * *', '08:00 09:00 10:00 11:00', EVERY_DAY],
    ['0 1,2,5,9 * * *', '01:00 02:00 05:00 09:00', EVERY_DAY],
    ['0 0-2,8-10 * * *', '00:00 01:00 02:00 08:00 09:00 10:00', EVERY_DAY],
    // Every second, and every third, of a range
    ['23 0-8/2 * * *', '00:23 02:23 04:23 06:23 08:23', EVERY_DAY],
    ['0-10/3 6 * * *', '06:00 06:03 06:06 06:09', EVERY_DAY],
  ])('%s in May 2026 runs at %s', (text, times, dates) => {
    const found = inMay(text);

    expect(found).toEqual({ dates, times: times.split(' ') });
  });
});

describe('a day field that begins with a star, even with a step, is no restriction', () => {
  test.each([
    ['0 0 */2 * 5', [1, 15, 29]],
    ['0 0 1-31/2 * 5', [1, 3, 5, 7, 8, 9, 11, 13, 15, 17, 19, 21, 22, 23, 25, 27, 29, 31]],
    ['0 0 13 * */5', []],
    ['0 0 15 * */5', [15]],
    ['0 0 * * 5', [1, 8, 15, 22, 29]],
    ['0 0 13 * *', [13]],
  ])('%s in May 2026 runs on %j', (text, dates) => {
    const found = inMay(text);

    expect(found.dates).toEqual(dates);
  });
});

describe('what crontab(5) calls the same is the same', () => {
  test.each([
    ['0 */2 * * *', '0 0,2,4,6,8,10,12,14,16,18,20,22 * * *'],
    ['0 0-23/2 * * *', '0 0,2,4,6,8,10,12,14,16,18,20,22 * * *'],
    ['0 0 * * 0', '0 0 * * 7'],
    ['0 0 * * sun', '0 0 * * 0'],
    ['0 0 * * SUN', '0 0 * * Sun'],
    ['0 0 1 jan *', '0 0 1 1 *'],
    ['0 0 1 Dec *', '0 0 1 12 *'],
    ['@yearly', '0 0 1 1 *'],
    ['@annually', '0 0 1 1 *'],
    ['@monthly', '0 0 1 * *'],
    ['@weekly', '0 0 * * 0'],
    ['@daily', '0 0 * * *'],
    ['@midnight', '0 0 * * *'],
    ['@hourly', '0 * * * *'],
    ['\t0   2 * *  * ', '0 2 * * *'],
  ])('%j is "%s"', (text, same) => {
    const twoYears = { from: Date.UTC(2026, 0), to: Date.UTC(2028, 0) };

    const [found, expected] = [text, same].map((one) =>
      occurrencesBetween(readSchedule(one), twoYears, 20_000),
    );

    expect(found).toEqual(expected);
  });
});

test('ranges and lists of names, which Debian refuses, mean what they say', () => {
  const found = [inMay('0 0 * * mon-wed').dates, inMay('0 0 * jan,MAY mon,3').dates];

  expect(found).toEqual([
    [4, 5, 6, 11, 12, 13, 18, 19, 20, 25, 26, 27],
    [4, 6, 11, 13, 18, 20, 25, 27],
  ]);
});
