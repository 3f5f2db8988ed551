import type { Run } from './records.ts';
import { STAMP, type Instant } from './time.ts';

/** A run with nothing in it yet. */
export function blankRun(
  job: string,
  id: string,
  made: { readonly now: Instant; readonly build: string },
): Run {
  return {
    id,
    job,
    state: 'queued',
    reason: null,
    trigger: 'schedule',
    at: made.now,
    scheduledAt: null,
    createdAt: STAMP,
    startedAt: null,
    endedAt: null,
    attempts: [],
    input: null,
    output: null,
    error: null,
    progress: null,
    notes: [],
    requestHash: null,
    requestedBy: null,
    backfillOf: null,
    traceparent: null,
    cause: null,
    range: null,
    lateResult: null,
    build: made.build,
    cost: null,
  };
}
