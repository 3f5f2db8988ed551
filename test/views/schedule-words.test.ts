import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseSchedule } from '../../server/core/schedule.ts';
import { scheduleWords } from '../../views/schedule-words.ts';

const words = (text: string | null): string => scheduleWords(text, 'UTC', 'nightly-report');

describe('a schedule is worded with a 24-hour clock', () => {
  test.each([
    [null, 'only by hand'],
    ['0 2 * * *', 'At 02:00'],
    ['30 14 * * *', 'At 14:30'],
    ['* * * * *', 'Every minute'],
    ['*/15 9-17 * * 1-5', 'Every 15 minutes, between 09:00 and 17:59, Monday through Friday'],
    ['0 9 * * mon,Wed', 'At 09:00, only on Monday and Wednesday'],
    ['0 0 29 2 *', 'At 00:00, on day 29 of the month, only in February'],
    ['0 0 L * ?', 'At 00:00, on the last day of the month'],
    ['0 0 * * 5L', 'At 00:00, on the last Friday of the month'],
    ['0 0 * * 1#2', 'At 00:00, on the second Monday of the month'],
    ['@hourly', 'Every hour'],
    ['@daily', 'At 00:00'],
    ['@Weekly', 'At 00:00, only on Sunday'],
    ['@monthly', 'At 00:00, on day 1 of the month'],
    ['@yearly', 'At 00:00, on day 1 of the month, only in January'],
  ])('%s: %s', (text, expected) => {
    const found = words(text);

    expect(found).toBe(expected);
  });
});

describe('H is worded as the number it is for the job', () => {
  test.each([
    ['H H * * *', 'At 13:34'],
    ['H/30 * * * *', 'At 4 and 34 minutes past the hour'],
    ['H/15 * * * *', 'At 4, 19, 34, and 49 minutes past the hour'],
    ['0 2 * * H', 'At 02:00, only on Saturday'],
  ])('%s: %s', (text, expected) => {
    const found = words(text);

    expect(found).toBe(expected);
  });
});

describe('a date and a weekday are joined as cron joins them', () => {
  test.each([
    ['0 2 1 * 1', 'At 02:00, on day 1 of the month or on Monday'],
    ['0 2 1,15 * 1-5', 'At 02:00, on day 1 and 15 of the month or Monday through Friday'],
    ['0 2 1-7 3 mon', 'At 02:00, between day 1 and 7 of the month or on Monday, only in March'],
    ['0 2 L * 5L', 'At 02:00, on the last day of the month or on the last Friday of the month'],
    ['*/5 * 13 * 5', 'Every 5 minutes, on day 13 of the month or on Friday'],
    ['0 2 */2 * 1', 'At 02:00, every 2 days in a month, only on Monday'],
    ['0 2 *,9 * 1', 'At 02:00, only on Monday'],
  ])('%s: %s', (text, expected) => {
    const found = words(text);

    expect(found).toBe(expected);
  });
});

describe('a step that does not go up evenly is worded by what it names', () => {
  test.each([
    ['*/45 * * * *', 'At 0 and 45 minutes past the hour'],
    ['0 */7 * * *', 'At 00:00, 07:00, 14:00 and 21:00'],
    ['0 0 1 */5 *', 'At 00:00, on day 1 of the month, only in January, June, and November'],
    ['0 2 * * */2', 'At 02:00, only on Sunday, Tuesday, Thursday, and Saturday'],
    ['0 2 * * 5/1', 'At 02:00, only on Sunday, Friday, and Saturday'],
    ['0 2 * * */7', 'At 02:00, only on Sunday'],
    ['0 2 * * */1', 'At 02:00'],
    ['*/20 */6 * * *', 'Every 20 minutes, every 6 hours'],
  ])('%s: %s', (text, expected) => {
    const found = words(text);

    expect(found).toBe(expected);
  });
});

describe('a few times of day are told one by one', () => {
  test.each([
    ['0,30 2 * * *', 'At 02:00 and 02:30'],
    ['*/15 2 * * *', 'At 02:00, 02:15, 02:30 and 02:45'],
    ['15,45 1-3 * * *', 'At 01:15, 01:45, 02:15, 02:45, 03:15 and 03:45'],
    ['0,30 9 * * 1-5', 'At 09:00 and 09:30, Monday through Friday'],
    ['0,30 9 1 * 5', 'At 09:00 and 09:30, on day 1 of the month or on Friday'],
    ['H/15 H(0-6) * * *', 'At 04:04, 04:19, 04:34 and 04:49'],
    ['05 007 01 * *', 'At 07:05, on day 1 of the month'],
    // More than six would be a long list.
    ['0-6 2 * * *', 'Every minute between 02:00 and 02:06'],
    ['*/10 2,3 * * *', 'Every 10 minutes, at 02:00 and 03:00'],
  ])('%s: %s', (text, expected) => {
    const found = words(text);

    expect(found).toBe(expected);
  });
});

describe('seconds are told where there are any', () => {
  test.each([
    ['* * * * * *', 'Every second'],
    ['*/10 * * * * *', 'Every 10 seconds'],
    ['*/45 * * * * *', 'At 0 and 45 seconds past the minute'],
    ['0 * * * * *', 'Every minute'],
    ['30 * * * * *', 'At 30 seconds past the minute'],
    ['0 30 9 * * 1-5', 'At 09:30, Monday through Friday'],
    ['15 30 9 * * *', 'At 09:30:15'],
    ['0,30 0 2 * * *', 'At 02:00:00 and 02:00:30'],
    ['5/20 0 0 * * *', 'At 00:00:05, 00:00:25 and 00:00:45'],
    ['H H H * * *', 'At 13:34:40'],
  ])('%s: %s', (text, expected) => {
    const found = words(text);

    expect(found).toBe(expected);
  });
});

describe('several rules are told one after the other', () => {
  test.each([
    ['0 9 * * 1-5; 0 12 * * 6', 'At 09:00, Monday through Friday; at 12:00, only on Saturday'],
    ['@hourly;*/5 9 * * *', 'Every hour; every 5 minutes, between 09:00 and 09:59'],
    ['0 9 1 * 1; H 3 * * *', 'At 09:00, on day 1 of the month or on Monday; at 03:34'],
  ])('%s: %s', (text, expected) => {
    const found = words(text);

    expect(found).toBe(expected);
  });
});

describe('a period is told in its units, and whole days begin at midnight in UTC', () => {
  test.each([
    ['every 1s', 'Every second'],
    ['every 60s', 'Every minute'],
    ['every 90s', 'Every 1 minute 30 seconds'],
    ['every 15m', 'Every 15 minutes'],
    ['every 1h', 'Every hour'],
    ['every 1.5h', 'Every 1 hour 30 minutes'],
    ['every 36h', 'Every 1 day 12 hours'],
    ['EVERY 24h', 'Every day, at 00:00 UTC'],
    ['every 7d', 'Every 7 days, at 00:00 UTC'],
    ['every 3661s', 'Every 1 hour 1 minute 1 second'],
  ])('%s: %s', (text, expected) => {
    const found = words(text);

    expect(found).toBe(expected);
  });
});

describe('a date is told as the clock of its zone will show it', () => {
  test.each([
    ['at 2027-03-01T18:00', 'UTC', 'Once, on 1 March 2027 at 18:00'],
    ['at 2027-03-01 18:00:30', 'UTC', 'Once, on 1 March 2027 at 18:00:30'],
    ['at 2027-03-01T18:00', 'America/New_York', 'Once, on 1 March 2027 at 18:00'],
    ['at 2027-03-01T18:00Z', 'America/New_York', 'Once, on 1 March 2027 at 13:00'],
    ['at 2027-03-01T18:00+13:45', 'Asia/Tokyo', 'Once, on 1 March 2027 at 13:15'],
    // A time that does not exist: when it runs, not when it was meant to.
    ['at 2026-03-08T02:30', 'America/New_York', 'Once, on 8 March 2026 at 03:00'],
  ])('%s in %s: %s', (text, timeZone, expected) => {
    const found = scheduleWords(text, timeZone, 'nightly-report');

    expect(found).toBe(expected);
  });
});

describe('where the library would be wrong, the words are right', () => {
  test.each([
    // It takes every Friday for one that is counted, too: "the second Monday and Friday".
    ['0 2 * * 1#2,5', 'At 02:00, only on Friday and on the second Monday of the month'],
    ['0 2 * * 1-4,5#2', 'At 02:00, Monday through Thursday and on the second Friday of the month'],
    [
      '0 2 1 * 5L,1#1',
      'At 02:00, on day 1 of the month or on the first Monday of the month and on the last ' +
        'Friday of the month',
    ],
    // It says "or" and nothing behind it of a field that names each day.
    ['0 2 13 * 0-6', 'At 02:00'],
    ['0 2 1-31 * 5', 'At 02:00'],
    ['0 2 13,* * 5', 'At 02:00'],
    // It says "on day the last day and 15".
    ['0 2 L,15 * *', 'At 02:00, on day 15 and the last day of the month'],
    ['0 2 L,1-7 * *', 'At 02:00, on day 1 through 7 and the last day of the month'],
    // It says "every 10 days", though the 31st is followed by the 1st.
    ['0 2 */10 * *', 'At 02:00, on day 1, 11, 21, and 31 of the month'],
    ['0 2 */31 * *', 'At 02:00, on day 1 of the month'],
    ['0 2 5/10 * *', 'At 02:00, on day 5, 15, and 25 of the month'],
    ['0 2 */20,L * *', 'At 02:00, on day 1, 21, and the last day of the month'],
    // It says "every 25 minutes and every 30 minutes", and of a day that it has heard before.
    ['*/25,*/30 * * * *', 'At 0, 25, 30, and 50 minutes past the hour'],
    ['0 2 * * 7,0', 'At 02:00, only on Sunday'],
    ['0 2 * * 7#2,sun#2', 'At 02:00, on the second Sunday of the month'],
    // It throws at 07.
    ['0 2 * * 07', 'At 02:00, only on Sunday'],
  ])('%s: %s', (text, expected) => {
    const found = words(text);

    expect(found).toBe(expected);
  });
});

test('text with problems, or in a time zone that is not supported, is shown as it is', () => {
  const shown = [
    words('0 25 * * *'),
    words(''),
    scheduleWords('0 2 * * *', 'Mars/Olympus', 'nightly-report'),
  ];

  expect(shown).toEqual(['0 25 * * *', '', '0 2 * * *']);
});

const part = fc.constantFrom(
  '*',
  '?',
  '1',
  '7',
  '1-5',
  '*/2',
  '1/2',
  '*/5',
  '3-7/3',
  'H',
  'H/3',
  'L',
  '5L',
  '1#2',
);
const field = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(','));
const text = fc.array(field, { minLength: 5, maxLength: 6 }).map((fields) => fields.join(' '));

test('whatever the text, there are words for it, and none of them is "undefined"', () => {
  fc.assert(
    fc.property(fc.oneof({ arbitrary: text, weight: 9 }, fc.string()), (any) => {
      const found = words(any);

      expect(found).not.toMatch(/undefined|NaN|null/);
    }),
    { numRuns: 2000 },
  );
});

test('whatever is accepted is put in words that begin and end as such', () => {
  fc.assert(
    fc.property(text, (any) => {
      const parsed = parseSchedule({ schedule: any, timeZone: 'UTC' }, 'nightly-report');
      fc.pre('schedule' in parsed);

      const found = words(any);

      expect(found).toMatch(/^(?:At|Every|On|Seconds|Minutes) [^#*/]*[^ ,]$/);
      expect(found).not.toMatch(/(?: or| and|,)$|, ,| {2}/);
    }),
    { numRuns: 1000 },
  );
});
