import { describe, expect, test } from 'vitest';
import { defineJob, type Job, type JobDefinition } from '../../server/core/job.ts';

const define = (definition: Partial<JobDefinition>): Job =>
  defineJob({ name: 'nightly-report', run: () => undefined, ...definition } as never);

describe('what names the occurrences of a job becomes one text', () => {
  test.each<[Partial<JobDefinition>, string | null]>([
    [{ schedule: '0 2 * * *' }, '0 2 * * *'],
    [{ schedule: ['0 2 * * *'] }, '0 2 * * *'],
    [{ schedule: ['0 9 * * 1-5', '0 12 * * 6'] }, '0 9 * * 1-5; 0 12 * * 6'],
    [{ schedule: '0 9 * * 1-5; 0 12 * * 6' }, '0 9 * * 1-5; 0 12 * * 6'],
    [{ schedule: ['@hourly', 'H 3 * * *'] }, '@hourly; H 3 * * *'],
    [{ schedule: '*/10 * * * * *' }, '*/10 * * * * *'],
    [{ every: '15m' }, 'every 15m'],
    [{ every: 900_000 }, 'every 15m'],
    [{ every: '1.5h' }, 'every 90m'],
    [{ every: '120s' }, 'every 2m'],
    [{ every: '24h' }, 'every 1d'],
    [{ every: 1000 }, 'every 1s'],
    [{ every: '366d' }, 'every 366d'],
    [{ at: '2027-03-01T18:00' }, 'at 2027-03-01T18:00'],
    [{ at: '2027-03-01 18:00:30' }, 'at 2027-03-01 18:00:30'],
    [{ at: '2020-03-01T18:00:00+13:45' }, 'at 2020-03-01T18:00:00+13:45'],
    [{}, null],
    [{ timeZone: 'Europe/London' }, null],
  ])('%j: %s', (definition, text) => {
    const job = define(definition);

    expect(job.problems).toEqual([]);
    expect(job.schedule).toBe(text);
  });
});

test.each([
  [undefined, null],
  [false, null],
  [true, { memoryMb: 512 }],
  [{ memoryMb: 64 }, { memoryMb: 64 }],
])('isolate: %j gives its handler a worker with %j', (isolate, given) => {
  const job = define({ ...(isolate !== undefined && { isolate }) });

  expect(job.problems).toEqual([]);
  expect(job.isolate).toEqual(given);
});

describe('what is wrong with it stands under the field that has it', () => {
  const cron = 'expected cron text such as "0 2 * * *", or a list of such texts, got';
  const period = 'expected a duration such as "15m" or milliseconds, got';
  const date =
    'expected a date and time such as "2027-03-01T18:00" on the clock of the time zone, got';

  test.each<[Record<string, unknown>, string, string]>([
    // Not of the right kind
    [{ schedule: 5 }, 'schedule', `${cron} 5`],
    [{ schedule: [] }, 'schedule', `${cron} []`],
    [{ schedule: ['0 2 * * *', 5] }, 'schedule', `${cron} ["0 2 * * *",5]`],
    [{ schedule: { minute: 5 } }, 'schedule', `${cron} {"minute":5}`],
    [{ every: 'often' }, 'every', `${period} "often"`],
    [{ every: NaN }, 'every', `${period} NaN`],
    [{ every: Infinity }, 'every', `${period} Infinity`],
    [{ every: ['15m'] }, 'every', `${period} ["15m"]`],
    [{ every: '1w' }, 'every', `${period} "1w"`],
    [{ at: 1_800_000_000_000 }, 'at', `${date} 1800000000000`],
    [{ at: new Date(0) }, 'at', `${date} "1970-01-01T00:00:00.000Z"`],
    [{ at: ['2027-03-01T18:00'] }, 'at', `${date} ["2027-03-01T18:00"]`],
    [{ isolate: 512 }, 'isolate', 'expected true, false or { memoryMb: 512 }, got 512'],
    [{ isolate: { memoryMb: 8 } }, 'isolate.memoryMb', 'is 8; right would be 32 to 65536'],
    [{ isolate: { memory: 64 } }, 'isolate.memory', 'unknown field; known here are memoryMb'],
    [{ timeZone: 5 }, 'timeZone', 'expected an IANA name such as "UTC", got 5'],

    // Out of range
    [{ schedule: '61 * * * *' }, 'schedule', 'minute 61 is outside 0–59'],
    [
      { schedule: ['0 2 * * *', '61 * * * *'] },
      'schedule',
      'rule 2 of 2, "61 * * * *": minute 61 is outside 0–59',
    ],
    [
      { schedule: ['0 2 * * *', ''] },
      'schedule',
      'rule 2 of 2, "": the text is empty: expected five fields (minute hour day-of-month month ' +
        'day-of-week)',
    ],
    [
      { schedule: Array.from({ length: 21 }, () => '* * * * *') },
      'schedule',
      '21 rules are too many: at most 20 make a schedule',
    ],
    [{ every: '500ms' }, 'every', '"500ms" is too short: at least 1s'],
    [{ every: '-15m' }, 'every', '"-15m" is too short: at least 1s'],
    [{ every: '1500ms' }, 'every', '"1500ms" is not a whole number of seconds'],
    [{ every: '367d' }, 'every', '"367d" is too long: at most 366d'],
    [
      { at: 'tomorrow' },
      'at',
      '"tomorrow" is not a date and time to the second, such as "2027-03-01T18:00" on the clock ' +
        'of the time zone, or "2027-03-01T18:00:00Z"',
    ],
    [
      { at: '2027-02-29T10:00' },
      'at',
      '"2027-02-29T10:00" names a day or a time of day that does not exist',
    ],

    // Not together
    [
      { schedule: '0 2 * * *', every: '15m' },
      'every',
      'a job has one of schedule, every and at; it has schedule already',
    ],
    [
      { every: '15m', at: '2027-03-01T18:00' },
      'at',
      'a job has one of schedule, every and at; it has every already',
    ],
    [
      { schedule: ['every 5m', '0 2 * * *'] },
      'schedule',
      '"every 5m" stands alone: only cron text can be combined',
    ],

    // The zone is looked at in any case.
    ...[{ schedule: '0 2 * * *' }, { every: '15m' }, { at: '2027-03-01T18:00' }, {}].map(
      (kind): [Record<string, unknown>, string, string] => [
        { ...kind, timeZone: 'GMT+5' },
        'timeZone',
        'time zone "GMT+5" is not an IANA name, such as "Europe/London"',
      ],
    ),
  ])('%j: %s: %s', (definition, field, message) => {
    const { problems } = define(definition);

    expect(problems).toEqual([{ field, message }]);
  });

  test('all of it at once', () => {
    const { problems } = define({
      schedule: '61 24 * * *',
      at: '2027-03-01T18:00',
      timeZone: 'Mars/Olympus',
    });

    expect(problems.map(({ field }) => field)).toEqual(['at', 'schedule', 'schedule', 'timeZone']);
  });
});
