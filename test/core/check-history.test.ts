import { expect, test } from 'vitest';
import { blankRun } from '../../server/core/blank-run.ts';
import { actionFrom, chunkFrom, isRun } from '../../server/core/check-history.ts';

const attempt = {
  n: 1,
  fence: 1,
  attemptId: 'a',
  owner: 'o',
  startedAt: 1,
  endedAt: null,
  outcome: null,
  error: null,
};
const run = {
  ...blankRun('job', 'job!a', { now: 1, build: 'b' }),
  attempts: [attempt],
  error: { name: 'Error', message: 'no', stack: null },
  range: { from: 1, to: 2, count: 2, atLeast: false },
  lateResult: { attemptId: 'a', outcome: 'failed', output: null, error: null, notes: ['x'], at: 1 },
  notes: [{ at: 1, text: 'x' }],
};

test('a whole run passes, also one of before runs had a cost, or of a newer version', () => {
  const { cost: _gone, ...older } = run;

  expect(isRun(run)).toBe(true);
  expect(isRun(older)).toBe(true);
  expect(isRun({ ...run, colour: 'green' })).toBe(true);
});

test.for(Object.keys(run).filter((field) => field !== 'cost'))('no run is without %s', (field) => {
  expect(isRun({ ...run, [field]: undefined })).toBe(false);
});

test.for([
  { at: 8.64e15 + 2 },
  { startedAt: '2026-03-01' },
  { attempts: [null] },
  { attempts: [{ ...attempt, outcome: 'odd' }] },
  { notes: [{ at: null, text: 'x' }] },
  { error: 'no' },
  { range: {} },
  { trigger: {} },
  { reason: 'x' },
  { requestedBy: 'x'.repeat(1001) },
  { lateResult: { ...run.lateResult, notes: 'x' } },
])('a run with %j is none', (part) => {
  expect(isRun({ ...run, ...part })).toBe(false);
});

test.for([null, 'x', {}, { id: 'a', at: 'x' }])('an action that is %j tells that', (stored) => {
  expect(actionFrom(stored, { id: 'a', at: 7 })).toMatchObject({
    id: 'a',
    at: 7,
    action: 'anomaly',
    detail: expect.stringContaining('damaged'),
  });
});

test.for([null, { lines: 'x' }, { first: 3, lines: [{ at: 5, text: null }] }])(
  'a part of a log that is %j has a line that tells that, in its place',
  (stored) => {
    const { n, lines } = chunkFrom(stored, { runId: 'r', n: 4 });

    expect(n).toBe(4);
    expect(lines).toMatchObject([{ level: 'error', text: expect.stringContaining('damaged') }]);
  },
);
