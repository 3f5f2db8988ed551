import { closeBackfill } from './backfills.ts';
import { blankRun } from './blank-run.ts';
import { scheduledRunId, set, withLease } from './draft.ts';
import type { DecisionContext, Draft, Offer } from './draft.ts';
import { backfillRunId } from './ids.ts';
import type { Attempt, Backfill, Lease, Queued, Retry, Run, Trigger } from './records.ts';
import { graceOf, STAMP, type Instant } from './time.ts';
import { moveWatermark } from './watermark.ts';

/** Starts the run of an occurrence: the watermark moves to it in the same commit. */
export function startOccurrence(draft: Draft, at: Instant, ctx: DecisionContext, offer: Offer) {
  const { name } = draft.record;
  moveWatermark(draft, at);
  const run: Run = {
    ...blankRun(name, scheduledRunId(name, at), ctx),
    at,
    scheduledAt: at,
    traceparent: offer.traceparent,
  };
  startNew(draft, run, ctx, offer);
}

/** The next run of a backfill: a run of its own beside the record that said why there was none. */
export function startBackfill(
  draft: Draft,
  { backfill, at, next }: { backfill: Backfill; at: Instant; next: Instant | undefined },
  ctx: DecisionContext,
  offer: Offer,
): void {
  const { name } = draft.record;
  const left = next !== undefined && next <= backfill.to;
  if (left) set(draft, { backfill: { ...backfill, cursor: at, since: ctx.now } });
  else closeBackfill(draft, backfill.to, ctx);
  const run: Run = {
    ...blankRun(name, backfillRunId(name, backfill.id, at), ctx),
    trigger: 'backfill',
    scheduledAt: at,
    backfillOf: backfill.id,
    requestedBy: backfill.by,
    traceparent: offer.traceparent,
  };
  startNew(draft, run, ctx, offer);
}

function startNew(draft: Draft, run: Run, ctx: DecisionContext, offer: Offer): void {
  const { id: runId, trigger, scheduledAt } = run;
  const first = { runId, trigger, scheduledAt, attempt: 1, interruptions: 0 };
  const attempt = grant(draft, first, ctx, offer);
  const started = { state: 'running', startedAt: STAMP, attempts: [attempt] } as const;
  draft.runs.push({ kind: 'create', run: { ...run, ...started } });
}

/** Starts a manual run that waited. */
export function startQueued(draft: Draft, queued: Queued, ctx: DecisionContext, offer: Offer) {
  set(draft, { queue: draft.record.queue.filter(({ runId }) => runId !== queued.runId) });
  const first = { trigger: 'manual', scheduledAt: null, attempt: 1, interruptions: 0 } as const;
  const open = grant(draft, { ...first, runId: queued.runId }, ctx, offer);
  draft.runs.push({
    kind: 'change',
    id: queued.runId,
    from: 'queued',
    set: { state: 'running', startedAt: STAMP },
    open,
  });
}

/** Starts the next attempt of a run, in the slot it holds. */
export function startRetry(draft: Draft, retry: Retry, ctx: DecisionContext, offer: Offer): void {
  set(draft, { retries: draft.record.retries.filter(({ runId }) => runId !== retry.runId) });
  const open = grant(draft, retry, ctx, offer);
  draft.runs.push({
    kind: 'change',
    id: retry.runId,
    from: 'retry_wait',
    set: { state: 'running' },
    open,
  });
}

interface Starting {
  readonly runId: string;
  readonly trigger: Trigger;
  readonly scheduledAt: Instant | null;
  readonly attempt: number;
  readonly interruptions: number;
  readonly beside?: boolean;
}

/**
 * Rule 7: a new lease under a fencing token larger than any before, also after a restored backup.
 */
export function grant(draft: Draft, run: Starting, ctx: DecisionContext, offer: Offer): Attempt {
  const { record } = draft;
  const { leaseMs } = record.spec;
  const fence = Math.max(record.fence + 1, ctx.now);
  const lease: Lease = {
    runId: run.runId,
    trigger: run.trigger,
    fence,
    attempt: run.attempt,
    interruptions: run.interruptions,
    scheduledAt: run.scheduledAt,
    owner: offer.owner,
    startedAt: STAMP,
    renewedAt: STAMP,
    leaseMs,
    graceMs: graceOf(leaseMs),
    cancel: null,
    beside: run.beside ?? false,
  };
  set(draft, { fence, active: withLease(record.active, offer.attemptId, lease) });
  draft.grant = { attemptId: offer.attemptId, runId: run.runId };
  return {
    n: run.attempt,
    fence,
    attemptId: offer.attemptId,
    owner: offer.owner,
    startedAt: STAMP,
    endedAt: null,
    outcome: null,
    error: null,
  };
}
