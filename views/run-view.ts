import type { JobRecord, Lease, Progress, Retry, Run } from '../server/core/records.ts';
import type { Instant } from '../server/core/time.ts';
import type { LogShown } from './log.ts';

/** All that the page of a run is made of. */
export interface RunView {
  readonly run: Run;
  readonly now: Instant;
  /** The job as it stands now; null where it has no record that can be used. */
  readonly record: JobRecord | null;
  /** Whether this build has the job, so that it can be run again. */
  readonly known: boolean;
  /** When the job runs next by its schedule; null where it does not. */
  readonly nextAt: Instant | null;
  /** What half of its last runs took at most; null where none was timed. */
  readonly usualMs: number | null;
  /** How far its newest attempt said that it is. */
  readonly progress: Progress | null;
  /** Whether `cause` is the run that this one repeats, and not one that replaced it. */
  readonly repeats: boolean;
  /** Null where the page has its log already, and where there is none. */
  readonly log: LogShown | null;
  /** The Google Cloud project that has its trace; null for none. */
  readonly project: string | null;
}

/** The lease of the attempt that is at work. */
export const leaseOf = ({ run, record }: Pick<RunView, 'run' | 'record'>): Lease | null =>
  Object.values(record?.active ?? {}).find(({ runId }) => runId === run.id) ?? null;

/** Its next attempt, while it waits for one. */
export const retryOf = ({ run, record }: Pick<RunView, 'run' | 'record'>): Retry | null =>
  record?.retries.find(({ runId }) => runId === run.id) ?? null;

/** When it was, or will be, asked to stop: by a cancel, or at the end of its time. */
export function stopAskedAt(view: Pick<RunView, 'run' | 'record'>): Instant | null {
  const lease = leaseOf(view);
  if (lease === null || view.record === null) return null;
  return Math.min(lease.cancel?.at ?? Infinity, lease.startedAt + view.record.spec.timeoutMs);
}

/**
 * Whether a handler that was asked to stop has not, although it must have heard: its owner looks
 * with each beat, three times a lease.
 */
export function isOverdue(view: RunView): boolean {
  const lease = leaseOf(view);
  const asked = stopAskedAt(view);
  return lease !== null && asked !== null && view.now >= asked + lease.leaseMs / 2;
}
