import { describe, expect, test } from 'vitest';
import { explain, type ClockChange } from '../../server/core/explain.ts';
import { changeWords, harmless, warnings } from '../../views/clock-changes.ts';
import { readSchedule } from '../core/read-schedule.ts';

/** What is told of a schedule at the next two clock changes after New Year 2026, or another day. */
function changes(timeZone: string, text: string, from = '2026-01-01'): readonly ClockChange[] {
  const schedule = readSchedule(text, timeZone);
  return explain(schedule, Date.parse(`${from}T00:00Z`), 1).clockChanges;
}

describe('a warning says which times a change concerns, and what becomes of them', () => {
  test.each([
    ['30 2 * * *', '8 March 2026: 02:30 does not exist, runs 03:00'],
    ['0 1,2 * * *', '8 March 2026: 02:00 does not exist, runs 03:00'],
    [
      '0,30 2 * * *',
      '8 March 2026: 02:00 and 02:30 do not exist, runs 03:00, once for all of them',
    ],
    [
      '0-59/20 2 * * *',
      '8 March 2026: 02:00 to 02:40 do not exist, runs 03:00, once for all of them',
    ],
    [
      '0,30 2,3 * * *',
      '8 March 2026: 02:00 and 02:30 do not exist, runs 03:00, as one with the run that is due then',
    ],
    ['30 30 2 * * *', '8 March 2026: 02:30:30 does not exist, runs 03:00'],
    [
      '0,30 30 2 * * *',
      '8 March 2026: 02:30:00 and 02:30:30 do not exist, runs 03:00, once for all of them',
    ],
    ['*/40 2 * * *', '8 March 2026: 02:00 and 02:40 do not exist, 2 runs fall out'],
    ['* 2 * * *', '8 March 2026: 02:00 to 02:59 do not exist, 60 runs fall out'],
    ['0 */2 * * *', '8 March 2026: 02:00 does not exist, does not run'],
    ['at 2026-03-08T02:30', '8 March 2026: 02:30 does not exist, runs 03:00'],
  ])('in New York in March, "%s"', (text, warning) => {
    const [march] = changes('America/New_York', text);

    const found = warnings(march === undefined ? [] : [march]);

    expect(found).toEqual([warning]);
  });

  test.each([
    ['30 1 * * *', '1 November 2026: 01:30 comes twice, runs the first time only'],
    ['0,30 1 * * *', '1 November 2026: 01:00 and 01:30 come twice, runs the first time only'],
    ['0-59/20 1 * * *', '1 November 2026: 01:00 to 01:40 come twice, runs the first time only'],
    ['*/30 1 * * *', '1 November 2026: 01:00 and 01:30 come twice, runs both times, so 4 times'],
    ['*/20 1 * * *', '1 November 2026: 01:00 to 01:40 come twice, runs both times, so 6 times'],
    ['at 2026-11-01T01:30', '1 November 2026: 01:30 comes twice, runs the first time only'],
  ])('in New York in November, "%s"', (text, warning) => {
    const [, november] = changes('America/New_York', text);

    const found = warnings(november === undefined ? [] : [november]);

    expect(found).toEqual([warning]);
  });

  test.each([
    ['Australia/Lord_Howe', '15 2 * * *', ['4 October 2026: 02:15 does not exist, runs 02:30']],
    [
      'Australia/Lord_Howe',
      '*/20 * * * *',
      [
        '5 April 2026: 01:40 comes twice, runs both times',
        '4 October 2026: 02:00 and 02:20 do not exist, 2 runs fall out',
      ],
    ],
    [
      'Pacific/Chatham',
      '0 3 * * *',
      [
        '5 April 2026: 03:00 comes twice, runs the first time only',
        '27 September 2026: 03:00 does not exist, runs 03:45',
      ],
    ],
    [
      'Antarctica/Troll',
      '0 2 * * *',
      [
        '29 March 2026: 02:00 does not exist, runs 03:00',
        '25 October 2026: 02:00 comes twice, runs the first time only',
      ],
    ],
    ['America/Santiago', '@daily', ['6 September 2026: 00:00 does not exist, runs 01:00']],
    // The hour that comes twice is the last of the 4th: the date is that of the times, not midnight's.
    [
      'America/Santiago',
      '30 23 * * *',
      ['4 April 2026: 23:30 comes twice, runs the first time only'],
    ],
    ['America/New_York', '0 12 * * *', []],
    ['UTC', '30 2 * * *', []],
  ])('in %s "%s": %j', (timeZone, text, expected) => {
    const found = warnings(changes(timeZone, text));

    expect(found).toEqual(expected);
  });

  test('each rule that a change concerns has a line', () => {
    const found = warnings(changes('America/New_York', '30 2 * * *; 15 2 * * *; */30 1 * * *'));

    const together = 'runs 03:00, as one with the run that is due then';
    expect(found).toEqual([
      `8 March 2026: 02:30 does not exist, ${together}`,
      `8 March 2026: 02:15 does not exist, ${together}`,
      '1 November 2026: 01:00 and 01:30 come twice, runs both times, so 4 times',
    ]);
  });

  test('where a gap ends on another day, the day is told', () => {
    const found = warnings(changes('Pacific/Apia', '0 12 * * 5', '2011-12-01'));

    expect(found).toEqual(['30 December 2011: 12:00 does not exist, runs 31 December 2011 00:00']);
  });
});

describe('a change is told with its day, its way and how far clocks go', () => {
  test.each([
    [
      'America/New_York',
      '8 March 2026: clocks go forward 1 h, from 02:00 to 03:00',
      '1 November 2026: clocks go back 1 h, from 02:00 to 01:00',
    ],
    [
      'Australia/Lord_Howe',
      '5 April 2026: clocks go back 30 min, from 02:00 to 01:30',
      '4 October 2026: clocks go forward 30 min, from 02:00 to 02:30',
    ],
    [
      'Antarctica/Troll',
      '29 March 2026: clocks go forward 2 h, from 01:00 to 03:00',
      '25 October 2026: clocks go back 2 h, from 03:00 to 01:00',
    ],
    [
      'America/Santiago',
      '4 April 2026: clocks go back 1 h, from 00:00 to 23:00',
      '6 September 2026: clocks go forward 1 h, from 00:00 to 01:00',
    ],
  ])('in %s: %s', (timeZone, ...expected) => {
    const found = changes(timeZone, '0 12 * * *').map(changeWords);

    expect(found).toEqual(expected);
  });
});

describe('a change that does no harm is said to', () => {
  test.each([
    ['0 12 * * *', 'nothing is scheduled then'],
    ['0 3 * * *', 'nothing is scheduled then'],
    ['*/5 * * * *', 'runs keep their pace'],
    ['*/45 * * * *', 'runs keep their pace'],
    ['every 15m', 'runs keep their pace'],
    ['30 2 * * *', undefined],
    ['30 2 * * *; */5 * * * *', undefined],
  ])('"%s" in March in New York: %s', (text, words) => {
    const [march] = changes('America/New_York', text);

    const found = march === undefined ? 'no change' : harmless(march);

    expect(found).toBe(words);
  });

  test('and is no warning', () => {
    const found = ['0 12 * * *', '*/5 * * * *', '*/45 * * * *', 'every 15m'].flatMap((text) =>
      warnings(changes('America/New_York', text)),
    );

    expect(found).toEqual([]);
  });
});
