import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
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

test('text with problems, or in a time zone that is not supported, is shown as it is', () => {
  const shown = [
    words('0 25 * * *'),
    words(''),
    scheduleWords('0 2 * * *', 'Mars/Olympus', 'nightly-report'),
  ];

  expect(shown).toEqual(['0 25 * * *', '', '0 2 * * *']);
});

test('whatever the text, there are words for it, and none of them is "undefined"', () => {
  const part = fc.constantFrom(
    '*',
    '?',
    '1',
    '7',
    '1-5',
    '*/2',
    '1/2',
    'H',
    'H/3',
    'L',
    '5L',
    '1#2',
  );
  const field = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(','));
  const text = fc.array(field, { minLength: 5, maxLength: 5 }).map((fields) => fields.join(' '));
  fc.assert(
    fc.property(fc.oneof({ arbitrary: text, weight: 9 }, fc.string()), (any) => {
      const found = words(any);

      expect(found).not.toMatch(/undefined|NaN|null/);
    }),
    { numRuns: 2000 },
  );
});
