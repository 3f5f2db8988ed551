import { describe, expect, test } from 'vitest';
import type { Reason, Run } from '../../server/core/records.ts';
import { isFailure, isFinal, RUN_STATES } from '../../server/core/run.ts';
import { runsBody, type RunsView } from '../../views/runs-page.ts';
import { runRow, runsTable } from '../../views/runs.ts';
import { isLive, stateWord, toneOf } from '../../views/state.ts';
import { firstLine } from '../../views/why.ts';
import { NOW, run, textOf } from './builders.ts';

const at = (text: string): number => Date.parse(text);
const shown = { job: 'shown' } as const;
const rowOf = (given: Partial<Run>): string => textOf(runRow(run(given), NOW, shown));

describe('a row', () => {
  test('tells outcome, job, time, trigger, lateness and duration', () => {
    const text = rowOf({
      at: NOW - 60_000,
      scheduledAt: NOW - 60_000,
      startedAt: NOW - 56_000,
      endedAt: NOW - 54_800,
    });

    expect(text).toBe('succeeded nightly-report 11:59:00 1 minute ago schedule 4 s late 1.2 s');
  });

  test('leads to its run first, then to its job', () => {
    const { markup } = runRow(run(), NOW, shown);

    expect([...markup.matchAll(/href="([^"]*)"/g)].map(([, url]) => url)).toEqual([
      '/runs/nightly-report%4020261123T110000Z',
      '/jobs/nightly-report',
    ]);
  });

  test('has no column for the job on the page of one', () => {
    const { markup } = runsTable([run()], NOW, { job: 'hidden' });

    expect(markup).not.toContain('/jobs/nightly-report');
    expect(markup.match(/<th scope="col"/g)).toHaveLength(6);
    expect(markup).toContain('<th colspan="6" scope="rowgroup">');
  });

  test('of an unfinished run shows how long it has been going, which goes on by itself', () => {
    const { markup } = runRow(run({ state: 'running', startedAt: NOW - 42_000 }), NOW, shown);

    expect(markup).toMatch(/data-words="since">42 s<\/time> so far/);
  });

  test('of a run by hand is never late, but tells how long it waited and for whom it is', () => {
    const manual = { trigger: 'manual', requestedBy: 'ada', scheduledAt: null } as const;

    expect(rowOf({ ...manual, at: NOW - 9000, startedAt: NOW })).toContain(
      'manual by ada waited 9 s',
    );
    expect(rowOf({ ...manual, at: NOW, startedAt: NOW })).toContain('manual by ada at once');
    expect(rowOf({ ...manual, at: NOW, state: 'queued' })).toContain('manual by ada not yet');
  });

  test.each(RUN_STATES)('shows %s as what the protocol says it is', (state) => {
    expect(isLive(state)).toBe(!isFinal(state));
    expect(toneOf(state) === 'bad').toBe(isFailure(state));
    expect(rowOf({ state })).toContain(stateWord(state));
  });
});

describe('why', () => {
  test('a failed run tells its error, in one line', () => {
    const error = { name: 'TypeError', message: '\nno answer\nfrom the shop', stack: 'at x' };

    expect(rowOf({ state: 'failed', error })).toMatch(/TypeError: no answer$/);
  });

  test('a long error is cut short, and never within a character', () => {
    expect(firstLine('a'.repeat(300), 10)).toBe(`${'a'.repeat(10)}…`);
    expect(firstLine('a'.repeat(10), 10)).toBe('a'.repeat(10));
    expect(firstLine('"""', 12)).toBe('""…');
    expect(firstLine('abc😀def', 4)).toBe('abc…');
  });

  test('a run that will be tried again tells what went wrong last', () => {
    const error = { name: 'Error', message: 'refused', stack: null };
    const last = { fence: 1, attemptId: 'a', owner: 'o', startedAt: 0, endedAt: 1, error };
    const attempts = [{ ...last, n: 2, outcome: 'failed' as const }];

    expect(rowOf({ state: 'retry_wait', attempts })).toContain('attempt 2: Error: refused');
  });

  test.each<[Reason, string | null, string]>([
    ['overlap', 'nightly-report@20261123T100000Z', 'overlap: the run of 10:00 UTC had not ended'],
    ['overlap', null, 'overlap: an earlier run had not ended'],
    ['overlap', 'nightly-report!abc', 'overlap: another run had not ended'],
    [
      'superseded',
      'nightly-report@20261122T110030Z',
      'superseded: the run of 2026-11-22 11:00:30 UTC stands for it',
    ],
    ['paused', null, 'paused: the job was paused when it fell due'],
    ['late', null, 'late: the service was up, but had no room for it in time'],
    ['outage', null, 'outage: nothing was there to start it when due'],
    ['too-many', null, 'too many: more had piled up'],
  ])(
    'what did not run tells its reason (%s) in words, and what caused it',
    (reason, cause, words) => {
      const text = rowOf({ at: NOW, state: 'skipped', reason, cause });

      expect(text).toContain(words);
    },
  );

  test('what caused it is linked', () => {
    const cause = 'nightly-report@20261123T100000Z';
    const { markup } = runRow(run({ state: 'skipped', reason: 'overlap', cause }), NOW, shown);

    expect(markup).toContain('href="/runs/nightly-report%4020261123T100000Z"');
  });

  test('a run that repeats another leads to it', () => {
    const cause = 'nightly-report@20261123T100000Z';

    expect(rowOf({ at: NOW, trigger: 'manual', cause })).toMatch(/repeats the run of 10:00 UTC$/);
    expect(rowOf({ at: NOW, state: 'cancelled', cause })).toMatch(/see the run of 10:00 UTC$/);
  });
});

describe('occurrences that did not run', () => {
  const range = (from: string, to: string, count: number, atLeast = false) =>
    rowOf({
      state: 'missed',
      reason: 'outage',
      at: at(to),
      range: { from: at(from), to: at(to), count, atLeast },
    });

  test('stand in one row, with their number, their span and their reason', () => {
    expect(range('2026-11-23T00:00Z', '2026-11-23T11:00Z', 12)).toBe(
      'missed nightly-report 11:00:00 60 minutes ago 12 occurrences since 00:00:00 ' +
        'outage: nothing was there to start them when due',
    );
  });

  test('have a date where they begin on another day, and say where they were not all counted', () => {
    expect(range('2026-11-20T22:00Z', '2026-11-23T11:00Z', 10_000, true)).toContain(
      'at least 10,000 occurrences since 2026-11-20 22:00',
    );
  });

  test('are like any row where there is one', () => {
    expect(range('2026-11-23T11:00Z', '2026-11-23T11:00Z', 1)).toBe(
      'missed nightly-report 11:00:00 60 minutes ago schedule ' +
        'outage: nothing was there to start it when due',
    );
  });
});

test('each UTC day has its heading', () => {
  const runs = ['2026-11-23T11:00Z', '2026-11-23T00:00Z', '2026-11-22T23:59Z', '2026-11-20T01:00Z'];
  const { markup } = runsTable(
    runs.map((text) => run({ id: `nightly-report@${text}`, at: at(text) })),
    NOW,
    shown,
  );

  expect(
    [...markup.matchAll(/<th colspan="7" scope="rowgroup">(.*?)<\/th>/gs)].map(([, words]) =>
      textOf({ markup: words ?? '' }),
    ),
  ).toEqual([
    'Today Mon 23 November 2026, UTC',
    'Yesterday Sun 22 November 2026, UTC',
    'Fri 20 November 2026 UTC',
  ]);
});

describe('the page', () => {
  const page = (given: Partial<RunsView> = {}) =>
    runsBody({
      q: '',
      problems: [],
      hints: [],
      job: undefined,
      found: { runs: [run({ at: NOW })], next: undefined, search: null },
      trail: [],
      asOf: null,
      now: NOW,
      ...given,
    });
  const hrefs = (given: Partial<RunsView>) =>
    [...page(given).markup.matchAll(/href="([^"]*)"/g)].map(([, url]) =>
      decodeURIComponent(url ?? '').replaceAll('&amp;', '&'),
    );

  test('without runs says how the first one comes', () => {
    const found = { runs: [], next: undefined, search: null };

    expect(textOf(page({ found }))).toContain('No runs yet.');
    expect(textOf(page({ found, q: 'state:lost' }))).toContain('No runs like this. Show all runs');
    expect(textOf(page({ found, q: 'job:x state:lost', job: 'x' }))).toContain(
      'No runs like this. Show all runs of x',
    );
  });

  test('tells each thing that is wrong with the filter, links what was meant, and shows nothing', () => {
    const problems = [
      { message: 'state: "faild" is no state', instead: 'state:failed since:x' },
      { message: 'since: "x" is no time', instead: null },
    ];
    const given = { q: 'state:faild since:x', problems, found: null };

    expect(textOf(page(given))).toMatch(
      /state: "faild" is no state. Did you mean state:failed since:x \? since: "x" is no time Nothing is shown/,
    );
    expect(hrefs(given)).toContain('/runs?q=state:failed+since:x');
    expect(page(given).markup).not.toContain('<table');
  });

  test('has links for what is often asked for, which keep the job', () => {
    const given = { q: 'job:x state:live', job: 'x' };

    expect(hrefs(given).slice(0, 6)).toEqual([
      '/runs',
      '/runs?q=job:x',
      '/runs?q=job:x+state:problem+since:24h',
      '/runs?q=job:x+state:live',
      '/runs?q=job:x+trigger:manual',
      '/runs?q=job:x+state:skipped,missed',
    ]);
    expect(page(given).markup.match(/aria-current="true">([^<]*)/)?.[1]).toBe('Running now');
  });

  test('leads to what is older and newer, and counts back from the same time there', () => {
    const found = { runs: [run({ at: NOW })], next: 'c3', search: null };
    const given = { q: 'since:2d', found, trail: ['c1', 'c2'], asOf: NOW };

    expect(hrefs(given).filter((url) => url.includes('asOf'))).toEqual([
      '/runs?q=since:2d&asOf=2026-11-23T12:00:00.000Z',
      '/runs?q=since:2d&asOf=2026-11-23T12:00:00.000Z&cursor=c1',
      '/runs?q=since:2d&asOf=2026-11-23T12:00:00.000Z&cursor=c1~c2~c3',
    ]);
  });

  test('tells how far it looked for text, and leads further', () => {
    const search = { scanned: 2000, backTo: at('2026-11-20T08:00Z') + 21 };

    expect(textOf(page({ found: { runs: [], next: 'c1', search }, q: 'x' }))).toMatch(
      /There are older ones. Look further looked through 2,000 runs, back to 2026-11-20 08:00:00 UTC$/,
    );
    expect(textOf(page({ found: { runs: [], next: undefined, search }, q: 'x' }))).toMatch(
      /No runs like this. Show all runs looked through 2,000 runs, to the first$/,
    );
  });

  test('is small at its worst', () => {
    const nasty = '"'.repeat(5000);
    const worst = run({
      job: 'j'.repeat(63),
      id: `${'j'.repeat(63)}@20261123T110000Z`,
      at: NOW,
      trigger: 'manual',
      state: 'failed',
      requestedBy: nasty,
      error: { name: nasty, message: nasty, stack: nasty },
      startedAt: NOW,
      endedAt: NOW,
    });
    const runs = Array.from({ length: 50 }, (_, i) => ({ ...worst, id: `${worst.id}-${i}` }));
    const found = { runs, next: 'c'.repeat(200), search: null };
    const trail = Array.from({ length: 20 }, () => 'c'.repeat(200));
    const { markup } = page({ q: nasty, found, trail, hints: [nasty.slice(0, 500)] });
    const problems = Array.from({ length: 200 }, () => ({
      message: nasty.slice(0, 300),
      instead: nasty.slice(0, 500),
    }));

    expect(markup.length).toBeLessThan(145_000);
    expect(page({ q: nasty, found: null, problems }).markup.length).toBeLessThan(60_000);
  });
});
