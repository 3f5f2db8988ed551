import type { JobRecord, Lease, Retry, Run } from '../../server/core/records.ts';
import type { Instant } from '../../server/core/time.ts';
import { nextOccurrenceAfter, type InForce } from './occurrences.ts';
import { isFull, slotsOf, usedSlots, type Seen } from './seen.ts';

/** What is wrong with the leases of a commit: I4, I6, and who may end what. */
export function wrongInLeases(seen: Seen, mostFence: number): string | undefined {
  const { before, after, process } = seen;
  const was = before?.active ?? {};
  const granted = Object.entries(after.active).filter(([id]) => was[id] === undefined);
  if (granted.length > 1) return `${after.name}: ${granted.length} grants in one commit`;
  for (const [, lease] of granted) {
    if (lease.fence <= mostFence) return `I6 ${lease.runId} gets token ${lease.fence} again`;
    if (lease.owner !== process.owner) return `${lease.runId} is granted to ${lease.owner}`;
  }
  for (const [id, lease] of Object.entries(was)) {
    const now = after.active[id];
    const wrong = now === undefined ? wrongEnd(seen, id, lease) : wrongChange(seen, lease, now);
    if (wrong !== undefined) return wrong;
  }
  const used = usedSlots(after);
  const most = Math.max(slotsOf(after), before === undefined ? 0 : usedSlots(before));
  return used > most ? `I4 ${after.name}: ${used} runs hold ${most} slots` : undefined;
}

/** A lease is ended by its owner, by a person who frees the slot, or by time. */
function wrongEnd({ commit, process, runs, storeNow }: Seen, id: string, lease: Lease) {
  const run: Run | undefined = runs.find((one) => one.id === lease.runId)?.after;
  const attempt = run?.attempts.find(({ attemptId }) => attemptId === id);
  if (attempt === undefined) return `the lease ${id} of ${lease.runId} ends without a record of it`;
  if (attempt.outcome === 'lost') {
    const left = lease.renewedAt + lease.leaseMs - storeNow;
    return left >= 0 ? `${lease.runId} is lost ${left} ms before its lease ends` : undefined;
  }
  if (commit.op === 'free') return undefined;
  if (commit.op === 'finish' && lease.owner === process.owner) return undefined;
  return `${commit.op} by ${process.owner} ends ${id} of ${lease.owner} as ${attempt.outcome}`;
}

function wrongChange({ commit, process }: Seen, was: Lease, now: Lease): string | undefined {
  if (was.fence !== now.fence || was.runId !== now.runId || was.owner !== now.owner) {
    return `I6 a lease of ${was.runId} becomes another`;
  }
  if (was.renewedAt === now.renewedAt) return undefined;
  const own = commit.op === 'renew' && was.owner === process.owner;
  return own ? undefined : `${commit.op} by ${process.owner} renews a lease of ${was.owner}`;
}

/** The earliest instant at which something could happen to a job, reckoned a second time (I14). */
export function earliest(record: JobRecord, schedules: readonly InForce[], now: Instant): Instant {
  const { active, retries, paused, retiredAt, queue, backfill, watermark, spec } = record;
  const leases = Object.values(active);
  // A retry holds a slot that a new definition may have taken away.
  const inSlots = leases.filter(({ beside }) => !beside).length;
  const mayStart = ({ beside }: Retry): boolean => beside || inSlots < slotsOf(record);
  const at = [
    ...leases.map((lease) => lease.renewedAt + lease.leaseMs + lease.graceMs + 1),
    ...retries.filter(mayStart).map(({ notBefore }) => notBefore),
    paused?.until ?? Infinity,
  ];
  const next = (after: Instant): Instant => nextOccurrenceAfter(schedules, after) ?? Infinity;
  const scheduled = paused === null && retiredAt === null;
  if (!isFull(record)) {
    if (queue.length > 0 || backfill !== null) at.push(now);
    if (scheduled) at.push(next(watermark));
  } else if (scheduled && spec.overlap === 'replace') {
    const holders = leases.filter(({ beside }) => !beside);
    const marked = holders.some(({ cancel }) => cancel !== null);
    const began = Math.min(
      ...holders.map(({ startedAt }) => startedAt),
      ...retries.filter(({ beside }) => !beside).map(({ since }) => since),
    );
    // Occurrences inside an ended pause replace nothing: left to the product.
    const open = record.pauses.length === 0;
    if (!marked && open) at.push(next(Math.max(watermark, record.catchUpTo ?? 0, began)));
  }
  return Math.min(...at);
}
