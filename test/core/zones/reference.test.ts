import { describe, expect, test } from 'vitest';
import {
  nextAfter,
  occurrencesBetween,
  parseSchedule,
  previousBefore,
} from '../../../server/core/schedule.ts';
import { Random } from '../../simulation/random.ts';
import { EXPRESSIONS } from './expressions.ts';
import { findHistories, transitionsOf, type History, type Transition } from './histories.ts';
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
 * The schedules of the product against the reference, around the transitions of every zone. The
 * long form takes all transitions from 2020 to 2038 with all expressions; else a sample is taken.
 */
const LONG = process.env['PUNCTUAL_TEST_LONG'] === '1';
const TIMEOUT = 600_000;
const DIFFERENCES_SHOWN = 5;

/** The part of the transitions that the short form takes besides those it always takes. */
const SAMPLED = 0.05;

const histories = findHistories();
const expressions = EXPRESSIONS.map((text) => ({ text, meaning: readExpression(text) }));

function schedule(text: string, timeZone: string) {
  const parsed = parseSchedule({ schedule: text, timeZone }, 'tested');
  if ('problems' in parsed) throw new Error(`${timeZone} ${text}: ${JSON.stringify(parsed)}`);
  return parsed.schedule;
}

const iso = (instant: number | undefined): string =>
  instant === undefined ? 'none' : new Date(instant).toISOString().replace(':00.000Z', 'Z');

/** What the product answers in each of the ways to ask, where it differs from the reference. */
interface Case {
  readonly zone: string;
  readonly text: string;
  readonly span: Span;
  readonly expected: readonly number[];
  readonly asks: readonly number[];
}

function* differences({ zone, text, span, expected, asks }: Case): Generator<string> {
  const tested = schedule(text, zone);
  const within = (instant: number | undefined): number | undefined =>
    instant !== undefined && instant > span.from && instant <= span.to ? instant : undefined;
  const next = (instant: number) => within(nextAfter(tested, instant));
  const previous = (instant: number) => within(previousBefore(tested, instant));
  const limit = expected.length + 1;

  const ways = {
    'stepping on': steps(next, span.from, limit),
    'stepping back': steps(previous, span.to + 1, limit).toReversed(),
    listing: occurrencesBetween(tested, span, limit),
  };
  for (const [way, found] of Object.entries(ways)) yield* firstDifference(way, expected, found);

  for (const instant of asks) {
    const [before, after] = neighbours(expected, instant);
    if (next(instant) !== after) {
      yield `next after ${iso(instant)}: expected ${iso(after)}, found ${iso(next(instant))}`;
    }
    if (previous(instant) !== before) {
      yield `previous before ${iso(instant)}: expected ${iso(before)}, found ${iso(previous(instant))}`;
    }
  }
}

function* firstDifference(way: string, expected: readonly number[], found: readonly number[]) {
  const place = expected.findIndex((instant, index) => instant !== found[index]);
  const at = place === -1 ? expected.length : place;
  if (place === -1 && found.length === expected.length) return;
  const shown = (list: readonly number[]) =>
    list
      .slice(at, at + 3)
      .map(iso)
      .join(', ') || 'none';
  yield `${way}: expected ${shown(expected)}, found ${shown(found)}`;
}

/** The last of a sorted list before an instant, and the first after it. */
function neighbours(sorted: readonly number[], instant: number) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) <= instant) low = middle + 1;
    else high = middle;
  }
  const before = sorted[low - 1] === instant ? sorted[low - 2] : sorted[low - 1];
  return [before, sorted[low]] as const;
}

const OCCURRENCES_ASKED = 12;

/** Instants at which to ask afresh: those around T, around some occurrences, and by chance. */
function asksAround(centre: number, span: Span, expected: readonly number[], random: Random) {
  const some =
    expected.length <= OCCURRENCES_ASKED
      ? expected
      : Array.from({ length: OCCURRENCES_ASKED }, () => random.pick(...expected));
  const chance = Array.from({ length: 6 }, () => Math.floor(random.between(span.from, span.to)));
  const near = Array.from({ length: 6 }, () =>
    Math.floor(random.between(centre - 2 * HOUR, centre + 2 * HOUR)),
  );
  const fixed = [-HOUR, -30 * MINUTE, -1, 0, 1, 30 * MINUTE, HOUR].map((by) => centre + by);
  return [...fixed, ...near, ...chance, ...some.flatMap((at) => [at - 1, at, at + 1])];
}

/** The differences of all expressions within two days of an instant. */
function differencesAround(zone: string, centre: number): string[] {
  const span = { from: centre - 2 * DAY, to: centre + 2 * DAY };
  const looks = watch(zone, span, MINUTE);
  const random = new Random(`${zone} ${centre}`);
  return expressions.flatMap(({ text, meaning }) => {
    const expected = occurrencesAmong(looks, meaning);
    const asks = asksAround(centre, span, expected, random);
    return [...differences({ zone, text, span, expected, asks })].map(
      (difference) => `${zone} ${iso(centre)} "${text}" ${difference}`,
    );
  });
}

const at = (year: number, month: number, day: number): number => Date.UTC(year, month - 1, day);

/** With no transitions to look at: ends of months and of a year, and the leap day. */
const QUIET = [at(2026, 3, 31), at(2027, 1, 1), at(2028, 3, 1)];

/** Each transition of a history, in the zones that share it by turns. */
function centres({ zones, transitions }: History): [zone: string, centre: number][] {
  const random = new Random(zones[0]);
  const sampled = ({ at: instant }: Transition, index: number): boolean =>
    index < 2 || (instant >= at(2026, 1, 1) && instant < at(2028, 1, 1)) || random.chance(SAMPLED);
  const chosen = LONG ? transitions : transitions.filter(sampled);
  const instants = transitions.length === 0 ? QUIET : chosen.map((one) => one.at);
  return instants.map((instant, index) => [zones[index % zones.length] ?? zones[0], instant]);
}

describe('around each transition the product agrees with the reference', () => {
  test.for(histories.map((history) => [history.zones[0], history] as const))(
    'in %s',
    { timeout: TIMEOUT },
    ([, history]) => {
      const found: string[] = [];
      for (const [zone, centre] of centres(history)) {
        if (found.length < DIFFERENCES_SHOWN) found.push(...differencesAround(zone, centre));
      }

      expect(found.slice(0, DIFFERENCES_SHOWN)).toEqual([]);
    },
  );
});

const YEAR_LONG = LONG
  ? ['America/New_York', 'Australia/Lord_Howe', 'America/Santiago', 'Africa/Cairo', 'Asia/Gaza']
  : ['Australia/Lord_Howe'];

test.for(YEAR_LONG)(
  'through the whole leap year 2028 the product agrees with the reference in %s',
  { timeout: TIMEOUT },
  (zone) => {
    const span = { from: at(2028, 1, 1), to: at(2029, 1, 1) };
    const looks = watch(zone, span, MINUTE);

    const found = expressions.flatMap(({ text, meaning }) => {
      const expected = occurrencesAmong(looks, meaning);
      return [...differences({ zone, text, span, expected, asks: [] })].map(
        (difference) => `${zone} "${text}" ${difference}`,
      );
    });

    expect(found.slice(0, DIFFERENCES_SHOWN)).toEqual([]);
  },
);

describe('what the comparison rests on', () => {
  test('the zones of the world have at least 70 histories with 1000 transitions', () => {
    const transitions = histories.flatMap((history) => history.transitions);
    const zones = histories.flatMap((history) => history.zones);

    expect(histories.length).toBeGreaterThanOrEqual(70);
    expect(transitions.length).toBeGreaterThanOrEqual(1000);
    expect(zones).toHaveLength(Intl.supportedValuesOf('timeZone').length + 1);
    expect(expressions.length).toBeGreaterThanOrEqual(45);
  });

  test.skipIf(!LONG)('no two transitions hide within a day', { timeout: TIMEOUT }, () => {
    const years = { from: at(2020, 1, 1), to: at(2038, 1, 1) };

    const hourly = histories.map(({ zones }) => transitionsOf(zones[0], years, HOUR));

    expect(hourly).toEqual(histories.map(({ transitions }) => transitions));
  });
});

/** Worked out by hand from the zones' laws: zone, expression, (from, to], occurrences. */
const BY_HAND: [zone: string, text: string, from: string, to: string, expected: string][] = [
  // On 2027-03-14 New York jumps from 2:00 to 3:00 at 07:00Z.
  ['America/New_York', '30 2 * * *', '2027-03-13T12', '2027-03-15T12', '14T07:00 15T06:30'],
  ['America/New_York', '15,45 2 * * *', '2027-03-14T00', '2027-03-15T00', '14T07:00'],
  ['America/New_York', '0 2,3 * * *', '2027-03-14T00', '2027-03-15T00', '14T07:00'],
  [
    'America/New_York',
    '30 1-3 * * *',
    '2027-03-14T00',
    '2027-03-15T00',
    '14T06:30 14T07:00 14T07:30',
  ],
  ['America/New_York', '*/15 2 * * *', '2027-03-14T00', '2027-03-15T00', ''],
  ['America/New_York', '30 */2 * * *', '2027-03-14T05', '2027-03-14T09', '14T05:30 14T08:30'],
  ['America/New_York', '0 * * * *', '2027-03-14T05', '2027-03-14T08', '14T06:00 14T07:00 14T08:00'],
  ['America/New_York', '30 2 8-14 3 */7', '2027-03-01T00', '2027-04-01T00', '14T07:00'],
  ['America/New_York', '*/20 30 2 * * *', '2027-03-14T00', '2027-03-15T00', '14T07:00'],
  // On 2026-11-01 it falls back from 2:00 to 1:00 at 06:00Z.
  ['America/New_York', '30 1 * * *', '2026-11-01T00', '2026-11-02T00', '01T05:30'],
  ['America/New_York', '0 1,2 * * *', '2026-11-01T00', '2026-11-02T00', '01T05:00 01T07:00'],
  [
    'America/New_York',
    '*/30 1 * * *',
    '2026-11-01T00',
    '2026-11-02T00',
    '01T05:00 01T05:30 01T06:00 01T06:30',
  ],
  ['America/New_York', '0 * * * *', '2026-11-01T04', '2026-11-01T07', '01T05:00 01T06:00 01T07:00'],
  // On 2026-10-04 Lord Howe jumps from 2:00 to 2:30 at 15:30Z of the 3rd.
  ['Australia/Lord_Howe', '15 2 * * *', '2026-10-03T00', '2026-10-04T00', '03T15:30'],
  ['Australia/Lord_Howe', '15,30 2 * * *', '2026-10-03T00', '2026-10-04T00', '03T15:30'],
  // On 2027-04-04 it falls back from 2:00 to 1:30 at 15:00Z of the 3rd.
  ['Australia/Lord_Howe', '45 1 * * *', '2027-04-03T00', '2027-04-04T00', '03T14:45'],
  [
    'Australia/Lord_Howe',
    '*/15 1 4 4 *',
    '2027-04-03T00',
    '2027-04-04T00',
    '03T14:00 03T14:15 03T14:30 03T14:45 03T15:00 03T15:15',
  ],
  // On 2026-09-27 Chatham jumps from 2:45 to 3:45 at 14:00Z of the 26th.
  ['Pacific/Chatham', '0 3 * * *', '2026-09-26T00', '2026-09-27T00', '26T14:00'],
  ['Pacific/Chatham', '30 2,3 * * *', '2026-09-26T00', '2026-09-27T00', '26T13:45 26T14:00'],
  // Troll jumps from 1:00 to 3:00 on 2027-03-28, and falls back likewise on 2026-10-25.
  ['Antarctica/Troll', '30 1,2 * * *', '2027-03-27T12', '2027-03-28T12', '28T01:00'],
  ['Antarctica/Troll', '30 1 * * *', '2026-10-24T12', '2026-10-25T12', '24T23:30'],
  [
    'Antarctica/Troll',
    '*/30 2 * * *',
    '2026-10-24T12',
    '2026-10-25T12',
    '25T00:00 25T00:30 25T02:00 25T02:30',
  ],
  // Santiago skips the first hour of Sunday 2024-09-08, and has the last of 2024-04-06 twice.
  ['America/Santiago', '0 0 * * 0', '2024-09-07T12', '2024-09-08T12', '08T04:00'],
  ['America/Santiago', '30 0 * * 0', '2024-09-07T12', '2024-09-08T12', '08T04:00'],
  ['America/Santiago', '59 23 * * 6', '2024-04-06T12', '2024-04-07T12', '07T02:59'],
  ['America/Santiago', '0 0 * * *', '2024-04-06T12', '2024-04-07T12', '07T04:00'],
  // Nuuk skips the last hour of Saturday 2024-03-30.
  ['America/Nuuk', '0 0,23 * * *', '2024-03-30T12', '2024-03-31T12', '31T01:00'],
  ['America/Nuuk', '30 23 * * 6', '2024-03-30T12', '2024-03-31T12', '31T01:00'],
  // Cairo skips the first hour of Friday 2024-04-26, where the last Friday of April begins.
  ['Africa/Cairo', '@daily', '2024-04-25T12', '2024-04-26T12', '25T22:00'],
  ['Africa/Cairo', '30 0 * * 5L', '2024-04-01T00', '2024-05-01T00', '25T22:00'],
  // St John's changed its clock at one minute past midnight, forward on 2010-03-14.
  ['America/St_Johns', '0,1,30 0 * * *', '2010-03-14T00', '2010-03-14T12', '14T03:30 14T03:31'],
  ['America/St_Johns', '0 0 * * *', '2010-11-06T12', '2010-11-07T12', '07T02:30'],
  // Samoa left out the whole of Friday 2011-12-30, to be on the other side of the date line.
  ['Pacific/Apia', '0 9 * * *', '2011-12-29T00', '2011-12-31T00', '29T19:00 30T10:00 30T19:00'],
  ['Pacific/Apia', '0 12 * * 5', '2011-12-24T00', '2012-01-06T00', '30T10:00 05T22:00'],
  // Days, where no clock changes.
  ['UTC', '0 0 L 2 *', '2028-01-01T00', '2029-01-01T00', '29T00:00'],
  ['UTC', '0 0 13 * 5', '2026-02-05T00', '2026-02-21T00', '06T00:00 13T00:00 20T00:00'],
  ['UTC', '0 0 */2 * 1', '2026-06-01T12', '2026-06-30T00', '15T00:00 29T00:00'],
  ['UTC', '0 0 * * 1#2,5L,7#1', '2026-06-01T00', '2026-07-01T00', '07T00:00 08T00:00 26T00:00'],
  [
    'Asia/Kathmandu',
    '10 0 6/12 * * *',
    '2026-06-01T00',
    '2026-06-02T00',
    '01T00:15:10 01T12:15:10',
  ],
];

describe('what was worked out by hand', () => {
  const day = (instant: number): string =>
    iso(instant)
      .slice(8)
      .replace(/(\.000)?Z$/, '');

  test.for(BY_HAND)('in %s "%s" from %s to %s is %s', ([zone, text, from, to, expected]) => {
    const span = { from: Date.parse(`${from}:00Z`), to: Date.parse(`${to}:00Z`) };
    const every = text.split(' ').length === 6 ? SECOND : MINUTE;

    const reference = occurrencesAmong(watch(zone, span, every), readExpression(text));
    const product = occurrencesBetween(schedule(text, zone), span, 100);

    expect(reference.map(day).join(' ')).toBe(expected);
    expect(product.map(day).join(' ')).toBe(expected);
  });
});
