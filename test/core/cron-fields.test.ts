import { CronExpressionParser } from 'cron-parser';
import { expect, test } from 'vitest';
import { readCron } from '../../server/core/cron-fields.ts';

/** What is read here and not by cron-parser means the same to it. */

const ORDER = ['seconds', 'minutes', 'hours', 'dates', 'months', 'weekdays'] as const;
const PARSED = ['second', 'minute', 'hour', 'dayOfMonth', 'month', 'dayOfWeek'] as const;
const RANGES = [
  [0, 59],
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
] as const;

const numbersOf = (text: string, field: number): readonly number[] => {
  const { wall } = readCron(text, 'a');
  const { seconds, minutes, hours, days } = wall;
  const { dates, months, weekdays } = days;
  return { seconds, minutes, hours, dates, months, weekdays }[ORDER[field]!];
};

const theirs = (text: string, field: number): number[] => {
  const { fields } = CronExpressionParser.parse(text, { tz: 'UTC', currentDate: 0 });
  const values = fields[PARSED[field]!].values.map(Number);
  const all = field === 5 ? values.map((value) => value % 7) : values;
  return [...new Set(all)].sort((a, b) => a - b);
};

test.each(RANGES.map(([from, to], field) => ({ name: PARSED[field]!, field, from, to })))(
  'a number, a star and a star with a step, as the $name',
  ({ field, from, to }) => {
    const numbers = Array.from({ length: to - from + 1 }, (_, i) => `${from + i}`);
    const steps = Array.from({ length: to }, (_, i) => `*/${i + 1}`);
    const items = ['*', ...numbers, ...numbers.map((one) => one.padStart(2, '0')), ...steps];
    if (field === 3 || field === 5) items.push('?');
    for (const item of items) {
      const text = PARSED.map((_, i) => (i === field ? item : '*')).join(' ');
      expect([item, numbersOf(text, field)]).toEqual([item, theirs(text, field)]);
    }
  },
);

test.each(['00L', '05L', '5L', '05#2'])('a weekday with leading zeros, %s', (item) => {
  const plain = item.replace(/^0(?=\d)/, '');
  const read = (text: string) => readCron(`0 0 * * ${text}`, 'a').wall.days;

  expect(read(item)).toEqual(read(plain));
});
