import { CronExpressionParser } from 'cron-parser';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  countBetween,
  newestBetween,
  nextAfter,
  occurrencesBetween,
  parseSchedule,
  previousBefore,
} from '../../server/core/schedule.ts';
import type { Span } from '../../server/core/records.ts';
import type { Schedule, ScheduleProblem } from '../../server/core/schedule.ts';
import { readSchedule } from './read-schedule.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;
const at = (iso: string): number => Date.parse(iso.length === 10 ? `${iso}T00:00Z` : iso);

const read = (text: string, name?: string): Schedule => readSchedule(text, 'UTC', name);

function problems(schedule: string, timeZone = 'UTC'): ScheduleProblem[] {
  const parsed = parseSchedule({ schedule, timeZone }, 'nightly-report');
  return 'problems' in parsed ? parsed.problems : [];
}

/** A day by number, and its place in the month. */
interface Day {
  readonly date: number;
  readonly month: number;
  readonly weekday: number;
  readonly monthLength: number;
}

/** A random piece of cron text, and by itself what fits it: nothing here reads cron text. */
interface Piece<Value> {
  readonly text: string;
  readonly fits: (value: Value) => boolean;
}

const star = fc.constant({ text: '*', fits: () => true });

function numbers(min: number, max: number): fc.Arbitrary<Piece<number>> {
  const value = fc.integer({ min, max });
  const item = fc
    .tuple(value, value, fc.integer({ min: 1, max }), fc.nat(4))
    .map(([one, other, step, form]) => {
      const [a, b] = [Math.min(one, other), Math.max(one, other)];
      const [text, from, to, every] = (
        [
          [`${a}`, a, a, 1],
          [`${a}-${b}`, a, b, 1],
          [`${a}-${b}/${step}`, a, b, step],
          [`${a}/${step}`, a, max, step],
          [`*/${step}`, min, max, step],
        ] as const
      )[form]!;
      return { text, fits: (v: number) => v >= from && v <= to && (v - from) % every === 0 };
    });
  const list = fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => ({
    text: items.map(({ text }) => text).join(','),
    fits: (v: number) => items.some(({ fits }) => fits(v)),
  }));
  return fc.oneof({ arbitrary: star, weight: 2 }, { arbitrary: list, weight: 3 });
}

const dates: fc.Arbitrary<Piece<Day>> = fc.oneof(
  numbers(1, 31).map(({ text, fits }) => ({ text, fits: (day: Day) => fits(day.date) })),
  fc.constant({ text: 'L', fits: (day: Day) => day.date === day.monthLength }),
  fc.constant({ text: '?', fits: () => true }),
);

const eight = fc.nat(7);
const weekdays: fc.Arbitrary<Piece<Day>> = fc.oneof(
  numbers(0, 7).map(({ text, fits }) => ({
    text,
    fits: ({ weekday }: Day) => fits(weekday) || (weekday === 0 && fits(7)),
  })),
  eight.map((named) => ({
    text: `${named}L`,
    fits: (day: Day) => day.weekday === named % 7 && day.monthLength - day.date < 7,
  })),
  fc.tuple(eight, fc.integer({ min: 1, max: 5 })).map(([named, nth]) => ({
    text: `${named}#${nth}`,
    fits: ({ weekday, date }: Day) =>
      weekday === named % 7 && date > 7 * (nth - 1) && date <= 7 * nth,
  })),
);

const expressions = fc
  .tuple(numbers(0, 59), numbers(0, 23), dates, numbers(1, 12), weekdays)
  .map(([minute, hour, date, month, weekday]) => {
    const restricted = !/^[*?]/.test(date.text) && !/^[*?]/.test(weekday.text);
    return {
      text: [minute, hour, date, month, weekday].map(({ text }) => text).join(' '),
      onDay: (day: Day) =>
        month.fits(day.month) &&
        (restricted ? date.fits(day) || weekday.fits(day) : date.fits(day) && weekday.fits(day)),
      atTime: (time: number) => minute.fits(time % 60) && hour.fits(Math.floor(time / 60)),
    };
  });
type Expression = typeof expressions extends fc.Arbitrary<infer Value> ? Value : never;

/** Every minute of every day that fits, up to `limit`. */
function bruteForce({ onDay, atTime }: Expression, span: Span, limit: number): number[] {
  const found: number[] = [];
  for (let day = Math.floor(span.from / DAY_MS) * DAY_MS; day <= span.to; day += DAY_MS) {
    const shown = new Date(day);
    const [date, month] = [shown.getUTCDate(), shown.getUTCMonth() + 1];
    const monthLength = new Date(Date.UTC(shown.getUTCFullYear(), month, 0)).getUTCDate();
    if (!onDay({ date, month, weekday: shown.getUTCDay(), monthLength })) continue;
    for (let time = 0; time < 1440 && found.length < limit; time += 1) {
      const instant = day + time * MINUTE_MS;
      if (instant > span.from && instant <= span.to && atTime(time)) found.push(instant);
    }
  }
  return found;
}

const YEARS_MS = 3 * 366 * DAY_MS;
const instants = fc.integer({ min: at('1900-01-01'), max: at('2400-01-01') });
const shares = fc.double({ min: 0, max: 1, noNaN: true });

/** A random schedule that comes at all. */
const schedules = expressions
  .filter(({ text }) => problems(text).length === 0)
  .map(({ text }) => read(text));

describe('for any schedule', () => {
  test('the occurrences are those that looking at each minute of three years finds', () => {
    fc.assert(
      fc.property(expressions, instants, (expression, from) => {
        const span = { from, to: from + YEARS_MS };
        const expected = bruteForce(expression, span, 5000);
        const [problem] = problems(expression.text);

        const found = problem ? [] : occurrencesBetween(read(expression.text), span, 5000);

        expect(problem?.message ?? 'never comes').toMatch('never comes');
        expect(found).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });

  test('each next occurrence is later, and the same whether stepped to or asked for', () => {
    fc.assert(
      fc.property(schedules, instants, shares, (schedule, from, share) => {
        const stepped = occurrencesBetween(schedule, { from, to: Infinity }, 50);
        const last = stepped.at(-1) ?? NaN;
        const between = Math.floor(from + (last - 1 - from) * share);

        const asked = nextAfter(schedule, between);

        expect(stepped).toHaveLength(50);
        expect(stepped.every((instant, i) => instant > (stepped[i - 1] ?? from))).toBe(true);
        expect(asked).toBe(stepped.find((instant) => instant > between));
      }),
      { numRuns: 200 },
    );
  });

  test('looking back is the mirror of looking ahead', () => {
    fc.assert(
      fc.property(schedules, instants, (schedule, instant) => {
        const next = nextAfter(schedule, instant) ?? NaN;
        const previous = previousBefore(schedule, instant) ?? NaN;

        expect(previous < instant && instant < next).toBe(true);
        expect(nextAfter(schedule, next - 1)).toBe(next);
        expect(previousBefore(schedule, next + 1)).toBe(next);
        expect(previousBefore(schedule, previous + 1)).toBe(previous);
        expect(nextAfter(schedule, previous)).toBe(nextAfter(schedule, instant - 1));
        expect(previousBefore(schedule, next)).toBe(previousBefore(schedule, instant + 1));
      }),
      { numRuns: 300 },
    );
  });

  test('the newest of a span are the tail of all, and counted they are as many', () => {
    const limits = fc.integer({ min: 0, max: 500 });
    fc.assert(
      fc.property(schedules, instants, limits, (schedule, from, limit) => {
        const to = occurrencesBetween(schedule, { from, to: Infinity }, 300).at(-1) ?? NaN;
        const span = { from, to };
        const all = occurrencesBetween(schedule, span, Infinity);

        const newest = newestBetween(schedule, span, limit);

        expect(newest).toEqual(limit === 0 ? [] : all.slice(-limit));
        expect(countBetween(schedule, span, limit)).toEqual({
          count: Math.min(limit, 300),
          atLeast: limit < 300,
        });
      }),
      { numRuns: 100 },
    );
  });
});

// Where both agree on the words: no list that names a number twice, no star with a step as a day.
test('plain schedules come when cron-parser says they do in UTC', () => {
  const plain = expressions.filter(({ text }) => {
    const [, , date = '', , weekday = ''] = text.split(' ');
    return !text.includes(',') && !date.startsWith('*/') && !weekday.startsWith('*/');
  });
  fc.assert(
    fc.property(plain, instants, ({ text }, from) => {
      fc.pre(problems(text).length === 0);
      const theirs = CronExpressionParser.parse(text, { tz: 'UTC', currentDate: from }).take(10);

      const ours = occurrencesBetween(read(text), { from, to: Infinity }, theirs.length);

      expect(ours).toEqual(theirs.map((instant) => instant.getTime()));
    }),
    { numRuns: 150 },
  );
});
