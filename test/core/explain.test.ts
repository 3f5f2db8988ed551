import { describe, expect, test } from 'vitest';
import { explain, lastOccurrences, type Effect } from '../../server/core/explain.ts';
import { readSchedule } from './read-schedule.ts';

const at = (iso: string): number => Date.parse(iso);
const iso = (instant: number): string => new Date(instant).toISOString().slice(0, 16);
const NEW_YEAR = at('2026-01-01T00:00Z');

/** `moved 02:30`; `twice 01:00 01:15 … 01:45 (4)`; what falls together with another has a plus. */
function effectText({ kind, times, together }: Effect): string {
  const shown = times.map((time) => new Date(time).toISOString().slice(11, 19).replace(/:00$/, ''));
  const list =
    shown.length <= 3
      ? shown.join(' ')
      : `${shown[0]} ${shown[1]} … ${shown.at(-1)} (${shown.length})`;
  return `${kind}${together ? '+' : ''} ${list}`.trim();
}

/** What a schedule does at the next two clock changes of a zone, from an instant on. */
const changes = (timeZone: string, text: string, from = NEW_YEAR): string[] =>
  explain(readSchedule(text, timeZone), from, 1).clockChanges.map(({ from: shows, effects }) =>
    [iso(shows), ...effects.map(effectText)].join(' ').replace(/T\d\d:\d\d/, ''),
  );

describe('the next occurrences', () => {
  test('are as many as asked for, from an instant that is not one of them', () => {
    const schedule = readSchedule('30 2 * * *', 'America/New_York');

    const { occurrences } = explain(schedule, at('2026-03-07T07:30Z'), 3);

    expect(occurrences.map(iso)).toEqual([
      '2026-03-08T07:00',
      '2026-03-09T06:30',
      '2026-03-10T06:30',
    ]);
  });

  test.each([
    ['a date to come is one', 'at 2027-03-01T18:00', ['2027-03-01T18:00']],
    ['a date that has passed is none', 'at 2020-03-01T18:00', []],
    [
      'of two rules they are in order',
      '0 9 1 1 *; 0 8 1 1 *',
      ['2026-01-01T08:00', '2026-01-01T09:00'],
    ],
    [
      'an instant that two rules name is one',
      '0 9 1 1 *; 0 9 * 1 4',
      ['2026-01-01T09:00', '2026-01-08T09:00'],
    ],
    ['a period counts from 1970', 'every 7d', ['2026-01-01T00:00', '2026-01-08T00:00']],
  ])('%s: %s', (_what, text, expected) => {
    const { occurrences } = explain(readSchedule(text), NEW_YEAR - 1, 2);

    expect(occurrences.map(iso)).toEqual(expected);
  });

  test('none are asked for, none are found', () => {
    const { occurrences } = explain(readSchedule('* * * * *'), NEW_YEAR, 0);

    expect(occurrences).toEqual([]);
  });
});

describe('the last occurrences', () => {
  test('come latest first, and the instant itself is none of them', () => {
    const schedule = readSchedule('30 2 * * *', 'America/New_York');

    const found = lastOccurrences(schedule, at('2026-03-09T06:30Z'), 3);

    expect(found.map(iso)).toEqual(['2026-03-08T07:00', '2026-03-07T07:30', '2026-03-06T07:30']);
  });

  test('of a date are itself or nothing', () => {
    const schedule = readSchedule('at 2026-03-01T18:00');

    const found = ['2026-03-01T18:00Z', '2026-03-01T18:01Z'].map((before) =>
      lastOccurrences(schedule, at(before), 5).map(iso),
    );

    expect(found).toEqual([[], ['2026-03-01T18:00']]);
  });
});

describe('at the next two clock changes fixed times are moved, or run once', () => {
  test.each([
    ['America/New_York', '30 2 * * *', '2026-03-08 moved 02:30', '2026-11-01'],
    ['America/New_York', '0 2 * * *', '2026-03-08 moved 02:00', '2026-11-01'],
    ['America/New_York', '0 3 * * *', '2026-03-08', '2026-11-01'],
    ['America/New_York', '30 1 * * *', '2026-03-08', '2026-11-01 once 01:30'],
    [
      'America/New_York',
      '0,30 1,2 * * *',
      '2026-03-08 moved 02:00 02:30',
      '2026-11-01 once 01:00 01:30',
    ],
    ['America/New_York', '30 0-3 * * *', '2026-03-08 moved 02:30', '2026-11-01 once 01:30'],
    [
      'America/New_York',
      '0-59/15 2 * * *',
      '2026-03-08 moved 02:00 02:15 … 02:45 (4)',
      '2026-11-01',
    ],
    ['America/New_York', '30 2 * * 1', '2026-03-08', '2026-11-01'],
    ['America/New_York', '30 1 1 11 *', '2026-03-08', '2026-11-01 once 01:30'],
    ['Europe/London', '30 1 * * *', '2026-03-29 moved 01:30', '2026-10-25 once 01:30'],
    ['Australia/Lord_Howe', '15 2 * * *', '2026-04-05', '2026-10-04 moved 02:15'],
    ['Australia/Lord_Howe', '30 2 * * *', '2026-04-05', '2026-10-04'],
    ['Australia/Lord_Howe', '45 1 * * *', '2026-04-05 once 01:45', '2026-10-04'],
    ['Pacific/Chatham', '0 3 * * *', '2026-04-05 once 03:00', '2026-09-27 moved 03:00'],
    ['Pacific/Chatham', '30 2 * * *', '2026-04-05', '2026-09-27'],
    [
      'Antarctica/Troll',
      '30 1,2 * * *',
      '2026-03-29 moved 01:30 02:30',
      '2026-10-25 once 01:30 02:30',
    ],
    ['America/Santiago', '@daily', '2026-04-05', '2026-09-06 moved 00:00'],
    ['America/Santiago', '30 23 * * *', '2026-04-05 once 23:30', '2026-09-06'],
    ['Africa/Casablanca', '30 2 * * *', '2026-02-15 once 02:30', '2026-03-22 moved 02:30'],
  ])('in %s "%s": %s, then %s', (timeZone, text, ...expected) => {
    const found = changes(timeZone, text);

    expect(found).toEqual(expected);
  });
});

describe('at clock changes what follows real time is left out, or runs twice', () => {
  test.each([
    ['America/New_York', '*/30 2 * * *', '2026-03-08 left-out 02:00 02:30', '2026-11-01'],
    ['America/New_York', '* 2 * * *', '2026-03-08 left-out 02:00 02:01 … 02:59 (60)', '2026-11-01'],
    [
      'America/New_York',
      '*/20 1,2 * * *',
      '2026-03-08 left-out 02:00 02:20 02:40',
      '2026-11-01 twice 01:00 01:20 01:40',
    ],
    ['America/New_York', '0 */2 * * *', '2026-03-08 left-out 02:00', '2026-11-01'],
    ['America/New_York', '*/30 1 1 11 *', '2026-03-08', '2026-11-01 twice 01:00 01:30'],
    ['Australia/Lord_Howe', '@hourly', '2026-04-05', '2026-10-04 left-out 02:00'],
    [
      'Australia/Lord_Howe',
      '*/20 * * * *',
      '2026-04-05 twice 01:40',
      '2026-10-04 left-out 02:00 02:20',
    ],
    ['America/Santiago', '*/30 0 * * *', '2026-04-05', '2026-09-06 left-out 00:00 00:30'],
    ['America/Santiago', '*/30 23 * * *', '2026-04-05 twice 23:00 23:30', '2026-09-06'],
  ])('in %s "%s": %s, then %s', (timeZone, text, ...expected) => {
    const found = changes(timeZone, text);

    expect(found).toEqual(expected);
  });
});

describe('what comes again an hour later is steady, through a change of whole hours', () => {
  test.each([
    ['America/New_York', '@hourly', '02:00', '01:00'],
    ['America/New_York', '30 * * * *', '02:30', '01:30'],
    ['America/New_York', '*/30 * * * *', '02:00 02:30', '01:00 01:30'],
    // Not evenly apart: 0 and 45 past each hour, as on any day
    ['America/New_York', '*/45 * * * *', '02:00 02:45', '01:00 01:45'],
    ['America/New_York', '10,20 * * * *', '02:10 02:20', '01:10 01:20'],
    ['America/New_York', '*/30 0-6 * * *', '02:00 02:30', '01:00 01:30'],
    [
      'America/New_York',
      '*/15 * * * * *',
      '02:00 02:00:15 … 02:59:45 (240)',
      '01:00 01:00:15 … 01:59:45 (240)',
    ],
    ['Pacific/Chatham', '@hourly', '03:00', '03:00'],
    ['Antarctica/Troll', '@hourly', '01:00 02:00', '01:00 02:00'],
    ['Australia/Lord_Howe', '*/30 * * * *', '02:00', '01:30'],
    ['Australia/Lord_Howe', '5,35 * * * *', '02:05', '01:35'],
  ])('in %s "%s": %s where put forward, %s where put back', (timeZone, text, forward, back) => {
    const found = changes(timeZone, text).map((change) => change.slice('2026-01-01 '.length));

    expect(found.toSorted()).toEqual([`steady ${forward}`, `steady ${back}`].toSorted());
  });
});

describe('of several rules', () => {
  test.each([
    ['30 2 * * *; 30 1 * * *', '2026-03-08 moved 02:30', '2026-11-01 once 01:30'],
    ['30 2 * * *; */30 2 * * *', '2026-03-08 moved 02:30 left-out 02:00 02:30', '2026-11-01'],
    ['0 12 * * *; 0 9 * * *', '2026-03-08', '2026-11-01'],
  ])('each that a change concerns is told by itself: %s', (text, ...expected) => {
    const found = changes('America/New_York', text);

    expect(found).toEqual(expected);
  });

  test.each([
    ['another rule', '30 2 * * *; 0 3 * * *', 'moved+ 02:30'],
    ['a rule by real time', '30 2 * * *; */30 * * * *', 'moved+ 02:30 steady 02:00 02:30'],
    ['its own time at the end of the gap', '0,30 2,3 * * *', 'moved+ 02:00 02:30'],
    ['what another rule has moved', '30 2 * * *; 15 2 * * *', 'moved+ 02:30 moved+ 02:15'],
  ])('what is moved falls together with %s: %s', (_what, text, expected) => {
    const [found] = changes('America/New_York', text);

    expect(found).toBe(`2026-03-08 ${expected}`);
  });

  test.each(['30 2 * * *; 1 3 * * *', '30 2,3 * * *; 0 12 * * *'])(
    'what is moved is alone where nothing else comes at the end of the gap: %s',
    (text) => {
      const [found] = changes('America/New_York', text);

      expect(found).toBe('2026-03-08 moved 02:30');
    },
  );
});

describe('of a period and of a date', () => {
  test.each([
    ['every 15m', '2026-03-08 steady', '2026-11-01 steady'],
    ['every 1d', '2026-03-08 steady', '2026-11-01 steady'],
    ['at 2026-03-08T02:30', '2026-03-08 moved 02:30', '2026-11-01'],
    ['at 2026-03-08T03:00', '2026-03-08', '2026-11-01'],
    ['at 2026-11-01T01:30', '2026-03-08', '2026-11-01 once 01:30'],
    // With an offset there is nothing to doubt.
    ['at 2026-11-01T01:30-05:00', '2026-03-08', '2026-11-01'],
    ['at 2026-03-08T07:00:00Z', '2026-03-08', '2026-11-01'],
  ])('in New York "%s": %s, then %s', (text, ...expected) => {
    const found = changes('America/New_York', text);

    expect(found).toEqual(expected);
  });
});

describe('with seconds', () => {
  test.each([
    ['30 30 2 * * *', '2026-03-08 moved 02:30:30', '2026-11-01'],
    ['0,30 30 2 * * *', '2026-03-08 moved 02:30 02:30:30', '2026-11-01'],
    ['30 30 1 * * *', '2026-03-08', '2026-11-01 once 01:30:30'],
    ['30 */30 1 * * *', '2026-03-08', '2026-11-01 twice 01:00:30 01:30:30'],
    // The star in the field of seconds is not in minute or hour.
    ['*/30 30 2 * * *', '2026-03-08 moved 02:30 02:30:30', '2026-11-01'],
  ])('"%s": %s, then %s', (text, ...expected) => {
    const found = changes('America/New_York', text);

    expect(found).toEqual(expected);
  });
});

describe('the clock changes told', () => {
  test.each(['UTC', 'Etc/GMT-14', 'Asia/Tokyo', 'America/Sao_Paulo', 'Asia/Tehran'])(
    '%s has none, though it may have had some before 2026',
    (timeZone) => {
      const found = changes(timeZone, '30 2 * * *');

      expect(found).toEqual([]);
    },
  );

  test('a zone about to end daylight saving has one more, and what was is not told', () => {
    const found = [
      changes('America/Sao_Paulo', '30 23 * * *', at('2019-01-01T00:00Z')),
      changes('Asia/Tehran', '@daily', at('2022-01-01T00:00Z')),
    ];

    expect(found).toEqual([['2019-02-17 once 23:30'], ['2022-03-22 moved 00:00', '2022-09-22']]);
  });

  test('one that happens at the instant asked from is past, one a millisecond later is not', () => {
    const change = at('2026-03-08T07:00Z');

    const found = [change, change - 1].map(
      (from) => changes('America/New_York', '30 2 * * *', from)[0],
    );

    expect(found).toEqual(['2026-11-01', '2026-03-08 moved 02:30']);
  });

  test('say what the wall clock would have shown and what it shows, counted as if in UTC', () => {
    const { clockChanges } = explain(readSchedule('0 12 * * *', 'Pacific/Chatham'), NEW_YEAR, 1);

    expect(clockChanges.map(({ at: instant, from, to }) => [instant, from, to].map(iso))).toEqual([
      ['2026-04-04T14:00', '2026-04-05T03:45', '2026-04-05T02:45'],
      ['2026-09-26T14:00', '2026-09-27T02:45', '2026-09-27T03:45'],
    ]);
  });

  test('a day that a move across the date line left out is one, too', () => {
    const found = changes('Pacific/Apia', '0 12 * * *', at('2011-12-01T00:00Z'));

    expect(found[0]).toBe('2011-12-30 moved 12:00');
  });
});
