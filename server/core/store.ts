import type { ActionRecord, JobRecord, LogChunk, Run, SpecRecord, Trigger } from './records.ts';
import type { Cost } from './cost.ts';
import type { RunState } from './run.ts';
import type { Instant } from './time.ts';

/**
 * The one boundary to storage. A store reads, finds what is due, and applies small batches of
 * writes under the version that was read; it decides nothing. Every promise here is tested in
 * `test/store-contract.ts`, on each store.
 */
export interface Store {
  /** What it is and where, for people. */
  readonly place: string;

  /**
   * The job as it stands, with the version to commit under. `record` is undefined if there is none.
   */
  read(name: string): Promise<Loaded>;

  /**
   * Jobs with `nextActionAt` ≤ store time + `aheadMs`, soonest first, at most `limit`; `cursor`
   * from the page before goes on behind it. A record that can't be used comes with its `problem`.
   */
  due(query: DueQuery): Promise<DuePage>;

  /** The soonest `nextActionAt` after `after`; null when there is none. For the timer. */
  nextActionAfter(after: Instant): Promise<Instant | null>;

  /**
   * Applies all of a commit or nothing. `conflict`: the job's version is no longer the one given;
   * or the store goes by a clock that may be set, and it was decided later than that clock shows.
   * `exists`: a run to be created is there already. `missing`: a run to be updated is not there.
   * Replaces each STAMP by its own time. Throws `StoreUnavailable` when surely nothing was applied,
   * `UnknownOutcome` when that cannot be said.
   *
   * A store that can read where it writes may ask `again` in place of a conflict, and apply what
   * that gives `instead`, or tell of the conflict where it gives nothing.
   */
  commit(commit: Commit, again?: Again): Promise<Committed>;

  /**
   * Puts a job that can't be decided about aside until `until`, with the reason in sight. The only
   * write that ignores the record; false if the version was not the current one.
   */
  quarantine(job: QuarantineRequest): Promise<boolean>;

  getRun(id: string): Promise<Run | undefined>;
  /** History, newest first (`at` descending, then id descending). */
  listRuns(query: RunQuery): Promise<RunPage>;
  /** Saves what an attempt came to know after its run was decided; changes nothing else. */
  saveLateResult(id: string, late: NonNullable<Run['lateResult']>): Promise<void>;
  /** Deletes runs with their logs; unknown ids are passed over. */
  deleteRuns(ids: readonly string[]): Promise<void>;

  /**
   * All jobs of the store by name, at most `limit`, after the name `after`; or those last written
   * after `changedSince`, in no order and from the first.
   */
  listJobs(query: JobQuery): Promise<LoadedJob[]>;
  /** A job's schedules through time, oldest first. */
  listSpecs(job: string): Promise<SpecRecord[]>;

  /** Saves a chunk under (runId, n), in place of one that has this number already. */
  appendLog(chunk: LogChunk): Promise<void>;
  /** Chunks of a run with n ≥ `from`, in order, at most `limit`. */
  readLog(runId: string, from: number, limit: number): Promise<LogChunk[]>;
  /** The newest chunks of a run with `from` ≤ n < `before`, in order, at most `limit`. */
  readLogEnd(runId: string, query: LogEndQuery): Promise<LogChunk[]>;

  recordAction(action: ActionRecord): Promise<void>;
  /** Who did what, newest first (`at` descending, then id descending). */
  listActions(query: ActionQuery): Promise<ActionPage>;

  /** A small named document, with its version; `undefined` if there is none. */
  readMeta(key: string): Promise<Meta | undefined>;
  /** Writes it if its version is still `version` (undefined: not there); false if not. */
  writeMeta(key: string, value: unknown, version: Version | undefined): Promise<boolean>;

  /** The store's clock. */
  time(): Promise<StoreTime>;

  /**
   * What the calls of this process were billed since its start, by operation; undefined where
   * nothing is billed.
   */
  costs(): ReadonlyMap<string, Cost> | undefined;

  /** How often this process asked for what, since its start; only where somebody counts. */
  readonly calls?: ReadonlyMap<string, number>;

  /** Why this process's last write failed; null while they succeed. Only where somebody watches. */
  readonly trouble?: string | null;

  /**
   * Whether another process has written since this was last asked; for the timer. Only of a store
   * that several processes of one machine share, where it costs next to nothing.
   */
  othersWrote?(): boolean;

  close(): Promise<void>;
}

/** Opaque; equal only if nothing was written between. */
export type Version = string;

export interface StoreTime {
  readonly storeNow: Instant;
  /** Null when the clock may be trusted; else why nothing new may be decided just now. */
  readonly unsteady: string | null;
}

export interface LoadedJob {
  readonly name: string;
  /** Undefined where no record is there yet. */
  readonly version: Version | undefined;
  readonly record: JobRecord | undefined;
  /** Why the record can't be used, in words. Then `record` is undefined and `version` is not. */
  readonly problem: string | undefined;
  /** Why the job is set aside by a quarantine, until its next commit; undefined when it is not. */
  readonly setAside: string | undefined;
}

export interface Loaded extends LoadedJob, StoreTime {}

/** Whether each call has its price: then nothing is asked for oftener than it is needed. */
export const isBilled = (store: Pick<Store, 'costs'>): boolean => store.costs() !== undefined;

/** The same as a word, to choose between two limits. */
export const priceOf = (store: Pick<Store, 'costs'>): 'free' | 'billed' =>
  isBilled(store) ? 'billed' : 'free';

export interface JobQuery {
  readonly limit: number;
  readonly after?: string;
  /**
   * A write bears its store time and may come into sight a moment later: whoever goes on from an
   * earlier answer asks from a moment before it. A set-aside is a write; what is deleted is not
   * found.
   */
  readonly changedSince?: Instant;
}

export interface DueQuery {
  readonly limit: number;
  readonly aheadMs: number;
  readonly cursor?: string;
}

export interface DuePage extends StoreTime {
  readonly items: readonly LoadedJob[];
  /** Undefined on the last page. */
  readonly cursor: string | undefined;
}

export interface Commit {
  /** What this is, for counting operations by name. */
  readonly op: string;
  /** The run that it is about, if any, and how many documents were read for it: who is charged. */
  readonly about: string | null;
  readonly reads: number;
  readonly name: string;
  /** Undefined: the job must not exist. */
  readonly version: Version | undefined;
  /** The store time that it was decided by. */
  readonly decidedAt: Instant;
  readonly record: JobRecord;
  readonly create: readonly Run[];
  readonly update: readonly RunUpdate[];
  readonly specs: readonly SpecRecord[];
  readonly logs: readonly LogChunk[];
  readonly actions: readonly ActionRecord[];
}

/**
 * Decides anew by the job as it stands, and by runs that `runOf` finds. Asked in the middle of a
 * transaction: it waits for nothing, and may be asked more than once.
 */
export type Again = (now: Loaded, runOf: (id: string) => Run | undefined) => Commit | undefined;

/** Replaces the named fields of a run, whole. */
export interface RunUpdate {
  readonly id: string;
  readonly set: Partial<Omit<Run, 'id' | 'job'>>;
}

export type Committed =
  | ({ readonly kind: 'ok'; readonly version: Version; readonly instead?: Commit } & StoreTime)
  | { readonly kind: 'conflict' }
  | { readonly kind: 'exists'; readonly runIds: readonly string[] }
  | { readonly kind: 'missing'; readonly runIds: readonly string[] };

export interface QuarantineRequest {
  readonly name: string;
  readonly version: Version;
  readonly until: Instant;
  readonly problem: string;
}

export interface RunQuery {
  readonly limit: number;
  readonly job?: string;
  /** Any of these; none at all finds nothing. */
  readonly states?: readonly RunState[];
  readonly trigger?: Trigger;
  /** Half-open in time: at > since and at ≤ until. */
  readonly since?: Instant;
  readonly until?: Instant;
  /** From the page before. */
  readonly cursor?: string;
  /** So many are passed over first, which takes less than to read them. */
  readonly skip?: number;
}

export interface RunPage {
  readonly runs: readonly Run[];
  readonly cursor: string | undefined;
}

export interface LogEndQuery {
  readonly from: number;
  readonly before: number;
  readonly limit: number;
}

export interface ActionQuery {
  readonly limit: number;
  readonly job?: string;
  /** From the page before. */
  readonly cursor?: string;
}

export interface ActionPage {
  readonly actions: readonly ActionRecord[];
  /** Undefined on the last page. */
  readonly cursor: string | undefined;
}

export interface Meta {
  readonly value: unknown;
  readonly version: Version;
}

/** A call to the store that failed for no fault of the caller's. */
export class StoreFailure extends Error {
  /** What is wrong, in a few words for anybody who may ask: they name no file. */
  readonly why: string | undefined;

  constructor(message: string, { why, ...options }: ErrorOptions & { readonly why?: string } = {}) {
    super(message, options);
    this.why = why;
  }
}

/** The call surely changed nothing; it may be tried again. */
export class StoreUnavailable extends StoreFailure {
  override readonly name = 'StoreUnavailable';
}

/** The call may have been applied, or may be applied later. Only what stands in the store tells. */
export class UnknownOutcome extends StoreFailure {
  override readonly name = 'UnknownOutcome';
}

/** The cursor was not made by this store for this query. */
export class BadCursor extends Error {
  override readonly name = 'BadCursor';
}
