import type { JobRecord, Lease, Run } from '../../server/core/records.ts';
import type { Commit } from '../../server/core/store.ts';
import type { Instant } from '../../server/core/time.ts';
import type { SimulatedProcess } from './process.ts';

/** A commit that was applied, with the state before and after it. */
export interface Seen {
  readonly process: SimulatedProcess;
  readonly commit: Commit;
  readonly before: JobRecord | undefined;
  readonly after: JobRecord;
  readonly runs: readonly {
    readonly id: string;
    readonly before: Run | undefined;
    readonly after: Run | undefined;
  }[];
  /** Store time when the commit left its process, and when it was applied. */
  readonly sentAt: Instant;
  readonly storeNow: Instant;
}

export const slotsOf = ({ spec }: JobRecord): number =>
  typeof spec.overlap === 'object' ? spec.overlap.allow : 1;

export const usedSlots = ({ active, retries }: JobRecord): number =>
  [...Object.values(active), ...retries].filter(({ beside }) => !beside).length;

export const isFull = (record: JobRecord): boolean => usedSlots(record) >= slotsOf(record);

/** The leases that a commit ends because they ran out. */
export function givenUp({ before, after, runs }: Seen): { attemptId: string; lease: Lease }[] {
  const gone = Object.entries(before?.active ?? {}).filter(
    ([id]) => after.active[id] === undefined,
  );
  return gone
    .map(([attemptId, lease]) => ({ attemptId, lease }))
    .filter(({ attemptId, lease }) => {
      const run = runs.find(({ id }) => id === lease.runId)?.after;
      const attempt = run?.attempts.find((one) => one.attemptId === attemptId);
      return attempt?.outcome === 'lost';
    });
}
