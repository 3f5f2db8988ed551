import type { ListedJob } from '../../../views/listed-job.ts';
import { packOutcomes } from '../../../views/packed.ts';
import { breathe } from '../../core/breathe.ts';
import type { Deps } from '../../core/deps.ts';
import { RECENT_LIMIT, slotsOf } from '../../core/draft.ts';
import type { Job } from '../../core/job.ts';
import { scheduleOfJob } from '../../core/schedule.ts';
import { failuresOf, figuresOf, headroomOf, intervalOf, type Failures } from '../../core/stats.ts';
import { priceOf, type LoadedJob, type Store } from '../../core/store.ts';
import { summarise } from '../../core/summary.ts';
import type { Instant } from '../../core/time.ts';

/** More than this is no overview; where each record read is billed, no more are read either. */
const LISTED = { free: 20_000, billed: 300 } as const;
/** So many records are read in one go: reading and checking them takes some 20 ms. */
const PAGE = { free: 250, billed: 300 } as const;
/** Where more changed, reading all page by page is better than waiting for as many at once. */
const CHANGES = { free: 1000, billed: 300 } as const;
/** A change may come into sight this long after the time it bears. */
const LATE_IN_SIGHT_MS = 1000;
/** Records that were deleted by hand are not among the changes: all are read anew that often. */
const ANEW_AFTER_MS = 600_000;
/** The store's time may be reckoned by so much too late; further back, its clock was set. */
const SET_BACK_MS = 5000;

export interface JobsSeen {
  /** By name. */
  readonly jobs: readonly ListedJob[];
  /** The same as they stand in the store, but without their outcomes: `jobs` tells of those. */
  readonly loaded: readonly LoadedJob[];
  readonly failures: readonly Failures[];
  /** The store's time. */
  readonly now: Instant;
  /** Whether the store has more jobs than are looked at. */
  readonly more: boolean;
}

/**
 * All jobs, for pages that ask again and again. What was read is kept, with all that can be said
 * of it; the next asking reads only what changed since. Nothing depends on it: it may be gone at
 * any time.
 */
export class JobList {
  readonly #deps: Deps;
  readonly #price: 'free' | 'billed';
  /** In the order of names. */
  #kept = new Map<string, Kept>();
  #more = false;
  #readAt = -Infinity;
  #anewAt = -Infinity;
  /** A reading of all that goes on already: who comes meanwhile waits for it, too. */
  #reading: Promise<void> | undefined;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#price = priceOf(deps.store);
  }

  /** `store` is the one to ask: it may count. */
  async read(store: Store): Promise<JobsSeen> {
    if (!(await this.#readChanges(store))) {
      this.#reading ??= this.#readAll(store).finally(() => (this.#reading = undefined));
      await this.#reading;
    }
    // After the listing, whose reply may have brought it along.
    const { storeNow: now } = await store.time();
    const kept = [...this.#kept.values()];
    const jobs = kept.map((one) => sayOf(one, this.#deps.registry.get(one.loaded.name), now));
    const failures = kept.map((one) => one.failures);
    const loaded = kept.map((one) => one.loaded);
    return { jobs, loaded, failures, now, more: this.#more };
  }

  /** False where what changed does not tell all. */
  async #readChanges(store: Store): Promise<boolean> {
    if (this.#deps.clock.monotonic() - this.#anewAt >= ANEW_AFTER_MS) return false;
    const limit = CHANGES[this.#price];
    const changedSince = this.#readAt - LATE_IN_SIGHT_MS;
    const { found, asOf } = await this.#asOf(store, () => store.listJobs({ limit, changedSince }));
    if (found.length === limit || asOf < this.#readAt - SET_BACK_MS) return false;
    this.#readAt = asOf;
    const { size } = this.#kept;
    for (const job of found) {
      if (isNews(job, this.#kept.get(job.name))) this.#kept.set(job.name, keepOf(job));
    }
    if (this.#kept.size > size) this.#kept = byName(this.#kept);
    return true;
  }

  /** Page by page, with a pause after each: all at once would hold up whatever else is due. */
  async #readAll(store: Store): Promise<void> {
    const [most, limit] = [LISTED[this.#price], PAGE[this.#price]];
    const { found, asOf } = await this.#asOf(store, () => store.listJobs({ limit }));
    const kept = new Map<string, Kept>();
    let page = found;
    for (;;) {
      for (const job of page) kept.set(job.name, keepOf(job));
      const after = page.at(-1)?.name;
      if (page.length < limit || after === undefined || kept.size > most) break;
      await breathe();
      page = await store.listJobs({ limit: Math.min(limit, most + 1 - kept.size), after });
    }
    this.#more = kept.size > most;
    this.#kept = this.#more ? new Map([...kept].slice(0, most)) : kept;
    this.#readAt = asOf;
    this.#anewAt = this.#deps.clock.monotonic();
  }

  /** What a listing found, with the store's time when it was asked for. */
  async #asOf(
    store: Store,
    list: () => Promise<LoadedJob[]>,
  ): Promise<{ readonly found: LoadedJob[]; readonly asOf: Instant }> {
    const { clock } = this.#deps;
    const startedAt = clock.monotonic();
    const found = await list();
    const { storeNow } = await store.time();
    return { found, asOf: Math.floor(storeNow - (clock.monotonic() - startedAt)) };
  }
}

const lists = new WeakMap<Deps, JobList>();

/** The list of a service: pages and programs are given the same. */
export function jobListOf(deps: Deps): JobList {
  const list = lists.get(deps) ?? new JobList(deps);
  lists.set(deps, list);
  return list;
}

const byName = (kept: ReadonlyMap<string, Kept>): Map<string, Kept> =>
  new Map([...kept].toSorted(([a], [b]) => (a < b ? -1 : 1)));

/** What was seen already comes again, and an answer may be overtaken by a later one. */
function isNews({ version, record }: LoadedJob, kept: Kept | undefined): boolean {
  if (kept === undefined) return true;
  const known = kept.loaded.record;
  if (record === undefined || known === undefined) return version !== kept.loaded.version;
  return record.rev > known.rev;
}

type WorkedOut = Pick<ListedJob, 'packed' | 'figures' | 'headroom'>;

interface Kept {
  /** Without what takes the most room in a record; that was worked out already. */
  readonly loaded: LoadedJob;
  readonly workedOut: WorkedOut;
  readonly failures: Failures;
  /** What was last said of it, and from when until when that is right. */
  said?: { readonly job: ListedJob; readonly from: Instant; readonly until: Instant };
}

function keepOf(loaded: LoadedJob): Kept {
  const { record } = loaded;
  const slim = record === undefined ? undefined : { ...record, recent: [], days: [] };
  return {
    loaded: { ...loaded, record: slim },
    workedOut: workOut(loaded),
    failures: failuresOf(record ?? { recent: [] }),
  };
}

/** What does not change with time. */
function workOut({ name, record }: LoadedJob): WorkedOut {
  if (record === undefined) return { packed: '', figures: figuresOf([]), headroom: null };
  const recent = record.recent.slice(-RECENT_LIMIT);
  const figures = figuresOf(recent);
  const text = record.schedules.at(-1);
  const schedule = text && scheduleOfJob({ ...text, name });
  const interval = schedule === undefined ? null : intervalOf(schedule, record.watermark);
  const headroom = headroomOf(figures, interval, slotsOf(record));
  return { packed: packOutcomes(name, recent), figures, headroom };
}

/** Time changes little of a job: that its next occurrence comes, and that a pause ends. */
function sayOf(kept: Kept, job: Job | undefined, now: Instant): ListedJob {
  const { said, loaded, workedOut } = kept;
  if (said !== undefined && now >= said.from && now < said.until) return said.job;
  const { recent: _, ...summary } = summarise(loaded, job, now);
  const until = Math.min(summary.nextScheduledAt ?? Infinity, summary.paused?.until ?? Infinity);
  kept.said = { job: { ...summary, ...workedOut }, from: now, until };
  return kept.said.job;
}

/** One job as the list of all has it. */
export const listedJob = (loaded: LoadedJob, job: Job | undefined, now: Instant): ListedJob =>
  sayOf(keepOf(loaded), job, now);
