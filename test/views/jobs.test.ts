import { expect, test } from 'vitest';
import { jobRow, jobsTable } from '../../views/jobs.ts';
import { job, NOW, run, textOf } from './builders.ts';

test('without jobs the table says what to do next', () => {
  const text = textOf(jobsTable([], NOW));

  expect(text).toContain('No jobs yet');
  expect(text).toContain('jobs/index.ts');
});

test('a row tells the name, the schedule in words, the last run and the next one', () => {
  const row = jobRow(
    job({
      description: 'Builds the report',
      last: { runId: run().id, state: 'succeeded', at: NOW - 5000 },
      nextScheduledAt: NOW + 5 * 60_000,
    }),
    NOW,
  );

  expect(textOf(row)).toContain('nightly-report Builds the report Every 5 minutes UTC idle');
  expect(textOf(row)).toContain('succeeded 5 s ago in 5 minutes');
  expect(row.markup).toContain('title="*/5 * * * * (UTC)"');
  expect(row.markup).toContain('href="/runs/nightly-report%4020261123T110000Z"');
});

test('broken and failing jobs come first, retired ones last, others by name', () => {
  const jobs = [
    job({ name: 'b' }),
    job({ name: 'retired', state: 'retired', streak: -4 }),
    job({ name: 'failing', streak: -2 }),
    job({ name: 'a' }),
    job({ name: 'broken', state: 'broken', problem: 'no field "rev"' }),
  ];

  const { markup } = jobsTable(jobs, NOW);

  const order = [...markup.matchAll(/id="job-([a-z]+)"/g)].map(([, name]) => name);
  expect(order).toEqual(['broken', 'failing', 'a', 'b', 'retired']);
});

test('failures in a row are counted', () => {
  const last = { runId: 'x', state: 'failed', at: NOW } as const;

  expect(textOf(jobRow(job({ last, streak: -3 }), NOW))).toContain('3 times in a row');
  expect(textOf(jobRow(job({ last, streak: -1 }), NOW))).not.toContain('in a row');
});

test('a pause tells who, until when and why', () => {
  const paused = { at: NOW, by: 'ada', note: 'CRM moves', until: NOW + 3_600_000 * 5 };

  const text = textOf(jobRow(job({ state: 'paused', paused }), NOW));

  expect(text).toContain('paused by ada until in 5 hours: CRM moves');
});

test('only a job that this build can run has a Run now button', () => {
  const button = 'action="/jobs/nightly-report/runs"';

  expect(jobRow(job(), NOW).markup).toContain(button);
  expect(jobRow(job({ state: 'paused' }), NOW).markup).toContain(button);
  expect(jobRow(job({ known: false }), NOW).markup).not.toContain(button);
  expect(jobRow(job({ state: 'retired' }), NOW).markup).not.toContain(button);
  expect(jobRow(job({ state: 'broken' }), NOW).markup).not.toContain(button);
});

test('the strip shows the newest 30 outcomes, and says them in words', () => {
  const recent = Array.from({ length: 40 }, (_, i) => ({
    id: String(i),
    state: i === 39 ? ('timed_out' as const) : ('succeeded' as const),
    at: NOW,
    ms: i,
  }));

  const { markup } = jobRow(job({ recent }), NOW);

  expect(markup).toContain('aria-label="last 30: 29 succeeded, 1 timed out"');
  expect(markup.match(/<g /g)).toHaveLength(30);
});

test('an overview of very many jobs stops at a limit and says so', () => {
  const jobs = Array.from({ length: 1501 }, (_, i) => job({ name: `job-${i}` }));

  const table = jobsTable(jobs, NOW);

  expect(table.markup.match(/id="job-/g)).toHaveLength(300);
  expect(textOf(table)).toContain('1,201 more jobs not shown here.');
});
