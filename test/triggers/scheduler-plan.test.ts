import { describe, expect, test } from 'vitest';
import { defineJob, type Job, type JobDefinition } from '../../server/core/job.ts';
import type { Pause } from '../../server/core/records.ts';
import type { SchedulerJob } from '../../server/triggers/scheduler-job.ts';
import { planJson, planOf, type Aims, type Plan } from '../../server/triggers/scheduler-plan.ts';
import { wantedJobs, type Wanted, type Wishes } from '../../server/triggers/scheduler-wanted.ts';

const NOW = Date.parse('2026-03-01T00:00Z');

function job(definition: Partial<JobDefinition> = {}): Job {
  const made = defineJob({ name: 'report', schedule: '0 2 * * *', ...definition, run } as never);
  expect(made.problems).toEqual([]);
  return made;
}

const run = (): void => undefined;
const byHand = (name: string): Job => defineJob({ name, run });
const registryOf = (jobs: readonly Job[]) => new Map(jobs.map((one) => [one.name, one]));

const wanted = (jobs: readonly Job[], wishes: Partial<Wishes> = {}): Wanted =>
  wantedJobs(registryOf(jobs), {
    namespace: 'default',
    serviceUrl: 'https://punctual.example.com',
    account: 'ticker@shop.iam.gserviceaccount.com',
    perJob: 'long',
    tickCarriesMs: 40_000,
    tasks: false,
    pauses: new Map(),
    now: NOW,
    ...wishes,
  });

function plan(
  there: readonly SchedulerJob[],
  jobs: readonly Job[],
  wishes: Partial<Wishes> = {},
): Plan {
  const aims: Aims = {
    wanted: wanted(jobs, wishes).jobs,
    namespace: wishes.namespace ?? 'default',
    registered: (name) => registryOf(jobs).has(name),
    now: NOW,
  };
  return planOf(there, aims);
}

/** What Cloud Scheduler has once a plan for these jobs was carried out, but for a change. */
function there(jobs: readonly Job[], changes: Record<string, Partial<SchedulerJob>> = {}) {
  return wanted(jobs).jobs.map(({ id, settings }): SchedulerJob => {
    const made: SchedulerJob = { id, settings, state: 'enabled' };
    return { ...made, ...changes[id] };
  });
}

const told = ({ steps }: Plan): string[] => steps.map(({ kind, id }) => `${kind} ${id}`);

const TICK = 'punctual-default-tick';
const REPORT = 'punctual-default-job-report';
const pause = (until: number | null): Pause => ({ at: NOW, by: 'ann', note: null, until });

describe('what Cloud Scheduler should have', () => {
  test('is always the tick: each minute, in UTC, without retries', () => {
    const { jobs } = wanted([], { perJob: 'none' });

    expect(jobs).toEqual([
      {
        id: TICK,
        job: null,
        state: 'enabled',
        settings: {
          description:
            'Wakes all jobs of this service, each minute. ' +
            'Kept by npm run scheduler:sync [punctual:default]',
          schedule: '* * * * *',
          timeZone: 'UTC',
          url: 'https://punctual.example.com/triggers/tick',
          method: 'POST',
          account: 'ticker@shop.iam.gserviceaccount.com',
          audience: 'https://punctual.example.com',
          deadlineMs: 60_000,
          retries: 0,
          retryForMs: 0,
          retryFromMs: 5000,
          retryToMs: 60_000,
          retryDoublings: 3,
        },
      },
    ]);
  });

  test('and a trigger for each job that the tick cannot carry', () => {
    const jobs = [
      job({ timeout: '40s', name: 'short' }),
      job({ timeout: '41s', name: 'long', timeZone: 'Europe/London' }),
      byHand('asked'),
    ];

    const { jobs: found, wakings } = wanted(jobs);

    expect(found[1]).toMatchObject({
      id: 'punctual-default-job-long',
      settings: {
        schedule: '0 2 * * *',
        timeZone: 'Europe/London',
        url: 'https://punctual.example.com/triggers/jobs/long',
        deadlineMs: 71_000,
        retries: 3,
      },
    });
    expect(wakings.map(({ by, why }) => `${by}: ${why}`)).toEqual([
      'tick: its timeout of 40s fits into a tick',
      "trigger: its timeout of 41s exceeds a tick's 40s",
      'hand: no schedule',
    ]);
  });

  test('for all jobs, or for none, where that is wished', () => {
    const jobs = [job({ timeout: '40s', name: 'short' }), job({ name: 'long' }), byHand('asked')];

    const ids = (perJob: Wishes['perJob']) => wanted(jobs, { perJob }).jobs.map(({ id }) => id);

    expect(ids('all')).toEqual([TICK, 'punctual-default-job-short', 'punctual-default-job-long']);
    expect(ids('none')).toEqual([TICK]);
  });

  test('is one trigger for each text that a schedule takes', () => {
    const { jobs, wakings } = wanted([job({ every: '90m', schedule: undefined as never })]);

    expect(jobs.slice(1).map(({ id, settings }) => `${id} ${settings.schedule}`)).toEqual([
      `${REPORT} 0 */3 * * *`,
      `${REPORT}_2 30 1,4,7,10,13,16,19,22 * * *`,
    ]);
    expect(wakings[0]?.triggers).toEqual([REPORT, `${REPORT}_2`]);
  });

  test('waits as long as the timeout and half a minute, within what is allowed', () => {
    const deadline = (timeout: JobDefinition['timeout']) =>
      wanted([job({ timeout: timeout ?? 0 })], { perJob: 'all' }).jobs[1]?.settings.deadlineMs;

    expect([deadline('1s'), deadline('10m'), deadline('2h')]).toEqual([31_000, 630_000, 1_800_000]);
  });

  test('carries a namespace with dots, which no id may have', () => {
    const [tick] = wanted([], { namespace: 'shop.eu' }).jobs;

    expect(tick?.id).toBe('punctual-shop_eu-tick');
    expect(tick?.settings.description).toMatch(/\[punctual:shop\.eu\]$/);
  });
});

describe('warnings', () => {
  const texts = (jobs: readonly Job[], wishes: Partial<Wishes> = {}) =>
    wanted(jobs, wishes).cautions.map((one) => (one.kind === 'text' ? one.text : one.change.at));

  test('tell of a timeout beyond what Cloud Scheduler waits', () => {
    expect(texts([job({ timeout: '31m' })])).toEqual([
      'its timeout of 31m exceeds the 30m that Cloud Scheduler waits over HTTP',
    ]);
  });

  test('tell of a job that nothing carries, unless Cloud Tasks does', () => {
    const jobs = [job({ every: '7m', schedule: undefined as never })];

    expect(texts(jobs)).toEqual([
      'nothing carries a run of 10m, its timeout: a tick does for 40s, ' +
        'a trigger of its own or PUNCTUAL_TASKS_QUEUE for longer',
    ]);
    expect(texts([job()], { perJob: 'none' })).toHaveLength(1);
    expect(texts(jobs, { tasks: true })).toEqual([]);
  });

  test('tell of the next clock changes that a fixed time meets, and of no others', () => {
    const timeZone = 'America/New_York';

    expect(texts([job({ schedule: '30 2 * * *', timeZone })])).toEqual([
      Date.parse('2026-03-08T07:00Z'),
    ]);
    expect(texts([job({ schedule: '30 1 * * *', timeZone })])).toEqual([
      Date.parse('2026-11-01T06:00Z'),
    ]);
    expect(texts([job({ schedule: '*/15 * * * *', timeZone })])).toEqual([]);
    expect(texts([job({ schedule: '30 12 * * *', timeZone })])).toEqual([]);
  });
});

describe('a plan', () => {
  const jobs = [job()];

  test('creates all where there is nothing, the tick first, and shows when they will come', () => {
    const { steps } = plan([], jobs);

    expect(steps.map(({ kind, id, job: of }) => [kind, id, of])).toEqual([
      ['create', TICK, null],
      ['create', REPORT, 'report'],
    ]);
    expect(planJson({ steps, ours: 0, others: 0 }).steps[1]).toMatchObject({
      after: {
        timeZone: 'UTC',
        occurrences: [
          '2026-03-01T02:00:00.000Z',
          '2026-03-02T02:00:00.000Z',
          '2026-03-03T02:00:00.000Z',
        ],
      },
    });
  });

  test('is empty where all is there', () => {
    expect(plan(there(jobs), jobs)).toEqual({ steps: [], ours: 2, others: 0 });
  });

  test('changes only what differs, setting by setting, with what comes before and after', () => {
    const [tick, report] = there(jobs);
    const moved = [job({ schedule: '0 3 * * *', timeZone: 'Europe/Paris', timeout: '15m' })];

    const { steps } = plan([tick!, report!], moved);

    expect(steps).toMatchObject([
      {
        kind: 'update',
        id: REPORT,
        changes: [
          { setting: 'schedule', from: '0 2 * * *', to: '0 3 * * *' },
          { setting: 'timeZone', from: 'UTC', to: 'Europe/Paris' },
          { setting: 'deadlineMs', from: 630_000, to: 930_000 },
        ],
        before: { timeZone: 'UTC', occurrences: { 0: Date.parse('2026-03-01T02:00Z') } },
        after: { timeZone: 'Europe/Paris', occurrences: { 0: Date.parse('2026-03-01T02:00Z') } },
      },
    ]);
  });

  test('says nothing of occurrences where the schedule stays', () => {
    const [tick, report] = there(jobs);
    const settings = { ...report!.settings, retries: 5, account: 'old@shop.iam.example.com' };

    const { steps } = plan([tick!, { ...report!, settings }], jobs);

    expect(steps).toMatchObject([
      {
        changes: [
          { setting: 'account', from: 'old@shop.iam.example.com' },
          { setting: 'retries', from: 5, to: 3 },
        ],
        before: null,
        after: null,
      },
    ]);
  });

  test('shows a schedule in English as what cannot be read here', () => {
    const [tick, report] = there(jobs);
    const settings = { ...report!.settings, schedule: 'every 5 minutes' };

    const { steps } = plan([tick!, { ...report!, settings }], jobs);

    expect(steps).toMatchObject([{ before: { occurrences: null } }]);
  });

  test('deletes what a job that left the code has, and what a job needs no more', () => {
    const before = there([job(), job({ name: 'gone' }), job({ name: 'quick' })]);

    const { steps } = plan(before, [job(), job({ name: 'quick', timeout: '5s' })]);

    expect(steps.map((step) => ('why' in step ? [step.kind, step.id, step.why] : []))).toEqual([
      ['delete', 'punctual-default-job-gone', 'the job is no longer in the code'],
      ['delete', 'punctual-default-job-quick', 'the job needs no such trigger'],
    ]);
  });

  test.each([
    ['another prefix', { id: 'backup' }, {}],
    ['no mark', {}, { description: 'by hand' }],
    ["another namespace's mark", {}, { description: 'Kept by … [punctual:default-job]' }],
    ['a mark that does not end it', {}, { description: '[punctual:default] but mine now' }],
  ])('touches nothing with %s', (_what, change, settings) => {
    const [, one] = there([job({ name: 'gone' })]);
    const foreign = { ...one!, ...change, settings: { ...one!.settings, ...settings } };

    expect(plan([...there(jobs), foreign], jobs)).toEqual({ steps: [], ours: 2, others: 1 });
  });

  test('is blocked where somebody else has the id', () => {
    const [tick, report] = there(jobs);
    const settings = { ...report!.settings, description: 'mine', schedule: '0 0 1 1 *' };

    const { steps } = plan([tick!, { ...report!, settings }], jobs);

    expect(steps).toMatchObject([
      { kind: 'blocked', id: REPORT, why: expect.stringContaining('[punctual:default]') },
    ]);
  });

  test('has another namespace beside it with its own', () => {
    expect(told(plan(there(jobs), jobs, { namespace: 'test' }))).toEqual([
      'create punctual-test-tick',
      'create punctual-test-job-report',
    ]);
  });
});

describe('states', () => {
  const jobs = [job()];
  const paused = { pauses: new Map([['report', pause(null)]]) };

  test('a paused job has its trigger paused, also one that is only made', () => {
    expect(told(plan(there(jobs), jobs, paused))).toEqual([`pause ${REPORT}`]);
    expect(told(plan(there(jobs).slice(0, 1), jobs, paused))).toEqual([
      `create ${REPORT}`,
      `pause ${REPORT}`,
    ]);
    expect(plan(there(jobs, { [REPORT]: { state: 'paused' } }), jobs, paused).steps).toEqual([]);
  });

  test('a job that goes on has its trigger resumed, and so has the tick', () => {
    const halted = { [REPORT]: { state: 'paused' }, [TICK]: { state: 'paused' } } as const;

    expect(told(plan(there(jobs, halted), jobs))).toEqual([`resume ${TICK}`, `resume ${REPORT}`]);
  });

  test.each([NOW - 1, NOW + 3_600_000])(
    'a pause that ends by itself, at %s, leaves its trigger on',
    (until) => {
      const pauses = new Map([['report', pause(until)]]);

      expect(plan(there(jobs), jobs, { pauses }).steps).toEqual([]);
    },
  );

  test('where the store was not asked a trigger stays as it is, and the tick goes on', () => {
    const halted = { [REPORT]: { state: 'paused' }, [TICK]: { state: 'paused' } } as const;

    expect(told(plan(there(jobs, halted), jobs, { pauses: null }))).toEqual([`resume ${TICK}`]);
  });

  test('one whose update failed is updated whole, though it shows no difference', () => {
    const failed = { [REPORT]: { state: 'update-failed' } } as const;

    expect(plan(there(jobs, failed), jobs).steps).toMatchObject([
      { kind: 'update', id: REPORT, changes: [], why: expect.stringContaining('update failed') },
    ]);
  });

  test('one that the system disabled is made anew, and paused if its job is', () => {
    const disabled = { [REPORT]: { state: 'disabled' } } as const;

    expect(told(plan(there(jobs, disabled), jobs, paused))).toEqual([
      `replace ${REPORT}`,
      `pause ${REPORT}`,
    ]);
  });
});
