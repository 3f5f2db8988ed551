import { describe, expect, test } from 'vitest';
import { defineJob, type JobDefinition } from '../../server/core/job.ts';
import { readRegistry, RegistryProblems } from '../../server/core/registry.ts';
import { paceOf, type Pace } from '../../server/core/spacing.ts';
import { timing } from '../../server/core/time.ts';

const MINUTE = 60_000;
const SQLITE = paceOf('sqlite', null);
const FIRESTORE = paceOf('firestore', null);
const TICK_EACH_MINUTE = paceOf('sqlite', MINUTE);
const TICK_EACH_5_MINUTES = paceOf('sqlite', 5 * MINUTE);

/** What a service of that pace says of a job named "job" before it starts. */
function refusals(definition: Partial<JobDefinition>, pace: Pace): readonly string[] {
  const job = defineJob({ name: 'job', run: () => undefined, ...definition } as never);
  try {
    readRegistry([job], timing({ leaseMs: 90_000, tickMs: MINUTE }), pace);
    return [];
  } catch (error) {
    if (error instanceof RegistryProblems) return error.problems;
    throw error;
  }
}

describe('on Firestore no job comes closer than ten seconds, and none has a field of seconds', () => {
  const least = 'on Firestore it must be at least 10s';
  const field = 'has a field of seconds, which are not kept on Firestore: write five';

  test.each<[Partial<JobDefinition>, string]>([
    [{ every: '9s' }, `job "job": every: comes again after 9s; ${least}`],
    [{ every: 1000 }, `job "job": every: comes again after 1s; ${least}`],
    [{ schedule: '*/30 * * * * *' }, `job "job": schedule: "*/30 * * * * *" ${field}`],
    [{ schedule: '0 0 2 * * *' }, `job "job": schedule: "0 0 2 * * *" ${field}`],
    [{ schedule: ['0 2 * * *', '5 0 3 * * *'] }, `job "job": schedule: "5 0 3 * * *" ${field}`],
  ])('%j is refused: %s', (definition, problem) => {
    const found = refusals(definition, FIRESTORE);

    expect(found).toEqual([problem]);
  });

  test.each<Partial<JobDefinition>>([
    { every: '10s' },
    { every: '1h' },
    { schedule: '* * * * *' },
    { schedule: ['0 9 * * *', '0 9 * * 1', '1 9 * * *'] },
    { at: '2027-03-01T18:00:30' },
    {},
  ])('%j is accepted', (definition) => {
    const found = refusals(definition, FIRESTORE);

    expect(found).toEqual([]);
  });
});

describe('in SQLite a job may come each second, but no faster', () => {
  test.each<Partial<JobDefinition>>([
    { every: '1s' },
    { schedule: '* * * * * *' },
    { schedule: ['0 * * * * *', '1 * * * * *'] },
  ])('%j is accepted', (definition) => {
    const found = refusals(definition, SQLITE);

    expect(found).toEqual([]);
  });

  test.each([SQLITE, FIRESTORE, TICK_EACH_MINUTE])(
    'a period of less than a second is refused once, whatever the pace: $where',
    (pace) => {
      const found = refusals({ every: '500ms' }, pace);

      expect(found).toEqual(['job "job": every: "500ms" is too short: at least 1s']);
    },
  );
});

describe('where only the tick wakes, nothing may come closer than the tick', () => {
  const least = 'where only the tick wakes it must be at least';

  test.each<[Partial<JobDefinition>, string]>([
    [{ every: '59s' }, `every: comes again after 59s; ${least} 1m`],
    [{ schedule: '*/30 * * * * *' }, `schedule: comes again after 30s; ${least} 1m`],
    [{ schedule: '0,59 0 2 * * *' }, `schedule: comes again after 59s; ${least} 1m`],
    [{ schedule: ['0 0 2 * * *', '30 0 2 * * *'] }, `schedule: comes again after 30s; ${least} 1m`],
  ])('with a tick each minute %j is refused: %s', (definition, problem) => {
    const found = refusals(definition, TICK_EACH_MINUTE);

    expect(found).toEqual([`job "job": ${problem}`]);
  });

  test.each<Partial<JobDefinition>>([
    { every: '1m' },
    { schedule: '* * * * *' },
    { schedule: '30 0 2 * * *' },
    { schedule: '30 * * * * *' },
    { schedule: ['59 23 * * *', '0 0 * * *'] },
  ])('with a tick each minute %j is accepted', (definition) => {
    const found = refusals(definition, TICK_EACH_MINUTE);

    expect(found).toEqual([]);
  });

  test('a tick that is faster than the store allows makes no job faster', () => {
    const found = refusals({ every: '5s' }, paceOf('firestore', 1000));

    expect(found).toEqual([
      'job "job": every: comes again after 5s; on Firestore it must be at least 10s',
    ]);
  });
});

describe('the shortest time between any two occurrences counts, whichever rules they are of', () => {
  test.each<[string, string | string[], string]>([
    ['in a step that is none of the hour', '*/7 * * * *', '4m'],
    ['in a list', '0,4,30 3 * * *', '4m'],
    ['from one hour to the next', '1,58 8,9 * * *', '3m'],
    ['of two rules', ['0 9 * * *', '2 9 * * *'], '2m'],
    ['of the first of three and the last', ['0 9 * * *', '0 12 * * *', '59 8 * * *'], '1m'],
    ['across midnight', ['58 23 * * *', '1 0 * * *'], '3m'],
    ['across midnight, in one rule', '0,57 0,23 * * *', '3m'],
    ['across midnight, from Friday to Saturday', ['59 23 * * 5', '0 0 * * 6'], '1m'],
    ['across midnight, from Saturday to Sunday', ['59 23 * * 6', '0 0 * * 7'], '1m'],
    ['at the end of any month', ['59 23 L * *', '0 0 1 * *'], '1m'],
    ['at the end of April', ['59 23 30 * *', '0 0 1 5 *'], '1m'],
    ['at the end of February', ['59 23 28 2 *', '0 0 1 3 *'], '1m'],
    ['at the end of February in leap years', ['59 23 29 2 *', '0 0 1 3 *'], '1m'],
    ['at the end of the year', ['59 23 31 12 *', '0 0 1 1 *'], '1m'],
    ['on a Friday 13th', ['0 9 13 * *', '2 9 * * 5'], '2m'],
    ['on a Monday 29 February', ['0 0 29 2 *', '2 0 * * 1'], '2m'],
    ['on a last day that is a Friday', ['0 9 L * *', '3 9 * * 5L'], '3m'],
  ])('%s: %j comes again after %s', (_where, schedule, after) => {
    const [problem = ''] = refusals({ schedule }, TICK_EACH_5_MINUTES);

    expect(problem).toBe(
      `job "job": schedule: comes again after ${after}; where only the tick wakes it must be at least 5m`,
    );
  });

  test.each<[string, string | string[]]>([
    ['a step of the hour', '*/5 * * * *'],
    ['two rules that name the same instant', ['0 9 * * *', '0 9 * * 1']],
    ['two rules of days that do not follow each other', ['59 23 * * 5', '0 0 * * 5']],
    ['a month end and a date that never follows it', ['59 23 30 4 *', '0 0 2 5 *']],
    ['the last day of April and the 31st', ['59 23 30 4 *', '0 0 31 5 *']],
    ['two rules that are never on one day', ['0 9 1-7 * *', '1 9 8-14 * *']],
    ['two rules of different months', ['0 9 1 1 *', '1 9 1 2 *']],
  ])('%s is accepted: %j', (_what, schedule) => {
    const found = refusals({ schedule }, TICK_EACH_5_MINUTES);

    expect(found).toEqual([]);
  });
});

test('all jobs that are too fast are told at once, each by its name', () => {
  const jobs = [
    defineJob({ name: 'slow', every: '1h', run: () => undefined }),
    defineJob({ name: 'fast', every: '2s', run: () => undefined }),
    defineJob({ name: 'faster', schedule: '* * * * * *', run: () => undefined }),
  ];

  const read = (): unknown =>
    readRegistry(jobs, timing({ leaseMs: 90_000, tickMs: MINUTE }), FIRESTORE);

  expect(read).toThrow(/^job "fast": every: .*\njob "faster": schedule: .*$/);
});
