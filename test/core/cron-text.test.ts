import { describe, expect, test } from 'vitest';
import { cronFields, cronProblems } from '../../server/core/cron-text.ts';

const FIVE = 'five fields (minute hour day-of-month month day-of-week)';
const COUNT = `expected ${FIVE}, or six with the second first, got`;
const LAST_DAY = 'write a day 1–31, or L for the last day of the month';

describe('cron text without problems', () => {
  test.each([
    '* * * * *',
    '* * * * * *',
    '*/10 0 0 * * 1-5',
    'H H H * * *',
    '  5   4 * * *  ',
    '0 0 1 1 0',
    '59 23 31 12 7',
    '*/59 */23 */31 */12 */7',
    '5/15 9-17/2 1,15,L jan-MAR,Dec Mon-fri',
    '*/10,*/15 * * * *',
    '1-5,3,3 * * * *',
    '05 007 * * *',
    '0 0 ? * ?',
    '0 0 L * *',
    '0 0 * * 5L,friL,1#2,MON#5',
    'H h(0-6) H/7 H(1-6)/2 H',
    '@hourly',
    '@Daily',
    '@weekly',
    '@monthly',
    '@yearly',
    ' @annually ',
  ])('%s has none', (text) => {
    const problems = cronProblems(text);

    expect(problems).toEqual([]);
  });
});

describe('a problem says what is wrong, and what would be right', () => {
  test.each([
    // How many fields
    ['', `the text is empty: expected ${FIVE}`],
    [' \t', `the text is empty: expected ${FIVE}`],
    ['5', `${COUNT} 1: hour, day-of-month, month and day-of-week are missing`],
    ['5 *', `${COUNT} 2: day-of-month, month and day-of-week are missing`],
    ['0 0 1', `${COUNT} 3: month and day-of-week are missing`],
    ['0 0 1 1', `${COUNT} 4: day-of-week is missing`],
    ['0 0 0 1 1 * 2027', `${COUNT} 7`],
    ['60 0 0 * * *', 'second 60 is outside 0–59'],
    ['*/60 0 0 * * *', 'second step 60 is outside 1–59'],
    ['0 60 0 * * *', 'minute 60 is outside 0–59'],
    [
      'TZ=UTC 0 0 * * *',
      '"TZ=UTC" cannot stand in cron text: the time zone has a setting of its own',
    ],

    // Values and names
    ['61 * * * *', 'minute 61 is outside 0–59'],
    ['* 24 * * *', 'hour 24 is outside 0–23'],
    ['* * 0 * *', 'day-of-month 0 is outside 1–31'],
    ['* * 32 * *', 'day-of-month 32 is outside 1–31'],
    ['* * * 13 *', 'month 13 is outside 1–12'],
    ['* * * * 8', 'day-of-week 8 is outside 0–7'],
    ['x * * * *', 'minute "x" is not a number 0–59'],
    ['1.5 * * * *', 'minute "1.5" is not a number 0–59'],
    ['* * * january *', 'month "january" is not a number 1–12 or a name JAN–DEC'],
    ['* * * * monday', 'day-of-week "monday" is not a number 0–7 or a name SUN–SAT'],
    ['* * WED * *', 'day-of-month "WED" is not a number 1–31'],
    ['* MON * * *', 'hour "MON" is not a number 0–23'],

    // Lists, ranges and steps
    ['1,,2 * * * *', 'minute "1,,2" has an empty place in its list'],
    ['1, * * * *', 'minute "1," has an empty place in its list'],
    ['-5 * * * *', 'minute "-5" is not a number or a range such as 1-5'],
    ['5- * * * *', 'minute "5-" is not a number or a range such as 1-5'],
    ['1-2-3 * * * *', 'minute "1-2-3" is not a number or a range such as 1-5'],
    ['50-70 * * * *', 'minute 70 is outside 0–59'],
    ['* 22-6 * * *', 'hour range 22-6 runs backwards: write 22-23,0-6'],
    ['* * * nov-Feb *', 'month range nov-Feb runs backwards: write 11-12,1-2'],
    ['* * * * fri-mon', 'day-of-week range fri-mon runs backwards: write 5-6,0-1'],
    ['* * * * sat-sun', 'day-of-week range sat-sun runs backwards: write 6,0'],
    ['* * * * 7-1', 'day-of-week range 7-1 runs backwards: write 7,0-1'],
    ['*/90 * * * *', 'minute step 90 is outside 1–59'],
    ['*/0 * * * *', 'minute step 0 is outside 1–59'],
    ['* 1-5/24 * * *', 'hour step 24 is outside 1–23'],
    ['*/x * * * *', 'minute step "x" is not a number 1–59'],
    ['*/ * * * *', 'minute step "" is not a number 1–59'],
    ['*/2/3 * * * *', 'minute "*/2/3" has more than one step'],

    // H and ?
    ['H(0-60) * * * *', 'minute 60 is outside 0–59'],
    ['H(30-10) * * * *', 'minute range 30-10 runs backwards'],
    ['H/60 * * * *', 'minute step 60 is outside 1–59'],
    ['H( * * * *', 'minute "H(" is not a number 0–59'],
    ['? * * * *', 'minute "?": ? can only be the whole of a day field; write *'],
    ['* * ?/2 * *', 'day-of-month "?/2": ? can only be the whole of a day field; write *'],

    // L, W and #
    ['L * * * *', 'minute "L" is not a number 0–59'],
    ...['15W', 'LW', 'L-3', '3L', 'L/2'].map((day) => [
      `* * ${day} * *`,
      `day-of-month "${day}" is not supported: ${LAST_DAY}`,
    ]),
    ['* * 1#2 * *', 'day-of-month "1#2": # is for the day of week, such as 1#2'],
    ['* * * * L', 'day-of-week "L": L needs a day, such as 5L for the last Friday; Saturday is 6'],
    ...['5W', '1-5L', '5L/2', '1-5#2'].map((day) => [
      `* * * * ${day}`,
      `day-of-week "${day}" is not supported: expected a form such as 5L (last) or 1#2 (second)`,
    ]),
    ['* * * * 1#6', 'day-of-week "1#6": the number after # is outside 1–5'],
    ['* * * * 1#', 'day-of-week "1#": the number after # is outside 1–5'],
    ['* * * * 8L', 'day-of-week 8 is outside 0–7'],

    // Macros
    ['@reboot', '"@reboot" is not supported: a schedule names instants, and a start is not one'],
    [
      '@every 5m',
      `"@every" is not supported: give the job every: '10m' in place of a schedule, ` +
        'or write a step such as */10',
    ],
    ['@secondly', '"@secondly" is not supported: write * * * * * *'],
    ['@daily 5', '"@daily" stands alone, without fields'],
    [
      '@noon',
      `"@noon" is not supported: expected ${FIVE} or one of ` +
        '@hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually',
    ],
  ])('%j: %s', (text, problem) => {
    const problems = cronProblems(text ?? '');

    expect(problems).toEqual([problem]);
  });
});

test('all problems are reported at once, each once', () => {
  const problems = cronProblems('61,61,*/90 22-6 0 foo 8#9');

  expect(problems).toEqual([
    'minute 61 is outside 0–59',
    'minute step 90 is outside 1–59',
    'hour range 22-6 runs backwards: write 22-23,0-6',
    'day-of-month 0 is outside 1–31',
    'month "foo" is not a number 1–12 or a name JAN–DEC',
    'day-of-week 8 is outside 0–7',
    'day-of-week "8#9": the number after # is outside 1–5',
  ]);
});

test('what a backwards range is to be written as has no problems', () => {
  const ranges = [
    ['* 22-6 * * *', '* 22-23,0-6 * * *'],
    ['* * * * sat-sun', '* * * * 6,0'],
    ['* * * * 7-1', '* * * * 7,0-1'],
  ] as const;

  const problems = ranges.flatMap(([, right]) => cronProblems(right));

  expect(problems).toEqual([]);
  for (const [wrong, right] of ranges) {
    const field = right.split(' ').find((part) => part !== '*');
    expect(cronProblems(wrong).join()).toMatch(`write ${field}`);
  }
});

test('every value of every field written out is accepted, and much longer text is not', () => {
  const all = (from: number, to: number): string =>
    Array.from({ length: to - from + 1 }, (_, i) => from + i).join(',');
  const whole = [all(0, 59), all(0, 23), all(1, 31), all(1, 12), all(0, 7)].join(' ');

  const problems = [cronProblems(whole), cronProblems('1,'.repeat(300))];

  expect(problems).toEqual([[], ['600 characters are too many: at most 500 are read']]);
});

test('macros stand for five fields, names come out in upper case, a sixth field is seconds', () => {
  const fields = ['@Weekly', ' 0  h/7 l * mon-Fri ', '*/10 0 0 1 1 *'].map(cronFields);

  const days = { dayOfMonth: '*', month: '*' };
  expect(fields).toEqual([
    { second: null, minute: '0', hour: '0', ...days, dayOfWeek: '0' },
    { second: null, minute: '0', hour: 'H/7', ...days, dayOfMonth: 'L', dayOfWeek: 'MON-FRI' },
    { second: '*/10', minute: '0', hour: '0', dayOfMonth: '1', month: '1', dayOfWeek: '*' },
  ]);
});
