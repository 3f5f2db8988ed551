import type { JobRecord, Span } from './records.ts';
import type { Instant } from './time.ts';
import { neighbours } from './undecided.ts';

/** The occurrences that a backfill opens a run for. */
export interface BackfillPlan {
  /** The first of them, oldest first. */
  readonly first: readonly Instant[];
  readonly count: number;
  /** Whether `count` stopped at its limit: there are more. */
  readonly atLeast: boolean;
}

/**
 * Which occurrences of (from, to] a backfill will open, found as it goes itself (plan.ts): each by
 * the schedule in force at the one before. Lists at most `listed` of them and counts to `counted`.
 */
export function backfillPlan(
  record: JobRecord,
  { from, to }: Span,
  { listed, counted }: { readonly listed: number; readonly counted: number },
): BackfillPlan {
  const first: Instant[] = [];
  let count = 0;
  let at = neighbours(record, from).next;
  while (at !== undefined && at <= to) {
    if (count >= counted) return { first, count, atLeast: true };
    if (first.length < listed) first.push(at);
    count += 1;
    at = neighbours(record, at).next;
  }
  return { first, count, atLeast: false };
}
