import { describe, expect, test } from 'vitest';
import type { ActionRecord } from '../../server/core/records.ts';
import { actionRow, actionsBody, isByPerson, type ActionsView } from '../../views/actions.ts';
import { NOW, textOf } from './builders.ts';

const action = (given: Partial<ActionRecord>): ActionRecord => ({
  id: 'a-0',
  at: NOW - 60_000,
  by: null,
  action: 'pause',
  job: 'nightly-report',
  runId: null,
  detail: '',
  ...given,
});

const SHOWN = { job: 'shown' } as const;

const rowOf = (given: Partial<ActionRecord>): string =>
  textOf(actionRow(action(given), NOW, SHOWN));

const RUN = 'nightly-report@20261123T100000Z';

describe('a row', () => {
  test('tells when, who, what, of which job, and what stood before and after', () => {
    const text = rowOf({
      by: 'ada',
      detail: 'until resumed: maintenance',
      before: 'active',
      after: 'paused until resumed: maintenance',
    });

    expect(text).toBe(
      '11:59:00 1 minute ago ada paused the job nightly-report ' +
        'active → paused until resumed: maintenance',
    );
  });

  test.each([
    ['pause', 'somebody on this machine paused the job'],
    ['resume', 'somebody on this machine resumed the job'],
    ['run-now', 'somebody on this machine started a run'],
    ['rerun', 'somebody on this machine started a run again'],
    ['cancel', 'somebody on this machine cancelled a run'],
    ['free', 'somebody on this machine freed the slot of a run'],
    ['backfill', 'somebody on this machine started a backfill'],
    ['reset-clock', 'somebody on this machine reset the clock'],
    ['rewind', 'somebody on this machine took back what lay ahead'],
    ['define', 'the service put in force a definition'],
    ['retire', 'the service retired the job'],
    ['lost', 'the service gave up a lost run'],
    ['anomaly', 'the service noted an anomaly'],
    ['of-a-newer-build', 'the service of-a-newer-build'],
    ['constructor', 'the service constructor'],
  ])('has words for %s, and for who did it without a name', (kind, words) => {
    expect(rowOf({ action: kind })).toContain(words);
  });

  test('names the run by its occurrence, and leads to it and to the job', () => {
    const { markup } = actionRow(action({ action: 'cancel', runId: RUN }), NOW, SHOWN);

    expect(textOf({ markup })).toContain('cancelled the run of 10:00 UTC');
    expect([...markup.matchAll(/href="([^"]*)"/g)].map(([, url]) => url)).toEqual([
      '/runs/nightly-report%4020261123T100000Z',
      '/jobs/nightly-report',
    ]);
  });

  test('says more where the detail does, and not the same twice', () => {
    const change = { before: 'running', after: 'told to stop', runId: RUN };

    expect(rowOf({ ...change, action: 'cancel', detail: 'cancelled by a person' })).toMatch(
      /running → told to stop$/,
    );
    expect(
      rowOf({ action: 'run-now', before: null, after: 'waiting', detail: 'no input' }),
    ).toMatch(/waiting no input$/);
    expect(rowOf({ action: 'pause', detail: 'until resumed' })).toMatch(/until resumed$/);
  });

  test('writes instants as everywhere else', () => {
    expect(rowOf({ after: 'paused until 2026-12-01T08:00:00.000Z: x' })).toContain(
      'paused until 2026-12-01 08:00:00 UTC: x',
    );
  });

  test('of a person leads to all that they did', () => {
    const { markup } = actionRow(action({ by: 'ada@example.org' }), NOW, SHOWN);

    expect(markup).toContain('href="/actions?by=ada%40example.org"');
    expect(isByPerson(action({ by: 'ada', action: 'define' }))).toBe(true);
    expect(isByPerson(action({ action: 'define' }))).toBe(false);
  });
});

describe('the page', () => {
  const page = (given: Partial<ActionsView> = {}) =>
    actionsBody({
      actions: [action({})],
      asked: { job: '', by: '' },
      problem: null,
      hints: [],
      trail: [],
      next: undefined,
      search: null,
      now: NOW,
      ...given,
    });

  test('without actions says what is kept here', () => {
    expect(textOf(page({ actions: [] }))).toContain('No actions yet.');
    expect(textOf(page({ actions: [], asked: { job: 'x', by: '' } }))).toContain(
      'No actions like this. Show all actions',
    );
    expect(textOf(page({ actions: [], next: 'c', asked: { job: '', by: 'ada' } }))).toContain(
      'There are older ones.',
    );
  });

  test('keeps the name that was asked for among the choices', () => {
    const { markup } = page({ asked: { job: '', by: 'ada' } });

    expect(markup).toContain('<option value="ada" selected>ada</option>');
    expect(page({ asked: { job: '', by: 'people' } }).markup).toContain(
      '<option value="people" selected>People</option>',
    );
  });

  test('says that there is no such job, and which one may be meant', () => {
    const problem = { message: 'There is no job "nigtly"', instead: 'nightly' };
    const given = page({ asked: { job: 'nigtly', by: 'people' }, problem });

    expect(textOf(given)).toContain('There is no job "nigtly". Did you mean nightly ?');
    expect(given.markup).toContain('href="/actions?job=nightly&amp;by=people"');
    expect(given.markup).not.toContain('<table');
  });

  test('is small at its worst', () => {
    const nasty = '"'.repeat(5000);
    const worst = action({
      action: 'run-now',
      by: nasty,
      job: 'j'.repeat(63),
      runId: `${'j'.repeat(63)}!${'x'.repeat(52)}`,
      detail: nasty,
      before: nasty,
      after: nasty,
    });
    const actions = Array.from({ length: 50 }, (_, i) => ({ ...worst, id: `a-${i}` }));

    expect(page({ actions }).markup.length).toBeLessThan(145_000);
  });
});
