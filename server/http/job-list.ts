import type { Deps } from '../core/deps.ts';
import { isBilled, type LoadedJob } from '../core/store.ts';
import { summarise, type JobSummary } from '../core/summary.ts';
import type { Instant } from '../core/time.ts';

/** More than this is no overview; where each record read is billed, no more are read either. */
const LISTED = { free: 20_000, billed: 300 } as const;
/** A change may come into sight this long after the time it bears. */
const LATE_IN_SIGHT_MS = 1000;
/** Records that were deleted by hand are not among the changes: all are read anew that often. */
const ANEW_AFTER_MS = 600_000;

export interface JobsSeen {
  readonly jobs: readonly JobSummary[];
  /** The store's time. */
  readonly now: Instant;
}

/**
 * All jobs, for pages that ask again and again. Where reading is billed, what was read is kept, and
 * the next asking reads only what changed since. Nothing depends on it: it may be gone at any time.
 */
export class JobList {
  readonly #deps: Deps;
  readonly #billed: boolean;
  readonly #kept = new Map<string, LoadedJob>();
  #readAt = -Infinity;
  #anewAt = -Infinity;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#billed = isBilled(deps.store);
  }

  async read(): Promise<JobsSeen> {
    const jobs = this.#billed ? await this.#changes() : await this.#all();
    // After the listing, whose reply may have brought it along.
    const { storeNow: now } = await this.#deps.store.time();
    this.#readAt = now;
    const { registry } = this.#deps;
    return { jobs: jobs.map((job) => summarise(job, registry.get(job.name), now)), now };
  }

  #all(): Promise<LoadedJob[]> {
    const limit = this.#billed ? LISTED.billed : LISTED.free;
    return this.#deps.store.listJobs({ limit });
  }

  async #changes(): Promise<LoadedJob[]> {
    const { clock, store } = this.#deps;
    const at = clock.monotonic();
    const limit = LISTED.billed;
    const fresh = at - this.#anewAt < ANEW_AFTER_MS;
    const changed = fresh
      ? await store.listJobs({ limit, changedSince: this.#readAt - LATE_IN_SIGHT_MS })
      : undefined;
    if (changed === undefined || changed.length === limit) {
      const all = await this.#all();
      this.#anewAt = at;
      this.#kept.clear();
      for (const job of all) this.#kept.set(job.name, job);
    } else {
      for (const job of changed) this.#kept.set(job.name, job);
    }
    return [...this.#kept.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }
}
