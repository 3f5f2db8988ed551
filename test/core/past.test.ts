import { describe, expect, test } from 'vitest';
import { defineJob, type Job, type JobDefinition } from '../../server/core/job.ts';
import { checkDates } from '../../server/core/past.ts';
import { registerJobs } from '../../server/core/register.ts';
import { readRegistry } from '../../server/core/registry.ts';
import { openService, type TestService } from '../service.ts';

const named = (name: string, definition: Partial<JobDefinition>): Job =>
  defineJob({ name, run: () => undefined, ...definition } as never);

const once = (definition: Partial<JobDefinition>): Job => named('once', definition);

/** Checks the dates of a build with other jobs than the service has, against the same store. */
const checkBuild = ({ deps }: TestService, jobs: readonly Job[]): Promise<void> =>
  checkDates({ store: deps.store, registry: readRegistry(jobs, deps.timing) });

/** Registers the jobs of another build. */
const registerBuild = ({ deps }: TestService, jobs: readonly Job[]): Promise<boolean> =>
  registerJobs(
    { ...deps, registry: readRegistry(jobs, deps.timing) },
    { adopt: true, check: true },
  );

// The service's clock stands at 2026-03-01T00:00Z.
describe('a date that has passed when its job is first registered is refused', () => {
  test.each<[string, Partial<JobDefinition>, string]>([
    ['long ago', { at: '2020-01-01T00:00Z' }, '2020-01-01T00:00:00.000Z'],
    ['a second ago', { at: '2026-02-28T23:59:59Z' }, '2026-02-28T23:59:59.000Z'],
    ['just now', { at: '2026-03-01T00:00' }, '2026-03-01T00:00:00.000Z'],
    [
      'on the clock of its zone',
      { at: '2026-03-01T01:00', timeZone: 'Europe/Berlin' },
      '2026-03-01T00:00:00.000Z',
    ],
    [
      'by its offset',
      { at: '2026-03-01T01:00+02:00', timeZone: 'America/New_York' },
      '2026-02-28T23:00:00.000Z',
    ],
  ])('%s: %j', async (_when, definition, instant) => {
    const service = await openService([]);

    const checked = checkBuild(service, [once(definition)]);

    await expect(checked).rejects.toThrow(
      `job "once": at: ${instant} is past; right would be a date to come`,
    );
  });

  test('each such job is told at once, by its name', async () => {
    const service = await openService([]);
    const jobs = [
      named('first', { at: '2020-01-01T00:00' }),
      named('to-come', { at: '2030-01-01T00:00' }),
      named('second', { at: '2021-01-01T00:00' }),
    ];

    const checked = checkBuild(service, jobs);

    await expect(checked).rejects.toThrow(/^job "first": at: .*\njob "second": at: .*$/);
  });
});

describe('what comes at some time is accepted at registration', () => {
  test.each<Partial<JobDefinition>>([
    { at: '2026-03-01T00:00:01' },
    { at: '2026-02-28T19:01', timeZone: 'America/New_York' },
    { at: '2026-03-01T01:00-05:00' },
    { every: '1d' },
    { schedule: '0 0 28 2 *' },
    { schedule: '0 0 29 2 *' },
    {},
  ])('%j', async (definition) => {
    const service = await openService([]);

    const checked = checkBuild(service, [once(definition)]);

    await expect(checked).resolves.toBeUndefined();
  });
});

describe('a job that is on record with its date', () => {
  const date = { at: '2026-03-01T00:05' };

  async function afterItsDate(): Promise<TestService> {
    const service = await openService([once(date)]);
    await service.wake('00:10:00');
    return service;
  }

  test('is no reason not to start when the date has passed', async () => {
    const service = await afterItsDate();

    const checked = checkDates(service.deps);

    await expect(checked).resolves.toBeUndefined();
  });

  test('may get another policy after its date', async () => {
    const service = await afterItsDate();

    const checked = checkBuild(service, [once({ ...date, timeout: '1m' })]);

    await expect(checked).resolves.toBeUndefined();
  });

  test('may leave the code and come back with the same date', async () => {
    const service = await afterItsDate();
    await registerBuild(service, []);

    const checked = checkBuild(service, [once(date)]);

    await expect(checked).resolves.toBeUndefined();
  });

  test.each<[string, Partial<JobDefinition>]>([
    ['another date in the past', { at: '2026-03-01T00:06' }],
    ['the same words in another zone', { ...date, timeZone: 'Europe/Berlin' }],
  ])('may not get %s', async (_what, definition) => {
    const service = await afterItsDate();

    const checked = checkBuild(service, [once(definition)]);

    await expect(checked).rejects.toThrow(/^job "once": at: .* is past/);
  });

  test('may not get a date of long ago back, once it had another schedule', async () => {
    const service = await afterItsDate();
    await registerBuild(service, [once({ every: '1h' })]);

    const checked = checkBuild(service, [once(date)]);

    await expect(checked).rejects.toThrow(/^job "once": at: 2026-03-01T00:05:00.000Z is past/);
  });
});
