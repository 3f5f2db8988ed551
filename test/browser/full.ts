import type { ActionRecord, JobRecord, Run } from '../../server/core/records.ts';
import { action, jobRecord, lease, retry, run } from '../builders.ts';
import { TEST_START as NOW } from '../test-clock.ts';

/** Records with every text that one can have, each of them an `x` for something to be put there. */

export const HOUR = 3_600_000;
const error = { name: 'x', message: 'x', stack: 'x' };

/** With every text that a record can have. */
export const fullRun = (change: Partial<Run>): Run =>
  run({
    state: 'failed',
    trigger: 'manual',
    at: NOW - HOUR,
    createdAt: NOW - HOUR,
    startedAt: NOW - HOUR,
    endedAt: NOW - 1,
    attempts: [1, 2].map((n) => ({
      n,
      fence: n,
      attemptId: 'x',
      owner: 'x',
      startedAt: NOW - HOUR,
      endedAt: NOW - 1,
      outcome: 'failed',
      error,
    })),
    input: 'x',
    output: 'x',
    error,
    notes: [{ at: NOW, text: 'x' }],
    requestHash: 'x',
    requestedBy: 'x',
    backfillOf: 'x',
    traceparent: 'x',
    cause: 'x',
    lateResult: {
      attemptId: 'x',
      outcome: 'failed',
      output: 'x',
      error,
      notes: ['x'],
      at: NOW,
    },
    build: 'x',
    ...change,
  });

export const fullRecord = (change: Partial<JobRecord>): JobRecord => {
  const backfill = {
    id: 'x',
    from: NOW - 48 * HOUR,
    to: NOW - HOUR,
    cursor: NOW - 24 * HOUR,
    since: NOW - HOUR,
    by: 'x',
  };
  const held = lease({
    runId: 'x',
    trigger: 'manual',
    startedAt: NOW - HOUR,
    renewedAt: NOW - 1,
    owner: 'x',
    cancel: { at: NOW - HOUR, why: 'cancelled', by: 'x' },
  });
  return jobRecord({
    name: 'x',
    namespace: 'x',
    schedules: [{ schedule: 'x', timeZone: 'x', from: NOW - 72 * HOUR }],
    specHash: 'x',
    build: 'x',
    freed: { runId: 'x', trigger: 'schedule' },
    paused: { at: NOW - HOUR, by: 'x', note: 'x', until: null },
    lastPause: { at: NOW - 24 * HOUR, by: 'x', note: 'x', until: NOW - HOUR },
    active: { x: held },
    retries: [retry({ runId: 'x', notBefore: NOW + HOUR })],
    queue: [{ runId: 'x', since: NOW }],
    backfill,
    backfills: [{ ...backfill, endedAt: NOW }],
    last: { runId: 'x', state: 'failed', at: NOW - 1 },
    streak: -3,
    recent: [{ id: 'x', state: 'failed', at: NOW - 1, ms: 5 }],
    ...change,
  });
};

export const fullAction = (change: Partial<ActionRecord>): ActionRecord =>
  action({
    id: 'x',
    at: NOW,
    by: 'x',
    action: 'x',
    job: 'x',
    runId: 'x',
    detail: 'x',
    before: 'x',
    after: 'x',
    ...change,
  });

/** In which a list of runs has something else to say. */
export const SHAPES: readonly Partial<Run>[] = [
  {},
  { state: 'retry_wait', error: null, endedAt: null },
  { state: 'cancelled', error: null },
  {
    state: 'skipped',
    reason: 'overlap',
    error: null,
    attempts: [],
    startedAt: null,
    range: { from: NOW - HOUR, to: NOW, count: 9, atLeast: true },
  },
];
