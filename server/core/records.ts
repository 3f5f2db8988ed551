import type { Cost } from './cost.ts';
import type { Instant } from './time.ts';
import type { RunState } from './run.ts';

/**
 * What the store keeps. Two kinds decide and tell everything: the job record, which is the only
 * thing ever fought over, and run records, which are history.
 */

export type Overlap = 'skip' | 'queue' | 'replace' | { readonly allow: number };

export interface CatchUp {
  readonly runs: 'none' | 'latest' | 'all';
  readonly withinMs: number;
  /** The most that `all` starts. */
  readonly max: number;
}

export interface RetryPolicy {
  /** Counts the first try. */
  readonly attempts: number;
  readonly backoff: Backoff;
}

export interface Backoff {
  readonly fromMs: number;
  readonly factor: number;
  readonly toMs: number;
  /** Spread as a share of the delay: 0.1 is ± 10 %. */
  readonly jitter: number;
}

/** The policies in force, as the newest build defined them. */
export interface Spec {
  readonly overlap: Overlap;
  readonly catchUp: CatchUp;
  readonly timeoutMs: number;
  readonly leaseMs: number;
  readonly retry: RetryPolicy;
  readonly onLost: 'fail' | 'retry';
}

/** Cron text and its zone; `schedule` is null for a job that runs only by hand. */
export interface ScheduleText {
  readonly schedule: string | null;
  readonly timeZone: string;
}

/** Names the occurrences after `from`, until the next entry's `from`. */
export interface ScheduleInForce extends ScheduleText {
  readonly from: Instant;
}

/** The right of one attempt to work, limited in time. Its length is fixed when it is granted. */
export interface Lease {
  readonly runId: string;
  readonly trigger: Trigger;
  readonly fence: number;
  /** From 1; counts every start of the run. */
  readonly attempt: number;
  /** How many earlier attempts were interrupted by a drain; those do not use up tries. */
  readonly interruptions: number;
  readonly scheduledAt: Instant | null;
  readonly owner: string;
  readonly startedAt: Instant;
  readonly renewedAt: Instant;
  readonly leaseMs: number;
  readonly graceMs: number;
  readonly cancel: CancelMark | null;
  /** Started beside the others at a person's explicit wish, so it takes no slot. */
  readonly beside: boolean;
}

export interface CancelMark {
  readonly at: Instant;
  readonly why: 'cancelled' | 'replaced';
  readonly by: string | null;
}

/** A run between two attempts. It keeps its slot. */
export interface Retry {
  readonly runId: string;
  readonly trigger: Trigger;
  readonly scheduledAt: Instant | null;
  /** The attempt that comes next. */
  readonly attempt: number;
  readonly interruptions: number;
  readonly notBefore: Instant;
  /** Start of its last attempt. */
  readonly since: Instant;
  readonly beside: boolean;
}

/** A manual run that waits for a slot. */
export interface Queued {
  readonly runId: string;
  readonly since: Instant;
}

/** Runs for the occurrences in (from, to], one after another; `cursor` is the last one started. */
export interface Backfill {
  readonly id: string;
  readonly from: Instant;
  readonly to: Instant;
  readonly cursor: Instant;
  /** Since when it waits for its next run to start. */
  readonly since: Instant;
  readonly by: string | null;
  /** When it was asked for. Those of older records have none. */
  readonly askedAt?: Instant;
}

/** A backfill that opens no more runs: it came to its end, or was ended at its `cursor`. */
export interface PastBackfill extends Backfill {
  readonly endedAt: Instant;
}

export interface Pause {
  readonly at: Instant;
  readonly by: string | null;
  readonly note: string | null;
  readonly until: Instant | null;
}

/** Half-open: (from, to]. */
export interface Span {
  readonly from: Instant;
  readonly to: Instant;
}

/** One of the last outcomes, short enough that an overview is one read a job. */
export interface Outcome {
  readonly id: string;
  readonly state: RunState;
  readonly at: Instant;
  readonly ms: number | null;
  /** By how much its first start came after its occurrence; only where that was 1 s or more. */
  readonly late?: number;
}

/** How many occurrences and runs came to what, of those that history has in one UTC day. */
export interface DayTally {
  /** Days since 1970-01-01. */
  readonly day: number;
  /** Succeeded. */
  readonly good: number;
  /** Failed, timed out, lost, missed. */
  readonly bad: number;
  /** Cancelled, skipped. */
  readonly quiet: number;
}

export interface LastRun {
  readonly runId: string;
  readonly state: RunState;
  readonly at: Instant;
}

/** Coordination: all that decides anything about one job. Changed only by compare-and-set. */
export interface JobRecord {
  readonly name: string;
  readonly rev: number;
  readonly namespace: string;
  readonly spec: Spec;
  readonly schedules: readonly ScheduleInForce[];
  readonly specHash: string;
  readonly build: string;
  readonly registeredAt: Instant;
  readonly retiredAt: Instant | null;
  /** Every occurrence up to here is decided and on record. */
  readonly watermark: Instant;
  /** History before this was deleted by retention. */
  readonly ledgerFrom: Instant;
  /** End of a catch-up in progress. */
  readonly catchUpTo: Instant | null;
  /** When a full job last got a free slot, and what had held it. */
  readonly freeAt: Instant;
  readonly freed: { readonly runId: string; readonly trigger: Trigger } | null;
  readonly paused: Pause | null;
  /** Ended pauses that the watermark has not passed. */
  readonly pauses: readonly Span[];
  /** The pause before, where it came to its own end: a clock that is set back may bring it back. */
  readonly lastPause?: Pause | null;
  /** Scheduled runs are on record up to here, though the watermark is not: the clock was ahead. */
  readonly aheadTo?: Instant;
  readonly fence: number;
  readonly active: Readonly<Record<string, Lease>>;
  readonly retries: readonly Retry[];
  readonly queue: readonly Queued[];
  readonly backfill: Backfill | null;
  /** Those that are over, newest last, at most 20. Older records have none. */
  readonly backfills?: readonly PastBackfill[];
  /** When something can next happen; null when nothing can. The one indexed field. */
  readonly nextActionAt: Instant | null;
  readonly last: LastRun | null;
  /** How many runs in a row ended as the last one did; below zero counts failures. */
  readonly streak: number;
  readonly counters: Readonly<Partial<Record<RunState, number>>>;
  /** Oldest first, at most 60. */
  readonly recent: readonly Outcome[];
  /** Days that had outcomes, newest last, at most 42. Older records have none. */
  readonly days?: readonly DayTally[];
}

export type Trigger = 'schedule' | 'manual' | 'backfill';
export type SkipReason = 'overlap' | 'superseded' | 'paused';
export type MissReason = 'late' | 'outage' | 'too-many';
export type Reason = SkipReason | MissReason;

export type AttemptOutcome =
  'succeeded' | 'failed' | 'timed_out' | 'cancelled' | 'lost' | 'interrupted';

export interface Attempt {
  readonly n: number;
  readonly fence: number;
  readonly attemptId: string;
  readonly owner: string;
  readonly startedAt: Instant;
  readonly endedAt: Instant | null;
  readonly outcome: AttemptOutcome | null;
  readonly error: RunError | null;
  /** How many beats of its lease came through. Known only where its own process ended it. */
  readonly renewals?: number;
}

export interface RunError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
}

export interface Note {
  readonly at: Instant;
  readonly text: string;
}

export interface Progress {
  readonly done: number;
  readonly total: number | null;
}

/** Occurrences that did not run, from the first to the last of them, both included. */
export interface Range extends Span {
  readonly count: number;
  /** True where `count` stopped at its limit: there were at least so many. */
  readonly atLeast: boolean;
}

/** A result that came after the run was already decided otherwise. */
export interface LateResult {
  readonly attemptId: string;
  readonly outcome: AttemptOutcome;
  readonly output: string | null;
  readonly error: RunError | null;
  /** Those of older records have none. */
  readonly notes?: readonly string[];
  readonly at: Instant;
}

/** History: one per run, or one per stretch of occurrences that did not run (`range`). */
export interface Run {
  readonly id: string;
  readonly job: string;
  readonly state: RunState;
  readonly reason: Reason | null;
  readonly trigger: Trigger;
  /** Orders history: the occurrence, a range's end, or the instant of asking. */
  readonly at: Instant;
  readonly scheduledAt: Instant | null;
  readonly createdAt: Instant;
  readonly startedAt: Instant | null;
  readonly endedAt: Instant | null;
  readonly attempts: readonly Attempt[];
  /** JSON text, so that no key of a user's becomes a field of the store's. */
  readonly input: string | null;
  readonly output: string | null;
  readonly error: RunError | null;
  readonly progress: Progress | null;
  readonly notes: readonly Note[];
  readonly requestHash: string | null;
  readonly requestedBy: string | null;
  readonly backfillOf: string | null;
  readonly traceparent: string | null;
  /**
   * The run that caused a range, or that replaced this one; of a run by hand that nothing replaced,
   * the run that it repeats.
   */
  readonly cause: string | null;
  readonly range: Range | null;
  readonly lateResult: LateResult | null;
  readonly build: string;
  /**
   * What the store has billed for it up to its last change; null where nothing is billed. Those of
   * older records have none.
   */
  readonly cost?: Cost | null;
}

/** Which schedule names a job's occurrences after `from`. Append-only: the audit's authority. */
export interface SpecRecord extends ScheduleInForce {
  readonly job: string;
  readonly build: string;
  /** Version of the time-zone data that was in use. */
  readonly zoneData: string;
}

export interface LogLine {
  readonly at: Instant;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly text: string;
  /** JSON text of structured fields, if any were given. */
  readonly fields: string | null;
}

/** A bounded piece of a run's log. Lines of one run are numbered from 0 without gaps. */
export interface LogChunk {
  readonly runId: string;
  readonly n: number;
  /** Number of the first line here; above the end of the chunk before it, lines were dropped. */
  readonly first: number;
  readonly lines: readonly LogLine[];
  readonly progress: Progress | null;
  /** Chunks below this number are deleted with this write, to keep the log within its limit. */
  readonly keepFrom: number;
}

/** Who did what: pauses, cancels, anomalies. */
export interface ActionRecord {
  readonly id: string;
  readonly at: Instant;
  readonly by: string | null;
  readonly action: string;
  readonly job: string | null;
  readonly runId: string | null;
  readonly detail: string;
  /** In a few words, what stood before and what stands since; null for nothing. */
  readonly before?: string | null;
  readonly after?: string | null;
}
