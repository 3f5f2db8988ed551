import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  nextAfter,
  occurrencesBetween,
  parseSchedule,
  previousBefore,
} from '../../../server/core/schedule.ts';
import { transitionsOf, ZONES } from './histories.ts';
import {
  DAY,
  HOUR,
  MINUTE,
  occurrencesAmong,
  readExpression,
  SECOND,
  steps,
  watch,
  type Span,
} from './reference.ts';

/**
 * What holds for any schedule, in any zone, from 1971 to 2099. The long form takes ten times as
 * many cases, and others each time; a failure shows its seed.
 */
const LONG = process.env['PUNCTUAL_TEST_LONG'] === '1';
const TIMEOUT = 600_000;

const cases = (few: number): fc.Parameters<unknown> =>
  LONG ? { numRuns: 10 * few } : { numRuns: few, seed: 2027 };

// Random expressions

const part = (low: number, high: number): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom('one', 'one', 'range', 'stepped', 'onwards'),
      fc.integer({ min: low, max: high }),
      fc.integer({ min: low, max: high }),
      fc.integer({ min: 1, max: Math.ceil((high - low) / 2) }),
    )
    .map(([form, a, b, step]) => {
      const range = `${Math.min(a, b)}-${Math.max(a, b)}`;
      return { one: `${a}`, range, stepped: `${range}/${step}`, onwards: `${a}/${step}` }[form];
    });

const list = (one: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.array(one, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(','));

const star = (high: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constant('*'),
    fc.integer({ min: 1, max: high }).map((step) => `*/${step}`),
  );

const field = (low: number, high: number): fc.Arbitrary<string> =>
  fc.oneof({ weight: 1, arbitrary: star(high) }, { weight: 2, arbitrary: list(part(low, high)) });

const second = field(0, 59);
const minute = field(0, 59);
const hour = fc.oneof(field(0, 23), list(part(0, 3)), fc.constant('*'));
const dayOfMonth = fc.oneof(
  { weight: 3, arbitrary: fc.constant('*') },
  { weight: 1, arbitrary: fc.constantFrom('?', 'L', '1,L', '29', '30', '31') },
  { weight: 2, arbitrary: field(1, 31) },
);
const month = fc.oneof(
  { weight: 3, arbitrary: fc.constant('*') },
  { weight: 1, arbitrary: fc.constantFrom('mar', 'OCT,nov', 'jan-jun/2', '2', 'Feb,4', 'sep-Dec') },
  { weight: 1, arbitrary: field(1, 12) },
);
const weekday = fc.constantFrom('0', '1', '5', '6', '7', 'sun', 'Mon', 'FRI');
const dayOfWeek = fc.oneof(
  { weight: 3, arbitrary: fc.constant('*') },
  { weight: 1, arbitrary: weekday.map((day) => `${day}L`) },
  {
    weight: 1,
    arbitrary: fc.tuple(weekday, fc.integer({ min: 1, max: 5 })).map((w) => w.join('#')),
  },
  { weight: 1, arbitrary: fc.constantFrom('mon-fri', '5-7', '0-7/2', 'sun,3L', '2-4,SAT#1') },
  { weight: 1, arbitrary: field(0, 7) },
);

const days = [dayOfMonth, month, dayOfWeek] as const;
const fiveFields = fc.tuple(minute, hour, ...days).map((fields) => fields.join(' '));
const sixFields = fc.tuple(second, minute, hour, ...days).map((fields) => fields.join(' '));

// Random instants, in random zones

interface Moment {
  readonly zone: string;
  readonly instant: number;
}

/** Every other moment is within a day and a half of a transition, if the zone has one at all. */
const moment: fc.Arbitrary<Moment> = fc
  .record({
    zone: fc.constantFrom(...ZONES),
    instant: fc.integer({ min: Date.UTC(1971, 0), max: Date.UTC(2100, 0) }),
    near: fc.option(fc.integer({ min: -36 * HOUR, max: 36 * HOUR }), { freq: 1 }),
  })
  .map(({ zone, instant, near }) => {
    if (near === null) return { zone, instant };
    const from = Math.floor(instant / DAY) * DAY;
    const [first] = transitionsOf(zone, { from, to: from + 365 * DAY });
    return { zone, instant: first === undefined ? instant : first.at + near };
  });

/** An expression that never comes, such as on 30 February, is refused; such cases are left out. */
function scheduleOf(text: string, timeZone: string) {
  const parsed = parseSchedule({ schedule: text, timeZone }, 'tested');
  fc.pre('schedule' in parsed);
  return parsed.schedule;
}
type Tested = ReturnType<typeof scheduleOf>;

const isOccurrence = (tested: Tested, instant: number): boolean =>
  nextAfter(tested, instant - 1) === instant;

/** A few occurrences before an instant, itself if it is one, and a few after it. */
function occurrencesAround(tested: Tested, instant: number): number[] {
  const back = steps((at) => previousBefore(tested, at), instant, 4).toReversed();
  const onwards = steps((at) => nextAfter(tested, at), instant, 4);
  return [...back, ...(isOccurrence(tested, instant) ? [instant] : []), ...onwards];
}

test('nine of ten random expressions are accepted', () => {
  const accepted = fc
    .sample(fc.oneof(fiveFields, sixFields), { numRuns: 2000, seed: 2027 })
    .filter((text) => 'schedule' in parseSchedule({ schedule: text, timeZone: 'UTC' }, 'tested'));

  expect(accepted.length).toBeGreaterThan(1800);
});

test(
  'asked from any instant between two occurrences, they are the one before and the next',
  () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const text = fc.oneof(fiveFields, sixFields);
    fc.assert(
      fc.property(text, moment, share, (expression, { zone, instant }, between) => {
        const tested = scheduleOf(expression, zone);

        const found = occurrencesAround(tested, instant);

        found.slice(1).forEach((later, index) => {
          const earlier = found[index] ?? NaN;
          expect(later).toBeGreaterThan(earlier);
          for (const at of [
            earlier,
            earlier + Math.floor(between * (later - earlier - 1)),
            later - 1,
          ]) {
            expect(nextAfter(tested, at)).toBe(later);
            expect(previousBefore(tested, at + 1)).toBe(earlier);
          }
        });
      }),
      cases(1500),
    );
  },
  TIMEOUT,
);

test(
  'a schedule that has occurred or will occur gives the same instants when listed',
  () => {
    fc.assert(
      fc.property(fc.oneof(fiveFields, sixFields), moment, (expression, { zone, instant }) => {
        const tested = scheduleOf(expression, zone);
        const stepped = steps((at) => nextAfter(tested, at), instant, 5);
        fc.pre(stepped.length > 0);

        const listed = occurrencesBetween(tested, { from: instant, to: stepped.at(-1) ?? 0 }, 9);

        expect(listed).toEqual(stepped);
      }),
      cases(300),
    );
  },
  TIMEOUT,
);

/** Until 1972 the offset of Monrovia was of 44 minutes and 30 seconds. */
const closeLook = ({ zone, instant }: Moment): boolean =>
  zone === 'Africa/Monrovia' && instant < Date.UTC(1972, 1);

/** The occurrences in a span: as the reference has them, and as the product lists and steps back. */
function told(text: string, zone: string, span: Span, every: number) {
  const tested = scheduleOf(text, zone);
  const expected = occurrencesAmong(watch(zone, span, every), readExpression(text));

  const listed = occurrencesBetween(tested, span, expected.length + 1);
  const back = steps((at) => previousBefore(tested, at), span.to + 1, expected.length + 1)
    .filter((at) => at > span.from)
    .toReversed();
  return { expected, found: { listed, back } };
}

test(
  'within any three days a schedule agrees with the reference',
  () => {
    fc.assert(
      fc.property(fiveFields, moment, (text, at) => {
        const span = { from: at.instant - 1.5 * DAY, to: at.instant + 1.5 * DAY };
        const { expected, found } = told(text, at.zone, span, closeLook(at) ? SECOND : MINUTE);

        expect(found).toEqual({ listed: expected, back: expected });
      }),
      cases(250),
    );
  },
  TIMEOUT,
);

test(
  'within any six hours a schedule with seconds agrees with the reference',
  () => {
    fc.assert(
      fc.property(sixFields, moment, (text, { zone, instant }) => {
        const span = { from: instant - 3 * HOUR, to: instant + 3 * HOUR };
        const { expected, found } = told(text, zone, span, SECOND);

        expect(found).toEqual({ listed: expected, back: expected });
      }),
      cases(60),
    );
  },
  TIMEOUT,
);

test(
  'at second 0 a schedule is the same as without seconds',
  () => {
    fc.assert(
      fc.property(fiveFields, moment, (text, { zone, instant }) => {
        const withSeconds = scheduleOf(`0 ${text}`, zone);

        const found = occurrencesAround(withSeconds, instant);

        expect(found).toEqual(occurrencesAround(scheduleOf(text, zone), instant));
      }),
      cases(500),
    );
  },
  TIMEOUT,
);

test(
  'at two seconds of a fixed minute a schedule occurs twice, away from transitions',
  () => {
    const fixed = fc.tuple(list(part(0, 59)), list(part(0, 23)), ...days).map((f) => f.join(' '));
    const seconds = fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { minLength: 2, maxLength: 2 });
    fc.assert(
      fc.property(fixed, seconds, moment, (text, pair, { zone, instant }) => {
        const from = Math.floor(instant / MINUTE) * MINUTE;
        const to = from + 5 * DAY;
        fc.pre(transitionsOf(zone, { from: from - DAY, to }).length === 0);
        const sorted = pair.toSorted((a, b) => a - b);

        const found = occurrencesBetween(
          scheduleOf(`${pair.join(',')} ${text}`, zone),
          { from: from - 1, to: to - 1 },
          20_000,
        );

        const minutes = { from: from - 1, to: to - MINUTE };
        const wholeMinutes = occurrencesBetween(scheduleOf(text, zone), minutes, 10_000);
        expect(found).toEqual(
          wholeMinutes.flatMap((at) => sorted.map((second) => at + second * SECOND)),
        );
      }),
      cases(300),
    );
  },
  TIMEOUT,
);
