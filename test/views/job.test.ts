import { describe, expect, test } from 'vitest';
import type { InputField } from '../../server/core/input-form.ts';
import type { Run } from '../../server/core/records.ts';
import { explain } from '../../server/core/explain.ts';
import { jobBody } from '../../views/job.ts';
import { settingsSection } from '../../views/job-settings.ts';
import { readSchedule } from '../core/read-schedule.ts';
import { jobRecord } from '../builders.ts';
import { jobView, NOW, policies, runForm, settings } from './job-builders.ts';
import { job, run, textOf } from './builders.ts';

const HOUR = 3_600_000;

describe('the head', () => {
  test('tells state, schedule, next and last run, the row of outcomes and the rate', () => {
    const text = textOf(
      jobBody(
        jobView({
          job: job({
            description: 'Builds the report',
            tags: ['finance'],
            nextScheduledAt: NOW + HOUR,
            last: { runId: run().id, state: 'failed', at: NOW - 5000 },
            streak: -1204,
          }),
          days: [{ day: 20_780, good: 9999, bad: 1, quiet: 3 }],
        }),
      ),
    );

    expect(text).toMatch(/^Jobs \/ nightly-report .* Builds the report finance State idle/);
    expect(text).toContain('Schedule Every 5 minutes UTC Next run in 1 h 2026-11-23 13:00:00 UTC');
    expect(text).toContain('Last run failed 5 s ago In a row 1,204 went wrong');
    expect(text).toContain('Six weeks 99.9 % succeeded 9,999 of 10,000');
  });

  test('days from before the calendar’s six weeks do not count in their rate', () => {
    const today = NOW / (24 * HOUR);
    const monthly = [310, 31, 0].map((ago) => {
      const day = Math.floor(today) - ago;
      return ago === 310 ? { day, good: 0, bad: 1, quiet: 0 } : { day, good: 1, bad: 0, quiet: 0 };
    });

    const text = textOf(jobBody(jobView({ days: monthly })));

    expect(text).toContain('Six weeks 100 % succeeded 2 of 2');
  });

  test.each([
    [{ state: 'broken', problem: 'no field "rev"' }, 'Set aside: no field "rev"'],
    [{ state: 'retired' }, 'This job is no longer in the code'],
    [{ known: false }, 'This build’s code does not have this job; build build-1 defined it'],
    [
      {
        state: 'paused',
        paused: { at: NOW - 60_000, by: 'ada', note: 'CRM moves', until: NOW + HOUR },
      },
      'Paused by ada 1 minute ago, until 2026-11-23 13:00:00 UTC, in 60 minutes . CRM moves',
    ],
  ] as const)('says of %j what must be known first', (given, words) => {
    const text = textOf(jobBody(jobView({ job: job(given) })));

    expect(text).toContain(words);
  });

  test('tells how far a backfill has come', () => {
    const backfill = { id: 'b', from: NOW - HOUR - 1, to: NOW, cursor: NOW, since: NOW, by: 'ada' };
    const running = { all: { count: 12, atLeast: false }, left: { count: 5, atLeast: false } };

    const view = jobBody(jobView({ backfill: { backfill, ...running } }));

    expect(textOf(view)).toContain(
      'A backfill is under way by ada: 7 of 12 runs opened, 5 left. 2026-11-23 11:00:00 UTC to',
    );
    expect(view.markup).toContain('<progress value="7" max="12"');
  });

  test('without forms offers nothing to be done', () => {
    const { markup } = jobBody(jobView({ forms: null }));

    expect(markup).not.toContain('method="post"');
  });
});

describe('the schedule', () => {
  test('has the next occurrences in its own zone, in UTC, and a place for the viewer’s', () => {
    const schedule = readSchedule('30 2 * * *', 'America/New_York');
    const { occurrences, clockChanges } = explain(schedule, NOW, 2);
    const paused = { at: NOW, by: null, note: null, until: occurrences[0]! };

    const { markup } = jobBody(
      jobView({
        schedule: {
          text: '30 2 * * *',
          timeZone: 'America/New_York',
          schedule,
          next: occurrences,
          clockChanges,
          paused,
        },
      }),
    );
    const text = textOf({ markup });

    expect(text).toContain('At 02:30 30 2 * * * in America/New_York');
    expect(text).toContain('in 20 hours paused Tue 24 Nov 2026, 02:30 2026-11-24 07:30:00');
    expect(text).toContain('in 44 hours Wed 25 Nov 2026, 02:30 2026-11-25 07:30:00');
    expect(text).toContain('14 March 2027: 02:30 does not exist, runs 03:00');
    expect(text).toContain('from 02:00 to 01:00; nothing is scheduled then');
    expect(markup).toContain('<th scope="col" class="here"><span data-here-zone></span></th>');
    expect(markup.match(/data-words="here"/g)).toHaveLength(2);
  });

  test.each([
    [{ text: null }, 'Only by hand'],
    [{ text: 'at 2020-01-01T00:00Z', next: [] }, 'It never comes again.'],
    [{ text: '@some-day', schedule: undefined }, 'This build can’t read it'],
  ])('%j is told in words', (given, words) => {
    const { schedule } = jobView();

    const text = textOf(jobBody(jobView({ schedule: { ...schedule, ...given } })));

    expect(text).toContain(words);
  });
});

describe('the settings in force', () => {
  const { spec } = jobRecord();

  test.each([
    [{ overlap: 'replace' }, 'replace: the earlier run is told to stop'],
    [{ overlap: { allow: 3 } }, 'allow 3: so many may run at once'],
    [{ catchUp: { runs: 'none', withinMs: 1, max: 1 } }, 'Catch-up none'],
    [
      { catchUp: { runs: 'all', withinMs: 2 * HOUR, max: 7 } },
      'all: those younger than 2 h, the newest 7 at most',
    ],
    [{ onLost: 'retry' }, 'On lost retry: another attempt starts'],
    [{ leaseMs: 30_000 }, 'Lease 30 s'],
    [
      { retry: { attempts: 4, backoff: { fromMs: 1000, factor: 1, toMs: 1000, jitter: 0 } } },
      'Retry 4 attempts, the next after 1 s What',
    ],
  ] as const)('%j is told in words', (given, words) => {
    const inForce = policies({ spec: { ...spec, ...given } });

    const text = textOf(settingsSection('x', settings({ inForce, code: inForce }), NOW));

    expect(text).toContain(words);
    expect(text).not.toContain('says otherwise');
  });

  test('and where the code here says otherwise, that too', () => {
    const code = policies({ schedule: '0 3 * * *', spec: { ...spec, overlap: 'queue' } });

    const text = textOf(settingsSection('x', settings({ code }), NOW));

    expect(text).toContain('The code of this build ( build-2 ) says otherwise');
    expect(text).toContain('here: At 03:00 (0 3 * * *, UTC)');
    expect(text).toContain('skip: the new one does not run here: queue');
    expect(text.match(/here: /g)).toHaveLength(2);
  });

  test.each([
    [null, 'Runs in the process of the service'],
    [{ memoryMb: 512 }, 'Runs in a worker of its own, with 512 MiB of memory at most'],
  ])('say where its handler runs: %j', (isolate, words) => {
    const text = textOf(settingsSection('x', settings({ isolate }), NOW));

    expect(text).toContain(words);
  });

  test('of a job that is not on record are none', () => {
    expect(textOf(settingsSection('x', null, NOW))).toContain('None yet');
  });
});

test('runs and actions of one day are not taken for each other', () => {
  const pause = { by: null, action: 'pause', job: job().name, runId: null, detail: '' };
  const view = jobView({ actions: [{ id: 'a-0', at: NOW, ...pause }] });
  const history = { ...view.history, runs: [run({ at: NOW })] };

  const { markup } = jobBody({ ...view, history });

  const ids = [...markup.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  expect(markup.match(/Today/g)).toHaveLength(2);
  expect(new Set(ids).size).toBe(ids.length);
});

test('at its very worst the page stays under 150 KB', () => {
  const name = 'n'.repeat(63);
  const id = (i: number) => `${name}@20261123T${String(110_000 + i)}.123Z`;
  const error = { name: 'E'.repeat(200), message: 'm'.repeat(4000), stack: null };
  const rows: Run[] = Array.from({ length: 50 }, (_, i) =>
    run({
      id: id(i),
      job: name,
      state: 'failed',
      error,
      requestedBy: 'b'.repeat(200),
      startedAt: NOW,
    }),
  );
  const taken = Array.from({ length: 90 }, (_, i) => ({
    id: id(i),
    state: 'timed_out' as const,
    at: NOW + i * 1_234_567,
    ms: 100 * i,
    attempts: 3,
    lateMs: 123_456,
  }));
  const fields: InputField[] = Array.from({ length: 20 }, (_, i) => ({
    kind: 'text',
    name: `${i}${'f'.repeat(30)}`,
    label: 'l'.repeat(60),
    description: 'd'.repeat(161),
    required: false,
    nullable: false,
    preset: 'p'.repeat(100),
    format: null,
    maxLength: null,
  }));
  const days = Array.from({ length: 42 }, (_, i) => ({
    day: 20_780 - i,
    good: 1,
    bad: 9,
    quiet: 2,
  }));
  const action = {
    at: NOW,
    by: 'b'.repeat(100),
    action: 'pause',
    job: name,
    runId: id(1),
    detail: 'd'.repeat(500),
    before: 'b'.repeat(500),
    after: 'a'.repeat(500),
  };
  const input = 'i'.repeat(5000);
  const earlier = Array.from(
    { length: 5 },
    (_, i) => ({ id: id(i), state: 'succeeded', at: NOW, input }) as const,
  );
  const view = jobView();

  const { markup } = jobBody({
    ...view,
    job: job({ name, description: 'd'.repeat(1000), tags: Array(20).fill('t'.repeat(40)) }),
    durations: { ...view.durations, taken },
    days,
    history: { ...view.history, runs: rows },
    actions: Array.from({ length: 10 }, (_, i) => ({ ...action, id: `a${i}` })),
    forms: {
      ...view.forms!,
      run: runForm({ form: { fields, schema: 's'.repeat(8000) }, declared: true, earlier }),
    },
  });

  // The shell of a page is 4 KB.
  expect(Buffer.byteLength(markup)).toBeLessThan(146_500);
});
