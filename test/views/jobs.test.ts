import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../server/core/records.ts';
import { compactInstant } from '../../server/core/time.ts';
import { jobRow, rowBytes } from '../../views/jobs.ts';
import { isIn, JOB_GROUPS, problemsFirst, type ListedJob } from '../../views/listed-job.ts';
import { jobsUrl, overview, type Overview } from '../../views/overview.ts';
import { listedJob as job, NOW, run, textOf } from './builders.ts';

const nothingAsked = { text: null, tag: null, state: null, page: 1 };

const list = (jobs: readonly ListedJob[], given: Partial<Overview> = {}) =>
  overview({
    now: NOW,
    asked: nothingAsked,
    problem: null,
    jobs,
    pages: 1,
    found: jobs.length,
    all: jobs.length,
    more: false,
    groups: JOB_GROUPS.map((group) => [group, jobs.filter((one) => isIn(group, one)).length]),
    tags: [],
    wrong: { count: 0, atLeast: false },
    ...given,
  });

const outcomes = (n: number, given: Partial<Outcome> = {}): Outcome[] =>
  Array.from({ length: n }, (_, i) => {
    const at = NOW - (n - i) * 60_000;
    const id = `nightly-report@${compactInstant(at)}`;
    return { id, state: 'succeeded', at, ms: 100, ...given };
  });

describe('a row', () => {
  test('tells the name, the schedule in words, the last run and the time to the next one', () => {
    const row = jobRow(
      job({
        description: 'Builds the report',
        tags: ['finance'],
        last: { runId: run().id, state: 'succeeded', at: NOW - 5000 },
        nextScheduledAt: NOW + 5 * 60_000,
      }),
      NOW,
    );

    expect(textOf(row)).toContain(
      'nightly-report finance Builds the report Every 5 minutes UTC idle',
    );
    expect(textOf(row)).toContain('succeeded 5 s ago in 5 min');
    expect(row.markup).toContain('title="*/5 * * * * (UTC)"');
    expect(row.markup).toContain('<a href="/jobs/nightly-report">nightly-report</a>');
    expect(row.markup).toContain('href="/runs/nightly-report%4020261123T110000Z"');
    expect(row.markup).toContain('href="/?tag=finance"');
  });

  test('counts failures in a row', () => {
    const last = { runId: 'x', state: 'failed', at: NOW } as const;

    expect(textOf(jobRow(job({ last, streak: -3 }), NOW))).toContain('3 times in a row');
    expect(textOf(jobRow(job({ last, streak: -1 }), NOW))).not.toContain('in a row');
  });

  test('tells who paused a job, until when and why, and offers to resume it', () => {
    const paused = { at: NOW, by: 'ada', note: 'CRM moves', until: NOW + 3_600_000 * 5 };

    const row = jobRow(job({ state: 'paused', paused }), NOW);

    expect(textOf(row)).toContain('paused by ada until in 5 hours: CRM moves');
    expect(row.markup).toContain('action="/jobs/nightly-report/row/resume"');
    expect(row.markup).not.toContain('row/pause');
  });

  test('has buttons only for a job that this build can run', () => {
    const button = 'action="/jobs/nightly-report/row/runs"';

    expect(jobRow(job(), NOW).markup).toContain(button);
    expect(jobRow(job(), NOW).markup).toContain('action="/jobs/nightly-report/row/pause"');
    expect(jobRow(job({ state: 'paused' }), NOW).markup).toContain(button);
    expect(jobRow(job({ known: false }), NOW).markup).not.toContain(button);
    expect(jobRow(job({ state: 'retired' }), NOW).markup).not.toContain(button);
    expect(jobRow(job({ state: 'broken' }), NOW).markup).not.toContain(button);
  });

  test('tells how many of the last runs succeeded, and rounds down', () => {
    const recent = [...outcomes(59), ...outcomes(1, { state: 'failed' })];
    const skipped = [...outcomes(3), ...outcomes(57, { state: 'skipped', ms: null })];

    expect(textOf(jobRow(job({ recent }), NOW))).toContain('98 % of 60 succeeded');
    expect(textOf(jobRow(job({ recent: skipped }), NOW))).toContain('100 % of 3 succeeded');
    expect(textOf(jobRow(job(), NOW))).not.toContain('%');
  });

  test('sets long runs against the time until the next one, and warns where that is little', () => {
    const recent = outcomes(9, { ms: 240_000 });
    const headroom = { intervalMs: 300_000, atOnce: 1, used: 0.8, tight: true };
    const three = { intervalMs: 300_000, atOnce: 3, used: 0.27, tight: false };

    const tight = jobRow(job({ recent, headroom }), NOW);
    const wide = jobRow(job({ recent, headroom: three }), NOW);

    expect(textOf(tight)).toContain('p50 4 min p95 4 min of 5 min');
    expect(tight.markup).toContain('class="room tight"');
    expect(tight.markup.replaceAll('\n', ' ')).toContain(
      'aria-label="p95 is 80 % of the interval"',
    );
    expect(tight.markup).toContain('width="80%"');
    expect(textOf(wide)).toContain('p95 4 min of 15 min for 3 at once');
    expect(wide.markup).not.toContain('tight');
    expect(textOf(jobRow(job({ recent }), NOW))).toContain('p95 4 min Run now');
  });

  test('does not change merely because time passes', () => {
    const last = { runId: run().id, state: 'succeeded', at: NOW - 5000 } as const;
    const one = job({ recent: outcomes(60), last, nextScheduledAt: NOW + 60_000 });
    const still = (now: number) =>
      jobRow(one, now).markup.replaceAll(/(<time [^>]*data-[^>]*>)[^<]*/g, '$1');

    expect(still(NOW + 30_000)).toBe(still(NOW));
  });

  test('stays within the bytes that it is reckoned to take', () => {
    const long = {
      name: `n${'a'.repeat(62)}`,
      description: 'é'.repeat(1000),
      tags: Array.from({ length: 20 }, (_, i) => `t${i}`.padEnd(40, 'x')),
      problem: 'ü'.repeat(400),
      schedule: '0 2 * * *; '.repeat(300),
      recent: outcomes(60, { state: 'failed', ms: 36 ** 6 }).map((one, i) => ({
        ...one,
        id: `n!${i}`,
        at: NOW + i * i * 777_777,
        late: 999_999_999,
      })),
      unfinished: [`n${'a'.repeat(62)}!${'b'.repeat(52)}`],
      last: { runId: `n${'a'.repeat(62)}!${'b'.repeat(52)}`, state: 'failed', at: NOW },
    } as const;
    const bytes = (one: ListedJob) => Buffer.byteLength(jobRow(one, NOW).markup);
    const [usual, worst] = [job({ recent: outcomes(60) }), job(long)];

    expect(bytes(usual)).toBeLessThanOrEqual(rowBytes(usual));
    expect(bytes(worst)).toBeLessThanOrEqual(rowBytes(worst));
    expect(rowBytes(usual)).toBeLessThan(2640);
    expect(jobRow(worst, NOW).markup).not.toContain('é'.repeat(161));
  });
});

describe('a strip', () => {
  const barsOf = (recent: readonly Outcome[]) => jobRow(job({ recent }), NOW).markup;

  test('says the last outcomes in words, and leads to the job without scripts', () => {
    const recent = [...outcomes(58), ...outcomes(2, { state: 'timed_out' })];

    const markup = barsOf(recent).replaceAll('\n', ' ');

    expect(markup).toContain('aria-label="last 60: 58 succeeded, 2 timed out"');
    expect(markup).toContain('<a class="strip" href="/jobs/nightly-report"');
  });

  test('draws one path for each tone, the newest on the right', () => {
    const recent = [...outcomes(1, { state: 'failed' }), ...outcomes(1)];

    const paths = [...barsOf(recent).matchAll(/<path class="(\w+)" d="([^"]+)"/g)];

    expect(paths.map(([, tone, path]) => [tone, path])).toEqual([
      ['bad', 'M58 24v-5M58 0v17'],
      ['good', 'M59 0v17'],
    ]);
  });

  test('is as tall as runs were long, by the square root, and nothing vanishes', () => {
    const recent = [0, 250, 1000].flatMap((ms) => outcomes(1, { ms }));

    expect(barsOf(recent)).toContain('d="M57 0v3M58 0v10M59 0v17"');
  });

  test('tells outcomes apart by shape: a cap for a bad one, a dash for one that never began', () => {
    const recent = [
      ...outcomes(1, { state: 'missed', ms: null }),
      ...outcomes(1, { state: 'skipped', ms: null }),
      ...outcomes(1, { state: 'cancelled', ms: 50 }),
    ];

    const markup = barsOf(recent);

    expect(markup).toContain('<path class="bad" d="M57 24v-5"/>');
    expect(markup).toContain('<path class="quiet" d="M58 8v3M59 8v3"/>');
  });

  test('takes little room', () => {
    const [strip = ''] = /<a class="strip"[^]*?<\/a>/.exec(barsOf(outcomes(60))) ?? [];

    expect(strip.length).toBeGreaterThan(100);
    expect(strip.length).toBeLessThan(1200);
  });

  test('of a job without runs says so', () => {
    expect(textOf(jobRow(job(), NOW))).toContain('no runs yet');
  });
});

describe('the list', () => {
  test('without jobs says what to do next', () => {
    const text = textOf(list([]));

    expect(text).toContain('No jobs yet');
    expect(text).toContain('jobs/index.ts');
  });

  test('has broken and failing jobs first, retired ones last, others as they come', () => {
    const jobs = [
      job({ name: 'a' }),
      job({ name: 'retired', state: 'retired', streak: -4 }),
      job({ name: 'b' }),
      job({ name: 'failing', streak: -2 }),
      job({ name: 'broken', state: 'broken', problem: 'no field "rev"' }),
    ];

    const order = problemsFirst(jobs).map(({ name }) => name);

    expect(order).toEqual(['broken', 'failing', 'a', 'b', 'retired']);
  });

  test('counts jobs by state, each number leading to those', () => {
    const { markup } = list(
      [
        job({ name: 'a', streak: -1 }),
        job({ name: 'b', state: 'paused', streak: -1 }),
        job({ name: 'c', state: 'running' }),
        job({ name: 'd', state: 'retired', streak: -1 }),
        job({ name: 'e', state: 'broken', streak: -1 }),
      ],
      { asked: { ...nothingAsked, text: 'x y', state: 'failing' } },
    );
    const text = textOf({ markup });

    expect(text).toContain('5 jobs 1 broken 2 failing 2 active 1 running 1 paused 1 retired');
    expect(markup).toContain('<a href="/?text=x+y&amp;state=paused"');
    expect(markup.match(/aria-current="true"/g)).toHaveLength(1);
    expect(markup).toMatch(/state=failing"[^>]*aria-current/);
  });

  test('tells what went wrong in the last 24 hours, and leads there', () => {
    const jobs = [job()];
    const some = list(jobs, { wrong: { count: 1, atLeast: false } });

    expect(textOf(list(jobs))).toContain('Nothing went wrong in the last 24 hours.');
    expect(textOf(some)).toContain('1 run went wrong in the last 24 hours.');
    expect(some.markup).toContain('href="/runs?q=state%3Aproblem+since%3A24h"');
    expect(textOf(list(jobs, { wrong: { count: 60, atLeast: true } }))).toContain(
      'At least 60 runs went wrong',
    );
    expect(textOf(list(jobs, { wrong: { count: 0, atLeast: true } }))).toContain(
      'Some runs went wrong',
    );
    expect(textOf(list(jobs, { wrong: null }))).not.toContain('24 hours');
  });

  test('says which part it is, with the way to the others as they were asked for', () => {
    const asked = { text: null, tag: 'shop', state: null, page: 2 };

    const { markup } = list([job()], { asked, pages: 3, found: 120, all: 900 });

    expect(textOf({ markup })).toContain(
      '← Previous page 120 of 900 jobs, page 2 of 3 Next page →',
    );
    expect(markup).toContain('<a href="/?tag=shop"');
    expect(markup).toContain('<a href="/?tag=shop&amp;page=3"');
    expect(textOf(list([job()]))).not.toContain('page');
  });

  test('in which nothing matches says so, keeps what was asked for, and leads back', () => {
    const asked = { text: '"x"', tag: 'gone', state: null, page: 1 };

    const { markup } = list([], { asked, all: 9, found: 0 });

    expect(textOf({ markup })).toContain('No job is like that');
    expect(markup).toContain('value="&quot;x&quot;"');
    expect(markup).toContain('<option value="gone" selected>gone (0)</option>');
    expect(markup).toContain('<a href="/">look at all jobs</a>');
  });

  test('says that a store holds more than is read of it', () => {
    expect(textOf(list([job()], { more: true }))).toContain('The store has more');
  });
});

test('an address of the list says only what was asked for', () => {
  expect(jobsUrl(nothingAsked)).toBe('/');
  expect(jobsUrl({ text: 'a b', tag: 't', state: 'paused', page: 3 })).toBe(
    '/?text=a+b&tag=t&state=paused&page=3',
  );
});
