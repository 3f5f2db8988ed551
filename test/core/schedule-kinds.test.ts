import { describe, expect, test } from 'vitest';
import { nextAfter, occurrencesBetween } from '../../server/core/schedule.ts';
import { wakeAll } from '../../server/core/wake.ts';
import { byHand, job, openService, type TestService } from '../service.ts';
import { testClock } from '../test-clock.ts';
import { readSchedule } from './read-schedule.ts';

/** The whole history, oldest first: `00:05 succeeded`, or a range with its number. */
async function history(service: TestService): Promise<string[]> {
  const time = (instant: number): string => new Date(instant).toISOString().slice(11, 16);
  return (await service.runs()).map(({ range, scheduledAt, state, reason }) => {
    const why = reason === null ? state : `${state}: ${reason}`;
    if (range !== null) return `${time(range.from)}–${time(range.to)} ${why} (${range.count})`;
    return `${time(scheduledAt ?? 0)} ${why}`;
  });
}

const nextScheduled = async ({ store }: TestService): Promise<number | null | undefined> =>
  (await store.read('job')).record?.nextActionAt;

describe('a job with several schedules', () => {
  const meeting = { schedule: ['0 * * * *', '*/30 * * * *'] };

  test('runs once at an instant that two of them name', async () => {
    let started = 0;
    const service = await openService([job({ ...meeting, run: () => void (started += 1) })]);

    for (const time of ['00:30:00', '01:00:00', '01:30:00']) await service.wake(time);

    expect(await history(service)).toEqual([
      '00:30 succeeded',
      '01:00 succeeded',
      '01:30 succeeded',
    ]);
    expect(started).toBe(3);
  });

  test('after an outage counts such an instant once', async () => {
    const service = await openService([job(meeting)]);

    await service.wake('03:00:00');

    expect(await history(service)).toEqual(['00:30–02:30 missed: outage (5)', '03:00 succeeded']);
  });

  test('runs by each of them', async () => {
    const service = await openService([job({ schedule: ['5 0 * * *', '7 0 1 3 *; 9 0 * * 0'] })]);

    for (const time of ['00:05:00', '00:06:00', '00:07:00', '00:08:00', '00:09:00']) {
      await service.wake(time);
    }

    expect(await history(service)).toEqual([
      '00:05 succeeded',
      '00:07 succeeded',
      '00:09 succeeded',
    ]);
  });

  test('has as many occurrences as instants that are named, in order', () => {
    const schedule = readSchedule('0 9 * * *; 0 9 * * 1; 0 8-10 * * 1; H 9 * * *');
    const monday = { from: Date.UTC(2026, 2, 2), to: Date.UTC(2026, 2, 3) };

    const found = occurrencesBetween(schedule, monday, 100);

    expect(found.map((instant) => new Date(instant).toISOString().slice(11, 16))).toEqual([
      '08:00',
      '09:00',
      '09:34',
      '10:00',
    ]);
  });

  test('that a clock change brings to one instant runs once', () => {
    const schedule = readSchedule('30 2 * * *; 15 2 * * *; 0 3 * * *', 'America/New_York');
    const night = { from: Date.parse('2026-03-08T06:00Z'), to: Date.parse('2026-03-08T12:00Z') };

    const found = occurrencesBetween(schedule, night, 100);

    expect(found).toEqual([Date.parse('2026-03-08T07:00Z')]);
  });
});

describe('a job with a period', () => {
  test('runs at its multiples since 1970, not since it was registered', async () => {
    const service = await openService([byHand({ every: '7m' })]);
    const first = await nextScheduled(service);

    // 1 March 2026 begins a minute after a multiple of seven.
    for (const time of ['00:05:59', '00:06:00', '00:12:59', '00:13:00']) await service.wake(time);

    expect(first).toBe(Date.parse('2026-03-01T00:06Z'));
    expect(await history(service)).toEqual(['00:06 succeeded', '00:13 succeeded']);
    expect(await nextScheduled(service)).toBe(Date.parse('2026-03-01T00:20Z'));
  });

  test('keeps it where clocks are changed, in whatever zone', () => {
    const schedules = ['America/New_York', 'Australia/Lord_Howe', 'UTC'].map((timeZone) =>
      readSchedule('every 2h', timeZone),
    );

    const found = schedules.map((schedule) =>
      occurrencesBetween(schedule, { from: 1000, to: Date.UTC(2030, 0) }, 500_000).every(
        (instant, i) => instant === (i + 1) * 7_200_000,
      ),
    );

    expect(found).toEqual([true, true, true]);
  });
});

describe('a job with a date', () => {
  test('runs once, and has nothing to come afterwards', async () => {
    const service = await openService([byHand({ at: '2026-03-01T00:05' })]);
    const before = await nextScheduled(service);

    for (const time of ['00:04:59', '00:05:00', '00:06:00', '12:00:00']) await service.wake(time);

    expect(before).toBe(Date.parse('2026-03-01T00:05Z'));
    expect(await history(service)).toEqual(['00:05 succeeded']);
    expect(await nextScheduled(service)).toBeNull();
    expect((await service.store.due({ limit: 5, aheadMs: 1e12 })).items).toEqual([]);
  });

  test('runs late if the service was away for a while, and is missed after long', async () => {
    const [late, missed] = await Promise.all(
      ['00:35:00', '03:00:00'].map(async (time) => {
        const service = await openService([byHand({ at: '2026-03-01T00:05' })]);
        await service.wake(time);
        return await history(service);
      }),
    );

    expect([late, missed]).toEqual([['00:05 succeeded'], ['00:05–00:05 missed: outage (1)']]);
  });

  test('is read on the clock of its zone, or by its own offset', () => {
    const texts = ['at 2026-07-01T18:00', 'at 2026-07-01T18:00Z', 'at 2026-07-01T18:00-05:30'];

    const found = texts.map((text) => nextAfter(readSchedule(text, 'America/New_York'), 0));

    expect(found).toEqual(
      ['2026-07-01T22:00Z', '2026-07-01T18:00Z', '2026-07-01T23:30Z'].map((at) => Date.parse(at)),
    );
  });

  test.each([
    [
      'that does not exist comes when the clocks have been put forward',
      '2026-03-08T02:30',
      '07:00',
    ],
    ['that comes twice comes the first time', '2026-11-01T01:30', '05:30'],
    ['that comes twice comes the second time by its offset', '2026-11-01T01:30-05:00', '06:30'],
  ])('%s', (_what, date, utc) => {
    const schedule = readSchedule(`at ${date}`, 'America/New_York');

    const found = nextAfter(schedule, 0);

    expect(found).toBe(Date.parse(`${date.slice(0, 10)}T${utc}Z`));
  });
});

test('a nightly job runs each night once while its zone puts the clocks forward', async () => {
  const clock = testClock(Date.parse('2026-03-07T00:00Z'));
  const nightly = job({ schedule: '30 2 * * *', timeZone: 'America/New_York' });
  const service = await openService([nightly], { clock });

  for (let quarters = 0; quarters < 3 * 96; quarters += 1) {
    await clock.advance(900_000);
    await wakeAll(service.deps, { aheadMs: 0, thorough: true });
    await service.settle();
  }

  const found = (await service.runs()).map(({ scheduledAt, state }) => [scheduledAt, state]);
  expect(found).toEqual(
    ['2026-03-07T07:30Z', '2026-03-08T07:00Z', '2026-03-09T06:30Z'].map((at) => [
      Date.parse(at),
      'succeeded',
    ]),
  );
});
