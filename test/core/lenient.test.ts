import { CronExpressionParser } from 'cron-parser';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cronProblems } from '../../server/core/cron-text.ts';
import { parseSchedule } from '../../server/core/schedule.ts';

/*
 * What cron-parser reads without a word, and we refuse: a person would want to be told. Each row
 * shows that it does read it; the day that it does not, a row says so.
 */

const letsThrough = (text: string): boolean => {
  try {
    CronExpressionParser.parse(text, { tz: 'UTC', currentDate: 0 });
    return true;
  } catch {
    return false;
  }
};

const FIVE = 'five fields (minute hour day-of-month month day-of-week)';
const COUNT = `expected ${FIVE}, or six with the second first, got`;
const WHOLE = '? can only be the whole of a day field; write *';

describe('cron-parser reads it, we say which field is wrong and what would be right', () => {
  test.each([
    // Too few fields: it puts stars, or seconds, in place of those that are missing.
    ['', `the text is empty: expected ${FIVE}`],
    ['*', `${COUNT} 1: hour, day-of-month, month and day-of-week are missing`],
    ['5', `${COUNT} 1: hour, day-of-month, month and day-of-week are missing`],
    ['5 *', `${COUNT} 2: day-of-month, month and day-of-week are missing`],

    // Steps that are longer than the field: it takes the first value only.
    ['*/61 * * * * *', 'second step 61 is outside 1–59'],
    ['*/60 * * * *', 'minute step 60 is outside 1–59'],
    ['*/90 * * * *', 'minute step 90 is outside 1–59'],
    ['0/90 * * * *', 'minute step 90 is outside 1–59'],
    ['5/90 * * * *', 'minute step 90 is outside 1–59'],
    ['1-5/99 * * * *', 'minute step 99 is outside 1–59'],
    ['0-59/90 * * * *', 'minute step 90 is outside 1–59'],
    ['7,*/90 * * * *', 'minute step 90 is outside 1–59'],
    ['* */24 * * *', 'hour step 24 is outside 1–23'],
    ['* */25 * * *', 'hour step 25 is outside 1–23'],
    ['* 0-23/48 * * *', 'hour step 48 is outside 1–23'],
    ['* * */32 * *', 'day-of-month step 32 is outside 1–31'],
    ['* * */40 * *', 'day-of-month step 40 is outside 1–31'],
    ['* * 1/100 * *', 'day-of-month step 100 is outside 1–31'],
    ['* * * */13 *', 'month step 13 is outside 1–12'],
    ['* * * jan/24 *', 'month step 24 is outside 1–12'],
    ['* * * * */8', 'day-of-week step 8 is outside 1–7'],
    ['* * * * sun-sat/9', 'day-of-week step 9 is outside 1–7'],

    // A question mark where no day is: it reads a star.
    ['? * * * *', `minute "?": ${WHOLE}`],
    ['* ? * * *', `hour "?": ${WHOLE}`],
    ['* * * ? *', `month "?": ${WHOLE}`],
    ['? * * * * *', `second "?": ${WHOLE}`],
    ['?/5 * * * *', `minute "?/5": ${WHOLE}`],
    ['* * ?/5 * *', `day-of-month "?/5": ${WHOLE}`],

    // H with bounds or a step outside of the field: it draws what it likes.
    ['H(0-60) * * * *', 'minute 60 is outside 0–59'],
    ['H/90 * * * *', 'minute step 90 is outside 1–59'],
    ['* H(0-24) * * *', 'hour 24 is outside 0–23'],
    ['* * H(0-31) * *', 'day-of-month 0 is outside 1–31'],
    ['* * H(1-32) * *', 'day-of-month 32 is outside 1–31'],
    ['* * * H(0-12) *', 'month 0 is outside 1–12'],
    ['* * * * H(0-9)', 'day-of-week 9 is outside 0–7'],

    // Names of its own
    ['@secondly', '"@secondly" is not supported: write * * * * * *'],
    ['@minutely', '"@minutely" is not supported: write * * * * *'],
    ['@weekdays', '"@weekdays" is not supported: write 0 0 * * 1-5'],
    ['@weekends', '"@weekends" is not supported: write 0 0 * * 0,6'],
  ])('%j: %s', (text, problem) => {
    const found = cronProblems(text);

    expect(letsThrough(text)).toBe(true);
    expect(found).toEqual([problem]);
  });
});

describe('what it, too, refuses is refused in our words', () => {
  test.each([
    ['60 * * * * *', 'second 60 is outside 0–59'],
    ['60 * * * *', 'minute 60 is outside 0–59'],
    ['50-70 * * * *', 'minute 70 is outside 0–59'],
    ['1,2,99 * * * *', 'minute 99 is outside 0–59'],
    ['* 24 * * *', 'hour 24 is outside 0–23'],
    ['* * 0 * *', 'day-of-month 0 is outside 1–31'],
    ['* * 1-32 * *', 'day-of-month 32 is outside 1–31'],
    ['* * * 0 *', 'month 0 is outside 1–12'],
    ['* * * 13 *', 'month 13 is outside 1–12'],
    ['* * * * 8', 'day-of-week 8 is outside 0–7'],
    ['* * * * 0-8', 'day-of-week 8 is outside 0–7'],
    ['*/0 * * * *', 'minute step 0 is outside 1–59'],
    ['*/-5 * * * *', 'minute step "-5" is not a number 1–59'],
    ['*/1.5 * * * *', 'minute step "1.5" is not a number 1–59'],
    ['/5 * * * *', 'minute "/5" has nothing before its step: write */5'],
    ['+5 * * * *', 'minute "+5" is not a number 0–59'],
    ['0x10 * * * *', 'minute "0x10" is not a number 0–59'],
    ['1e1 * * * *', 'minute "1e1" is not a number 0–59'],
    ['** * * * *', 'minute "**" is not a number 0–59'],
    ['5* * * * *', 'minute "5*" is not a number 0–59'],
    ['0~59 * * * *', 'minute "0~59" is not a number 0–59'],
    ['０ * * * *', 'minute "０" is not a number 0–59'],
    ['* ５ * * *', 'hour "５" is not a number 0–23'],
    ['* * * * thurs', 'day-of-week "thurs" is not a number 0–7 or a name SUN–SAT'],
    ['* * * mai *', 'month "mai" is not a number 1–12 or a name JAN–DEC'],
    ['* * * * JAN', 'day-of-week "JAN" is not a number 0–7 or a name SUN–SAT'],
    ['* * 25-5 * *', 'day-of-month range 25-5 runs backwards: write 25-31,1-5'],
  ])('%j: %s', (text, problem) => {
    const found = cronProblems(text);

    expect(letsThrough(text)).toBe(false);
    expect(found).toEqual([problem]);
  });
});

describe('what is no cron text at all is told from a field', () => {
  test.each([
    ['30 2 * * * America/New_York', 'America/New_York'],
    ['30 2 * * * UTC', 'UTC'],
    ['0 0 * * * /usr/bin/backup --now', '/usr/bin/backup'],
    ['0 0 * * * ./backup.sh', './backup.sh'],
    ['0 0 * * * ~/bin/backup 2>&1', '~/bin/backup'],
  ])('%s', (text, word) => {
    const found = cronProblems(text);

    expect(found).toEqual([
      `"${word}" is not cron text: time zone and command have settings of their own`,
    ]);
  });
});

test('whatever the text, reading it gives a schedule or its problems, and never throws', () => {
  const item = fc.constantFrom(
    '*',
    '?',
    '0',
    '7',
    '12',
    '31',
    '59',
    '60',
    '05',
    '1-5',
    '5-1',
    '*/2',
    '*/7',
    '*/59',
    '*/60',
    '3/4',
    '2-9/3',
    'H',
    'H(1-7)',
    'H/5',
    'L',
    '5L',
    '7L',
    '1#2',
    '0#5',
    'MON',
    'jan',
    'sun-tue',
  );
  const field = fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => items.join(','));
  const text = fc.array(field, { minLength: 4, maxLength: 7 }).map((fields) => fields.join(' '));
  fc.assert(
    fc.property(fc.oneof({ arbitrary: text, weight: 4 }, fc.string()), (schedule) => {
      const parsed = parseSchedule({ schedule, timeZone: 'UTC' }, 'nightly-report');

      expect('schedule' in parsed || parsed.problems.length > 0).toBe(true);
    }),
    { numRuns: 3000 },
  );
});
