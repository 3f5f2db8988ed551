import type { HistoryRead } from '../../../views/timeline.ts';
import type { Deps } from '../../core/deps.ts';
import type { Run } from '../../core/records.ts';
import type { RunState } from '../../core/run.ts';
import { isBilled, type Store } from '../../core/store.ts';
import type { Instant } from '../../core/time.ts';
import type { JobsSeen } from './job-list.ts';

export interface Problems {
  readonly runs: ReadonlyMap<string, readonly Run[]>;
  readonly history: HistoryRead;
}

/** Two listings, so that a job that skips all the time does not hide what failed. */
const LISTINGS: readonly (readonly RunState[])[] = [
  ['failed', 'timed_out', 'lost', 'missed'],
  ['skipped', 'cancelled'],
];
const RUNS_READ = 300;
/**
 * A job's record holds its last 60 outcomes, at most one a second: what came since is all at hand.
 */
const ANEW_AFTER_MS = 50_000;

/**
 * What did not succeed, by job, for pages that ask again and again: what was read is kept for a
 * while, since anything newer is told by the jobs' records. But not their errors: a new failure has
 * it read anew. Nothing is read where that is billed.
 */
export class PastProblems {
  readonly #deps: Deps;
  readonly #kept = new Map<number, Problems & { readonly asOf: Instant; readonly at: number }>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Of the last `hours` since `from`. `store` is the one to ask: it may count. */
  async read(
    store: Store,
    seen: JobsSeen,
    { hours, from }: { readonly hours: number; readonly from: Instant },
  ): Promise<Problems> {
    if (isBilled(store)) return { runs: new Map(), history: { kind: 'none' } };
    const at = this.#deps.clock.monotonic();
    const kept = this.#kept.get(hours);
    const failedAt = Math.max(...seen.failures.map((job) => job.at.at(-1) ?? -Infinity));
    if (kept !== undefined && at - kept.at < ANEW_AFTER_MS && failedAt <= kept.asOf) return kept;
    const read = await listed(store, from);
    this.#kept.set(hours, { ...read, asOf: seen.now, at });
    return read;
  }
}

async function listed(store: Store, since: Instant): Promise<Problems> {
  const pages = await Promise.all(
    LISTINGS.map((states) => store.listRuns({ states, since, limit: RUNS_READ })),
  );
  const runs = Map.groupBy(
    pages.flatMap((page) => page.runs),
    ({ job }) => job,
  );
  const cutAt = pages.flatMap(({ runs: some, cursor }) =>
    cursor === undefined ? [] : [some.at(-1)?.at ?? since],
  );
  if (cutAt.length === 0) return { runs, history: { kind: 'all' } };
  return { runs, history: { kind: 'cut', since: Math.max(...cutAt) } };
}
