import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { occurrencesBetween } from '../../server/core/schedule.ts';
import { forCloudScheduler } from '../../server/triggers/scheduler-cron.ts';
import { readSchedule } from '../core/read-schedule.ts';

const translate = (text: string, timeZone = 'UTC') =>
  forCloudScheduler(readSchedule(text, timeZone));

const written = (text: string, timeZone = 'UTC'): string[] => {
  const translated = translate(text, timeZone);
  if (translated.kind === 'tick') return [`tick: ${translated.why}`];
  return translated.triggers.map((one) => `${one.schedule} ${one.timeZone}`);
};

describe('a schedule that Cloud Scheduler can express exactly is written in its own syntax', () => {
  test.each([
    // What its page shows stays as it was written.
    ['30 2 * * *', ['30 2 * * * Europe/London']],
    ['*/15 9-17 * * 1-5', ['*/15 9-17 * * 1-5 Europe/London']],
    ['0 0-23/3 1,15 * *', ['0 0-23/3 1,15 * * Europe/London']],
    ['*/45 * * * *', ['*/45 * * * * Europe/London']],
    ['0 0 */10 * *', ['0 0 */10 * * Europe/London']],
    ['30 4 1,15 * 5', ['30 4 1,15 * 5 Europe/London']],
    // What it does not show is written as numbers.
    ['05 08 * * MON-FRI', ['5 8 * * 1-5 Europe/London']],
    ['0 0 * JAN,jul SUN', ['0 0 * 1,7 0 Europe/London']],
    ['0 0 * * 5-7', ['0 0 * * 0,5,6 Europe/London']],
    ['5/20 * * * *', ['5,25,45 * * * * Europe/London']],
    ['@weekly', ['0 0 * * 0 Europe/London']],
    ['*/1 * * * *', ['* * * * * Europe/London']],
    ['0 12 ? * 1', ['0 12 * * 1 Europe/London']],
    ['0 30 2 * * *', ['30 2 * * * Europe/London']],
    ['H H * * *', ['34 13 * * * Europe/London']],
    // Both fields restricted: either is enough, and a range of all days is every day.
    ['0 0 1-31 * 1', ['0 0 * * * Europe/London']],
    ['0 0 13 * 0-6', ['0 0 * * * Europe/London']],
    // A step of a star does not restrict, and one that names all days is a star.
    ['0 0 */1 * 1', ['0 0 * * 1 Europe/London']],
    // Several rules, each once.
    ['0 9 * * 1-5; 0 12 * * 6', ['0 9 * * 1-5 Europe/London', '0 12 * * 6 Europe/London']],
    ['0 9 * * 1; 00 9 * * MON', ['0 9 * * 1 Europe/London']],
    // Periods are counted in UTC.
    ['every 1m', ['* * * * * UTC']],
    ['every 15m', ['*/15 * * * * UTC']],
    ['every 1h', ['0 * * * * UTC']],
    ['every 6h', ['0 */6 * * * UTC']],
    ['every 1d', ['0 0 * * * UTC']],
    ['every 7d', ['0 0 * * 4 UTC']],
    ['every 40m', ['0,40 */2 * * * UTC', '20 1,3,5,7,9,11,13,15,17,19,21,23 * * * UTC']],
  ])('%s', (text, expected) => {
    expect(written(text, 'Europe/London')).toEqual(expected);
    expect(translate(text, 'Europe/London')).toMatchObject({ wider: null });
  });
});

describe('where it can come more often than the job, it does, and the reason is told', () => {
  test.each([
    ['0 3 L * *', '0 3 28-31 * * UTC', 'Cloud Scheduler has no L'],
    ['0 3 1,L * *', '0 3 1,28-31 * * UTC', 'Cloud Scheduler has no L'],
    ['0 8 * * 1#1', '0 8 * * 1 UTC', "Cloud Scheduler has no month's second Monday"],
    ['0 8 * * 5L', '0 8 * * 5 UTC', "Cloud Scheduler has no month's second Monday"],
    // Its page says nothing of a star with a step beside the other field.
    ['0 0 */2 * 1', '0 0 * * 1 UTC', 'Cloud Scheduler takes a date or a weekday, not both at once'],
    [
      '0 0 13 * */2',
      '0 0 13 * * UTC',
      'Cloud Scheduler takes a date or a weekday, not both at once',
    ],
    ['at 2027-03-01T18:00Z', '0 18 1 3 * UTC', 'Cloud Scheduler has no year'],
  ])('%s', (text, schedule, wider) => {
    expect(written(text)).toEqual([schedule]);
    expect(translate(text)).toMatchObject({ wider });
  });
});

describe('what is left to the tick, and why', () => {
  test.each([
    ['30 0 2 * * *', 'Cloud Scheduler knows no seconds'],
    ['at 2027-03-01T18:00:30Z', 'Cloud Scheduler knows no seconds'],
    ['every 90s', '90s are no whole number of minutes'],
    ['every 7m', '7m do not divide a day evenly, and cron text begins anew each day'],
    ['every 2d', '2d do not divide a day evenly, and cron text begins anew each day'],
    ['every 32m', 'it would take 8 triggers, more than the 5 at most'],
    ['0 1 * * *; 30 0 2 * * *', 'Cloud Scheduler knows no seconds'],
  ])('%s', (text, why) => {
    expect(translate(text)).toEqual({ kind: 'tick', why });
  });
});

describe('whatever the schedule', () => {
  const DAY_MS = 86_400_000;

  test('its triggers come whenever it does, and only then unless they say so', () => {
    fc.assert(
      fc.property(cronText, fc.nat(3000), (text, day) => {
        const parsed = tryRead(text);
        const translated = parsed && forCloudScheduler(parsed);
        if (parsed === undefined || translated?.kind !== 'triggers') return;
        const span = { from: day * DAY_MS - 1, to: (day + 40) * DAY_MS - 1 };

        const come = translated.triggers.map(({ schedule }) => googleCron(schedule));

        const due = new Set(occurrencesBetween(parsed, span, Infinity));
        const wrong: string[] = [];
        for (let at = span.from + 1; at <= span.to; at += 60_000) {
          const comes = come.some((names) => names(new Date(at)));
          const exact = translated.wider === null;
          if (due.has(at) ? !comes : comes && exact) wrong.push(new Date(at).toISOString());
        }
        expect(wrong).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});

function tryRead(text: string) {
  try {
    return readSchedule(text);
  } catch {
    return undefined; // It never comes.
  }
}

const field = (min: number, max: number) => {
  const item = fc
    .tuple(
      fc.integer({ min, max }),
      fc.integer({ min, max }),
      fc.integer({ min: 1, max }),
      fc.nat(4),
    )
    .map(([one, other, step, form]) => {
      const [a, b] = [Math.min(one, other), Math.max(one, other)];
      return [`${a}`, `${a}-${b}`, `${a}-${b}/${step}`, `${a}/${step}`, `*/${step}`][form] ?? '';
    });
  const list = fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => items.join(','));
  return fc.oneof(fc.constant('*'), list);
};

const cronText = fc.oneof(
  fc
    .tuple(
      field(0, 59),
      field(0, 23),
      fc.oneof(field(1, 31), fc.constantFrom('L', '?', '1-31', '5,L')),
      fc.oneof(fc.constant('*'), field(1, 12)),
      fc.oneof(field(0, 7), fc.constantFrom('?', '0-6', '1#2', '5L', 'MON-FRI', '1,5#3')),
    )
    .map((fields) => fields.join(' ')),
  fc.constantFrom(1, 2, 7, 15, 40, 90, 120, 160, 480, 720, 1440, 10_080).map((n) => `every ${n}m`),
);

/**
 * Cloud Scheduler's cron text as its page has it, and nothing beyond: numbers, ranges, steps of a
 * star or a range, lists. A date or a weekday is enough unless one of the fields is a star.
 */
function googleCron(text: string): (at: Date) => boolean {
  const fields = text.split(' ');
  expect(fields).toHaveLength(5);
  const limits = [
    [0, 59],
    [0, 23],
    [1, 31],
    [1, 12],
    [0, 6],
  ] as const;
  const [minutes, hours, dates, months, weekdays] = fields.map((one, i) =>
    googleField(one, limits[i] ?? [0, 0]),
  );
  const free = fields[2] === '*' || fields[4] === '*';
  // Nothing is said of a star with a step beside a restricted field.
  expect(free || !/\*/.test(`${fields[2]}${fields[4]}`)).toBe(true);
  return (at) => {
    const date = dates?.has(at.getUTCDate());
    const weekday = weekdays?.has(at.getUTCDay());
    const time = minutes?.has(at.getUTCMinutes()) && hours?.has(at.getUTCHours());
    const day = free ? date && weekday : date || weekday;
    return (time && day && months?.has(at.getUTCMonth() + 1)) === true;
  };
}

function googleField(text: string, [min, max]: readonly [number, number]): Set<number> {
  const found = new Set<number>();
  for (const item of text.split(',')) {
    const [, range = '', a = '', b = a, step = '1'] =
      /^(\*|(\d+)(?:-(\d+))?)(?:(?<=\*|-\d+)\/(\d+))?$/.exec(item) ?? [];
    if (range === '') throw new Error(`"${item}" is not what the page shows`);
    const [from, to] = range === '*' ? [min, max] : [Number(a), Number(b)];
    expect(from >= min && to <= max).toBe(true);
    for (let value = from; value <= to; value += Number(step)) found.add(value);
  }
  return found;
}
