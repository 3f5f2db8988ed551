import { describe, expect, test } from 'vitest';
import { call } from './call.ts';

const schedule = (...words: readonly string[]) => call('schedule.ts', words);

const NEW_YORK = ['30 2 * * *', 'America/New_York', '--from', '2026-03-07T00:00:00Z'] as const;

describe('npm run schedule -- --json', () => {
  test('answers with the schedule, its words, its occurrences and what clock changes do', () => {
    const { status, out, err } = schedule(...NEW_YORK, '--count', '3', '--json');

    expect([status, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toEqual({
      expression: '30 2 * * *',
      timeZone: 'America/New_York',
      words: 'At 02:30',
      occurrences: [
        '2026-03-07T07:30:00.000Z',
        '2026-03-08T07:00:00.000Z',
        '2026-03-09T06:30:00.000Z',
      ],
      warnings: ['8 March 2026: 02:30 does not exist, runs 03:00'],
    });
  });

  test('has these keys in this order, and ten occurrences if no number is given', () => {
    const { out } = schedule(...NEW_YORK, '--json');

    const answer: Record<string, unknown[]> = JSON.parse(out);
    expect(Object.keys(answer)).toEqual([
      'expression',
      'timeZone',
      'words',
      'occurrences',
      'warnings',
    ]);
    expect(answer['occurrences']).toHaveLength(10);
    expect(answer['occurrences']?.[0]).toBe('2026-03-07T07:30:00.000Z');
  });

  test('with --previous has the occurrences before that instant, the latest first', () => {
    const { out } = schedule(...NEW_YORK, '--count', '2', '--previous', '--json');

    const { occurrences, warnings } = JSON.parse(out);
    expect(occurrences).toEqual(['2026-03-06T07:30:00.000Z', '2026-03-05T07:30:00.000Z']);
    expect(warnings).toEqual(['8 March 2026: 02:30 does not exist, runs 03:00']);
  });

  test('gives the text as it was typed, also where it is not what it stands for', () => {
    const { out } = schedule('  @Daily', '--json', '--count', '1', '--name', 'x');

    expect(JSON.parse(out)).toMatchObject({
      expression: '  @Daily',
      timeZone: 'UTC',
      words: 'At 00:00',
    });
  });

  test('of a date that has passed has no occurrences, and of UTC no warnings', () => {
    const { status, out } = schedule('at 2020-01-01T00:00', '--json');

    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ occurrences: [], warnings: [] });
  });
});

describe('npm run schedule', () => {
  test('tells the words, each occurrence in UTC and on the clock there, and the changes', () => {
    const { status, out, err } = schedule(...NEW_YORK, '--count', '2');

    expect([status, err]).toEqual([0, '']);
    expect(out.split('\n')).toEqual([
      '30 2 * * *  America/New_York',
      'At 02:30',
      '',
      '  2026-03-07T07:30:00.000Z  Sat 7 March 2026, 02:30',
      '  2026-03-08T07:00:00.000Z  Sun 8 March 2026, 03:00',
      '',
      '8 March 2026: 02:30 does not exist, runs 03:00',
      '1 November 2026: clocks go back 1 h, from 02:00 to 01:00; nothing is scheduled then',
      '',
    ]);
  });

  test('without a time zone it is UTC, told once and without clock changes', () => {
    const { out } = schedule('@hourly', '--from', '2026-03-07T00:00:00Z', '--count', '1');

    expect(out).toBe('0 * * * *  UTC\nEvery hour\n\n  2026-03-07T01:00:00.000Z\n');
  });

  test.each([
    ['0 9 * * 1-5; 0 12 * * 6', ['2026-03-07T12:00', '2026-03-09T09:00']],
    ['every 90m', ['2026-03-07T01:30', '2026-03-07T03:00']],
    ['at 2026-03-07T18:00', ['2026-03-07T18:00']],
    ['*/30 * * * * *', ['2026-03-07T00:00:30', '2026-03-07T00:01']],
  ])('takes "%s"', (text, expected) => {
    const { out } = schedule(text, '--from', '2026-03-07T00:00:00Z', '--count', '2', '--json');

    const { occurrences } = JSON.parse(out);
    expect(occurrences).toEqual(expected.map((instant) => new Date(`${instant}Z`).toISOString()));
  });

  test('tells that nothing comes after that, or came before it', () => {
    const date = ['at 2026-03-07T18:00', '--from', '2026-03-07T18:00:00Z'];

    const [after, before] = [schedule(...date), schedule(...date, '--previous')];

    expect(after.out).toContain('\n  none after that\n');
    expect(before.out).toContain('\n  none before that\n');
  });

  test('draws H for the job that is named, and tells what it became', () => {
    const [one, other] = ['nightly-report', 'send-invoices'].map(
      (name) => schedule('H H * * *', '--name', name).out.split('\n')[0],
    );

    expect([one, other]).toEqual(['34 13 * * *  UTC', '56 10 * * *  UTC']);
  });

  test('with --help tells how it is called, and exits 0', () => {
    const { status, out } = schedule('--help');

    expect(status).toBe(0);
    expect(out).toContain('npm run schedule -- "30 2 * * *" America/New_York');
  });
});

describe('what is refused exits 2, with the reason on stderr and nothing on stdout', () => {
  const five = 'five fields (minute hour day-of-month month day-of-week)';

  test.each([
    [['61 2 * * *'], 'schedule: minute 61 is outside 0–59'],
    [['*/90 * * * *'], 'schedule: minute step 90 is outside 1–59'],
    [[''], `schedule: the text is empty: expected ${five}`],
    [
      ['5 *'],
      `schedule: expected ${five}, or six with the second first, got 2: day-of-month, month and ` +
        'day-of-week are missing',
    ],
    [['-5 * * * *'], 'schedule: minute "-5" is not a number or a range such as 1-5'],
    [
      ['30 2 * * * America/New_York'],
      'schedule: "America/New_York" is not cron text: time zone and command have settings of their own',
    ],
    [['0 0 30 2 *'], 'schedule: never comes: no month named has a day 30'],
    [['every 5'], 'schedule: "5" is not a duration such as "15m", in s, m, h or d'],
    [
      ['30 2 * * *', 'Mars/Olympus'],
      'timeZone: time zone "Mars/Olympus" is not an IANA name, such as "Europe/London"',
    ],
    [
      ['@daily', 'America/New York'],
      'timeZone: time zone "America/New York" is not an IANA name, such as "Europe/London"',
    ],
    [
      ['61 24 * * *', 'GMT+5'],
      'schedule: minute 61 is outside 0–59\nschedule: hour 24 is outside 0–23\n' +
        'timeZone: time zone "GMT+5" is not an IANA name, such as "Europe/London"',
    ],
  ])('%j', (words, reason) => {
    const { status, out, err } = schedule(...words, '--json');

    expect({ status, out, err }).toEqual({ status: 2, out: '', err: `${reason}\n` });
  });

  test.each([
    [['@daily', '--count', '0'], /^--count is "0"; right would be a whole number from 1 to 100000/],
    [['@daily', '--count', 'ten'], /^--count is "ten"; right would be a whole number/],
    [['@daily', '--count', '100001'], /^--count is "100001"/],
    [['@daily', '--from', 'yesterday'], /^--from is "yesterday"; right would be such as 2026-/],
    [['@daily', '--from', '2026-03-07 07:30'], /^--from is "2026-03-07 07:30"; right would be/],
    [['@daily', '--form', '2026-03-07T07:30:00Z'], /^Unknown option '--form'/],
    [['@daily', '--count'], /'--count <value>' argument missing/],
    [['@daily', 'UTC', 'more'], /^expected a schedule in quotes and a time zone, got more too/],
    [['0', '2', '*', '*', '*'], /^expected a schedule in quotes and a time zone, got \* \* \* too/],
  ])('%j', (words, reason) => {
    const { status, out, err } = schedule(...words);

    expect([status, out]).toEqual([2, '']);
    expect(err).toMatch(reason);
    expect(err).not.toMatch(/^ +at /m);
  });

  test('but without a schedule it tells how it is called', () => {
    const { status, out } = schedule();

    expect(status).toBe(2);
    expect(out).toContain('npm run schedule -- ');
  });
});
