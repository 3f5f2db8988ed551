import { apply, newIntent } from './apply.ts';
import { gently } from './breathe.ts';
import type { ApplyDeps } from './deps.ts';
import type { Run } from './records.ts';
import { isFailure, isFinal, RUN_STATES } from './run.ts';
import { isBilled, priceOf, StoreUnavailable, type RunPage, type RunQuery } from './store.ts';
import type { Instant } from './time.ts';

/** What is younger is never deleted, whatever the policy: dedup and the eye may still need it. */
export const MIN_AGE_MS = 86_400_000;

export interface Retention {
  /** Records older than this go. */
  readonly maxAgeMs: number;
  /** Of each job only so many records stay, the newest. */
  readonly maxRuns: number;
}

export interface Pruning {
  readonly retention: Retention;
  readonly signal: AbortSignal;
  /** Told how many jobs were looked through. */
  readonly progress: (jobs: number) => void;
}

/** Records read or deleted in one go: few, where the process stands still for it. */
const PAGE = { free: 50, billed: 200 } as const;
const BITE = { free: 20, billed: 200 } as const;
/** So many are passed over in one go. */
const STRIDE = 2000;
/** Found first, and deleted then: a few megabytes of their ids. */
const FOUND_LIMIT = 50_000;
const APPLY_WITHIN_MS = 10_000;

/** One that goes. */
type Outdated = Pick<Run, 'id' | 'job' | 'at'>;

/**
 * Deletes what history no longer keeps of these jobs: by age and by count, never what is unfinished
 * or younger than MIN_AGE_MS, and never a job's last failure. Gives how many records went, by job.
 * A job's ledger is moved up first, so that the audit never takes a deleted record for a gap.
 *
 * What is found of many jobs is deleted in the order of time. That is how it was written: what lies
 * side by side in a file goes together, which takes a third of the writing.
 */
export async function pruneJobs(
  deps: ApplyDeps,
  jobs: readonly string[],
  { retention, signal, progress }: Pruning,
): Promise<ReadonlyMap<string, number>> {
  const deleted = new Map<string, number>();
  const found = new Found();
  const deleteFound = async (): Promise<void> => {
    for (;;) {
      signal.throwIfAborted();
      const some = found.takeOldest(BITE[priceOf(deps.store)]);
      if (some.length === 0) return;
      await unhurried(deps, () => deps.store.deleteRuns(some.map(({ id }) => id)));
      for (const { job } of some) deleted.set(job, (deleted.get(job) ?? 0) + 1);
    }
  };
  for (const [i, job] of jobs.entries()) {
    for await (const some of outdated(deps, job, { retention, signal })) {
      found.add(job, some);
      if (found.size >= FOUND_LIMIT) await deleteFound();
    }
    progress(i + 1);
  }
  await deleteFound();
  return deleted;
}

/** What was found and is not deleted yet: of each job its newest first. */
class Found {
  readonly #byJob = new Map<string, Outdated[]>();
  size = 0;

  add(job: string, some: readonly Outdated[]): void {
    const before = this.#byJob.get(job);
    if (before === undefined) this.#byJob.set(job, [...some]);
    else before.push(...some);
    this.size += some.length;
  }

  /** So many, of the job with the oldest of all; where it has fewer, of the next one, too. */
  takeOldest(limit: number): Outdated[] {
    const taken: Outdated[] = [];
    for (let left = limit; left > 0; left = limit - taken.length) {
      const [job, list] = this.#oldest();
      if (list === undefined) break;
      taken.push(...list.splice(-left).toReversed());
      if (list.length === 0) this.#byJob.delete(job);
    }
    this.size -= taken.length;
    return taken;
  }

  #oldest(): [job: string, list: Outdated[] | undefined] {
    const none: [string, Outdated[] | undefined] = ['', undefined];
    return [...this.#byJob].reduce((a, b) => (lastAt(b[1]) < lastAt(a[1]) ? b : a), none);
  }
}

const lastAt = (list: readonly Outdated[] | undefined): Instant => list?.at(-1)?.at ?? Infinity;

/** The names of all jobs of a store, read while others have their turn. */
export async function jobNames(deps: Pick<ApplyDeps, 'store' | 'clock'>): Promise<string[]> {
  const names: string[] = [];
  for (;;) {
    const query = { limit: PAGE[priceOf(deps.store)], after: names.at(-1) ?? '' };
    const jobs = await unhurried(deps, () => deps.store.listJobs(query));
    names.push(...jobs.map(({ name }) => name));
    if (jobs.length < query.limit) return names;
  }
}

/** Finds what is to go of a job, newest first. Before the first of it, the ledger is moved up. */
async function* outdated(
  deps: ApplyDeps,
  job: string,
  { retention, signal }: Pick<Pruning, 'retention' | 'signal'>,
): AsyncGenerator<readonly Outdated[]> {
  const { store } = deps;
  const { storeNow } = await store.time();
  const newest = storeNow - MIN_AGE_MS;
  const byAge = Math.min(storeNow - retention.maxAgeMs, newest);
  const byCount = Math.min(await instantOfNth(deps, job, retention.maxRuns), newest);
  const cutoff = Math.max(byAge, byCount);
  const kept = (await lastFailure(deps, job))?.id;
  const mayGo = (run: Run): boolean =>
    isFinal(run.state) && run.id !== kept && (run.endedAt ?? run.createdAt) <= newest;
  let isForgotten = false;
  let cursor: string | undefined;
  do {
    signal.throwIfAborted();
    const query = { job, until: cutoff, limit: PAGE[priceOf(store)] };
    const page = await pageOf(deps, query, cursor);
    const some = page.runs.filter(mayGo).map(({ id, at }) => ({ id, job, at }));
    if (some.length > 0) {
      isForgotten ||= await forget(deps, job, cutoff);
      if (!isForgotten) return;
      yield some;
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** The instant of the newest record beyond the first `n`; all that lies up to there may go. */
async function instantOfNth(deps: ApplyDeps, job: string, n: number): Promise<Instant> {
  let left = n;
  let cursor: string | undefined;
  do {
    const skip = Math.min(left, STRIDE);
    const page = await pageOf(deps, { job, skip, limit: 1 }, cursor);
    const [run] = page.runs;
    if (run === undefined) break;
    if (skip === left) return run.at;
    left -= skip + 1;
    cursor = page.cursor;
  } while (cursor !== undefined);
  return -Infinity;
}

const pageOf = (deps: ApplyDeps, query: RunQuery, cursor: string | undefined): Promise<RunPage> =>
  unhurried(deps, () => deps.store.listRuns({ ...query, ...(cursor !== undefined && { cursor }) }));

/** What is billed is done elsewhere, and keeps nobody here from anything. */
const unhurried = <Result>(
  { store, clock }: Pick<ApplyDeps, 'store' | 'clock'>,
  part: () => Promise<Result>,
): Promise<Result> => (isBilled(store) ? part() : gently(clock, part));

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
