import { apply, newIntent } from './apply.ts';
import { breathe } from './breathe.ts';
import type { ApplyDeps } from './deps.ts';
import type { Run } from './records.ts';
import { isFailure, isFinal, RUN_STATES } from './run.ts';
import { StoreUnavailable } from './store.ts';
import type { Instant } from './time.ts';

/** What is younger is never deleted, whatever the policy: dedup and the eye may still need it. */
export const MIN_AGE_MS = 86_400_000;

export interface Retention {
  /** Records older than this go. */
  readonly maxAgeMs: number;
  /** Of each job only so many records stay, the newest. */
  readonly maxRuns: number;
}

const PAGE = 200;
const APPLY_WITHIN_MS = 10_000;

/**
 * Deletes what one job's history no longer keeps: by age and by count, never what is unfinished or
 * younger than MIN_AGE_MS, and never the job's last failure. Gives how many records went. The job's
 * ledger is moved up first, so that the audit never takes a deleted record for a gap.
 */
export async function pruneJob(
  deps: ApplyDeps,
  job: string,
  retention: Retention,
  signal: AbortSignal,
): Promise<number> {
  const { storeNow } = await deps.store.time();
  const newest = storeNow - MIN_AGE_MS;
  const byAge = Math.min(storeNow - retention.maxAgeMs, newest);
  const byCount = Math.min(await instantOfNth(deps, job, retention.maxRuns), newest);
  const cutoff = Math.max(byAge, byCount);
  const kept = (await lastFailure(deps, job))?.id;
  const mayGo = (run: Run): boolean =>
    isFinal(run.state) && run.id !== kept && (run.endedAt ?? run.createdAt) <= newest;
  let deleted = 0;
  let first = true;
  for (;;) {
    signal.throwIfAborted();
    const page = await deps.store.listRuns({ job, until: cutoff, limit: PAGE });
    const ids = page.runs.filter(mayGo).map(({ id }) => id);
    if (ids.length === 0) return deleted;
    if (first && !(await forget(deps, job, cutoff))) return 0;
    first = false;
    await deps.store.deleteRuns(ids);
    deleted += ids.length;
  }
}

/** The instant of the newest record beyond the first `n`; all that lies up to there may go. */
async function instantOfNth(
  deps: Pick<ApplyDeps, 'store'>,
  job: string,
  n: number,
): Promise<Instant> {
  let seen = 0;
  let cursor: string | undefined;
  for (;;) {
    const more = cursor === undefined ? {} : { cursor };
    const page = await deps.store.listRuns({ job, limit: PAGE, ...more });
    const beyond = page.runs[n - seen];
    if (beyond !== undefined) return beyond.at;
    seen += page.runs.length;
    cursor = page.cursor;
    if (cursor === undefined) return -Infinity;
    await breathe();
  }
}

async function lastFailure(deps: Pick<ApplyDeps, 'store'>, job: string): Promise<Run | undefined> {
  const states = RUN_STATES.filter(isFailure);
  const { runs } = await deps.store.listRuns({ job, states, limit: 1 });
  return runs[0];
}

/** False where the job is another namespace's to look after. */
async function forget(deps: ApplyDeps, job: string, from: Instant): Promise<boolean> {
  const wish = { job, op: 'forget', event: { kind: 'forget', from } } as const;
  const applied = await apply(deps, newIntent(deps, wish, APPLY_WITHIN_MS));
  if (applied.kind === 'unknown' || applied.kind === 'unavailable') {
    throw new StoreUnavailable(`could not prune job "${job}"`, { cause: applied.cause });
  }
  return applied.kind !== 'refused';
}
