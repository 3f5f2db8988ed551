import { blankRun } from '../../server/core/blank-run.ts';
import type { Run, Trigger } from '../../server/core/records.ts';
import type { RunState } from '../../server/core/run.ts';
import type { Instant } from '../../server/core/time.ts';

/** A run that is over, as a living service would have left it. */
export interface Past {
  readonly id: string;
  readonly job: string;
  readonly at: Instant;
  /** A number of its own among its job's runs. */
  readonly n: number;
  readonly state: RunState;
  readonly trigger: Trigger;
  readonly attemptId: string;
  readonly tookMs: number;
  /** What went wrong, where it failed. */
  readonly message: string;
}

export function pastRun({ id, job, at, n, state, trigger, attemptId, tookMs, message }: Past): Run {
  const startedAt = at + 40;
  const endedAt = startedAt + tookMs;
  const failed = state === 'failed' || state === 'timed_out';
  const error = failed ? { name: 'Error', message, stack: `Error: ${message}\n    at x` } : null;
  const attempt = {
    n: 1,
    fence: at,
    attemptId,
    owner: 'web-1:42:abcdef',
    startedAt,
    endedAt,
    outcome: failed ? state : ('succeeded' as const),
    error,
  };
  return {
    ...blankRun(job, id, { now: at, build: 'bench' }),
    state,
    trigger,
    scheduledAt: trigger === 'manual' ? null : at,
    createdAt: at + 20,
    startedAt,
    endedAt,
    attempts: [attempt],
    output: failed ? null : JSON.stringify({ orders: n % 97 }),
    error,
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    ...(state === 'skipped' && {
      reason: 'overlap' as const,
      attempts: [],
      startedAt: null,
      output: null,
      range: { from: at, to: at, count: 1, atLeast: false },
    }),
  };
}
