import { expect, test } from 'vitest';
import { isFailure, isFinal, RUN_STATES } from '../../server/core/run.ts';
import { runRow, runsTable } from '../../views/runs.ts';
import { isLive, stateWord, toneOf } from '../../views/state.ts';
import { NOW, run, textOf } from './builders.ts';

const at = (text: string): number => Date.parse(text);

test('a row tells state, job, trigger, instants, lateness and duration', () => {
  const row = runRow(
    run({ scheduledAt: NOW - 60_000, startedAt: NOW - 56_000, endedAt: NOW - 54_800 }),
    NOW,
  );

  expect(textOf(row)).toBe(
    'succeeded nightly-report schedule 1 minute ago 56 s ago 4 s late 1.2 s',
  );
});

test('an unfinished run shows how long it has been going', () => {
  const row = runRow(run({ state: 'running', startedAt: NOW - 42_000 }), NOW);

  expect(textOf(row)).toContain('42 s so far');
});

test('a run by hand is never late', () => {
  const row = runRow(run({ trigger: 'manual', scheduledAt: NOW - 9000, startedAt: NOW }), NOW);

  expect(textOf(row)).not.toContain('late');
});

test('a range is told with its number, its span and its reason', () => {
  const range = {
    from: at('2026-11-23T00:00Z'),
    to: at('2026-11-23T11:00Z'),
    count: 12,
    atLeast: false,
  };

  const row = runRow(run({ state: 'missed', reason: 'outage', range }), NOW);

  expect(textOf(row)).toContain(
    '12 occurrences, from 2026-11-23 00:00:00 UTC to 2026-11-23 11:00:00 UTC: missed, outage',
  );
});

test('a range of one has one instant, and a cut-off count says so', () => {
  const from = at('2026-11-23T00:00Z');
  const one = { from, to: from, count: 1, atLeast: false };
  const many = { from, to: NOW, count: 10_000, atLeast: true };
  const row = (range: typeof one) =>
    textOf(runRow(run({ state: 'skipped', reason: 'overlap', range }), NOW));

  expect(row(one)).toContain('1 occurrence, at 2026-11-23 00:00:00 UTC: skipped, overlap');
  expect(row(many)).toContain('at least 10,000 occurrences, from');
});

test('without runs the table says how the first one comes', () => {
  expect(textOf(runsTable([], NOW))).toContain('No runs yet.');
});

test.each(RUN_STATES)('%s is shown as what the protocol says it is', (state) => {
  expect(isLive(state)).toBe(!isFinal(state));
  expect(toneOf(state) === 'bad').toBe(isFailure(state));
  expect(textOf(runRow(run({ state }), NOW))).toContain(stateWord(state));
});
