import { set, type DecisionContext, type Draft } from './draft.ts';
import type { Backfill, JobRecord, PastBackfill } from './records.ts';
import type { Instant } from './time.ts';

/**
 * How many backfills that are over a record still tells of. A request that comes again under the
 * key of one of them is answered by it, and opens nothing.
 */
export const BACKFILLS_KEPT = 20;

/** The backfill of this id, under way or over; undefined where the record tells of none. */
export function knownBackfill(
  { backfill, backfills = [] }: Pick<JobRecord, 'backfill' | 'backfills'>,
  id: string,
): Backfill | PastBackfill | undefined {
  return backfill?.id === id ? backfill : backfills.findLast((one) => one.id === id);
}

/** Ends the backfill that is under way, if there is one: it came as far as `cursor`. */
export function closeBackfill(
  draft: Draft,
  cursor: Instant,
  { now }: Pick<DecisionContext, 'now'>,
): void {
  const { backfill, backfills = [] } = draft.record;
  if (backfill === null) return;
  const past: PastBackfill = { ...backfill, cursor, endedAt: now };
  set(draft, { backfill: null, backfills: [...backfills, past].slice(-BACKFILLS_KEPT) });
}
