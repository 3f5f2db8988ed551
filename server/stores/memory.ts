import type {
  ActionRecord,
  JobRecord,
  LateResult,
  LogChunk,
  Run,
  SpecRecord,
} from '../core/records.ts';
import { stampAction, stampJob, stampLate, stampRun } from '../core/stamp.ts';
import {
  StoreUnavailable,
  type ActionPage,
  type ActionQuery,
  type Again,
  type Commit,
  type Committed,
  type DuePage,
  type DueQuery,
  type JobQuery,
  type LogEndQuery,
  type Loaded,
  type LoadedJob,
  type Meta,
  type QuarantineRequest,
  type RunPage,
  type RunQuery,
  type Store,
  type StoreTime,
  type Version,
} from '../core/store.ts';
import type { Clock, Instant } from '../core/time.ts';
import { applyOrAgain } from './again.ts';
import { dueJobs, pageOfActions, pageOfRuns } from './memory-queries.ts';

/** A job, with when it is due and when it was last written. */
type Stored = LoadedJob & { readonly nextActionAt: Instant | null; readonly changedAt: Instant };

/** A store for tests, on a clock that is believed, though it never goes back. Keeps nothing. */
export const openMemoryStore = ({ clock }: { readonly clock: Clock }): MemoryStore =>
  new MemoryStore(() => ({ storeNow: Math.floor(clock.wall()), unsteady: null }));

/**
 * The store of tests and of the simulation: every promise of `Store` but lasting. What it is given
 * it freezes and hands out again as it is, so nobody can change what is stored but by a commit.
 * Listings look at all there is, so it is for thousands of records, not for millions.
 */
export class MemoryStore implements Store {
  readonly place = 'memory: nothing is kept';
  readonly #now: () => StoreTime;
  #lastNow: Instant = -Infinity;
  #closed = false;
  readonly #jobs = new Map<string, Stored>();
  readonly #runs = new Map<string, Run>();
  readonly #specs = new Map<string, SpecRecord[]>();
  readonly #logs = new Map<string, LogChunk[]>();
  readonly #actions = new Map<string, ActionRecord>();
  readonly #meta = new Map<string, { readonly value: unknown; readonly version: number }>();

  constructor(now: () => StoreTime) {
    this.#now = now;
  }

  async read(name: string): Promise<Loaded> {
    return this.#loaded(name, this.#time());
  }

  #loaded(name: string, time: StoreTime): Loaded {
    const none = { version: undefined, record: undefined, problem: undefined, setAside: undefined };
    const { version, record, problem, setAside } = this.#jobs.get(name) ?? none;
    return { name, version, record, problem, setAside, ...time };
  }

  async due(query: DueQuery): Promise<DuePage> {
    const time = this.#time();
    return { ...dueJobs(this.#jobs.values(), query, time.storeNow), ...time };
  }

  async nextActionAfter(after: Instant): Promise<Instant | null> {
    this.#assertOpen();
    const later = [...this.#jobs.values()].flatMap(({ nextActionAt: at }) =>
      at !== null && at > after ? [at] : [],
    );
    return later.length === 0 ? null : Math.min(...later);
  }

  async commit(commit: Commit, again?: Again): Promise<Committed> {
    const time = this.#time();
    const apply = (one: Commit): Committed => this.#apply(one, time);
    const read = (name: string): Loaded => this.#loaded(name, time);
    const runOf = (id: string): Run | undefined => this.#runs.get(id);
    return applyOrAgain({ apply, read, runOf }, commit, again);
  }

  #apply(commit: Commit, time: StoreTime): Committed {
    const { name, version: read, create, update } = commit;
    const stored = this.#jobs.get(name);
    if (stored?.version !== read) return { kind: 'conflict' };
    if (commit.decidedAt > time.storeNow) return { kind: 'conflict' };
    const existing = create.filter(({ id }) => this.#runs.has(id)).map(({ id }) => id);
    if (existing.length > 0) return { kind: 'exists', runIds: existing };
    const missing = update.filter(({ id }) => !this.#runs.has(id)).map(({ id }) => id);
    if (missing.length > 0) return { kind: 'missing', runIds: missing };

    const version = this.#putJob(stampJob(commit.record, time.storeNow), read, time.storeNow);
    for (const run of create) this.#putRun(stampRun(run, time.storeNow));
    for (const { id, set } of update) this.#changeRun(id, stampRun(set, time.storeNow));
    for (const spec of commit.specs) this.#putSpec(spec);
    for (const chunk of commit.logs) this.#putLog(chunk);
    for (const action of commit.actions) this.#putAction(stampAction(action, time.storeNow));
    return { kind: 'ok', version, ...time };
  }

  /** The version grows with every write, also where the record's own revision does not. */
  #putJob(record: JobRecord, read: Version | undefined, changedAt: Instant): Version {
    const rev = read === undefined ? record.rev : Math.max(record.rev, Number(read) + 1);
    const version = String(rev);
    const { name, nextActionAt } = record;
    const fine = { problem: undefined, setAside: undefined };
    const current = frozen({ ...record, rev });
    this.#jobs.set(name, { name, version, record: current, nextActionAt, changedAt, ...fine });
    return version;
  }

  #putRun(run: Run): void {
    this.#runs.set(run.id, frozen(run));
  }

  #changeRun(id: string, set: Partial<Run>): void {
    const before = this.#runs.get(id);
    if (before !== undefined) this.#putRun({ ...before, ...set });
  }

  async quarantine({ name, version, until, problem }: QuarantineRequest): Promise<boolean> {
    const { storeNow: changedAt } = this.#time();
    const stored = this.#jobs.get(name);
    if (stored?.version !== version || stored.record === undefined) return false;
    const rev = Number(version) + 1;
    const record = frozen({ ...stored.record, rev, nextActionAt: until });
    const due = { record, nextActionAt: until, changedAt };
    this.#jobs.set(name, { ...stored, ...due, version: String(rev), setAside: problem });
    return true;
  }

  async getRun(id: string): Promise<Run | undefined> {
    this.#assertOpen();
    return this.#runs.get(id);
  }

  async listRuns(query: RunQuery): Promise<RunPage> {
    this.#assertOpen();
    return pageOfRuns(this.#runs.values(), query);
  }

  async saveLateResult(id: string, late: LateResult): Promise<void> {
    const { storeNow } = this.#time();
    this.#changeRun(id, { lateResult: stampLate(late, storeNow) });
  }

  async deleteRuns(ids: readonly string[]): Promise<void> {
    this.#assertOpen();
    for (const id of ids) {
      this.#runs.delete(id);
      this.#logs.delete(id);
    }
  }

  async listJobs(query: JobQuery): Promise<LoadedJob[]> {
    this.#assertOpen();
    const { limit, after = '', changedSince } = query;
    return [...this.#jobs.values()]
      .filter((job) =>
        changedSince === undefined ? job.name > after : job.changedAt > changedSince,
      )
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .slice(0, limit)
      .map(({ nextActionAt: _at, changedAt: _changed, ...job }) => job);
  }

  async listSpecs(job: string): Promise<SpecRecord[]> {
    this.#assertOpen();
    return [...(this.#specs.get(job) ?? [])];
  }

  #putSpec(spec: SpecRecord): void {
    const others = (this.#specs.get(spec.job) ?? []).filter(({ from }) => from !== spec.from);
    const all = [...others, frozen(spec)].toSorted((a, b) => a.from - b.from);
    this.#specs.set(spec.job, all);
  }

  async appendLog(chunk: LogChunk): Promise<void> {
    this.#assertOpen();
    this.#putLog(chunk);
  }

  #putLog(chunk: LogChunk): void {
    const { runId, n, keepFrom } = chunk;
    const others = (this.#logs.get(runId) ?? []).filter((one) => one.n !== n && one.n >= keepFrom);
    const kept = n >= keepFrom ? [...others, frozen(chunk)] : others;
    this.#logs.set(
      runId,
      kept.toSorted((a, b) => a.n - b.n),
    );
  }

  async readLog(runId: string, from: number, limit: number): Promise<LogChunk[]> {
    this.#assertOpen();
    return (this.#logs.get(runId) ?? []).filter(({ n }) => n >= from).slice(0, limit);
  }

  async readLogEnd(runId: string, { from, before, limit }: LogEndQuery): Promise<LogChunk[]> {
    this.#assertOpen();
    const chunks = this.#logs.get(runId) ?? [];
    const found = chunks.filter(({ n }) => n >= from && n < before);
    return limit > 0 ? found.slice(-limit) : [];
  }

  async recordAction(action: ActionRecord): Promise<void> {
    const { storeNow } = this.#time();
    this.#putAction(stampAction(action, storeNow));
  }

  #putAction(action: ActionRecord): void {
    if (!this.#actions.has(action.id)) this.#actions.set(action.id, frozen(action));
  }

  async listActions(query: ActionQuery): Promise<ActionPage> {
    this.#assertOpen();
    return pageOfActions(this.#actions.values(), query);
  }

  async readMeta(key: string): Promise<Meta | undefined> {
    this.#assertOpen();
    const found = this.#meta.get(key);
    return found && { value: found.value, version: String(found.version) };
  }

  async writeMeta(key: string, value: unknown, version: Version | undefined): Promise<boolean> {
    this.#assertOpen();
    const rev = this.#meta.get(key)?.version;
    if ((rev === undefined ? undefined : String(rev)) !== version) return false;
    this.#meta.set(key, { value: frozen(value), version: (rev ?? 0) + 1 });
    return true;
  }

  async time(): Promise<StoreTime> {
    return this.#time();
  }

  costs(): undefined {
    return undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #time(): StoreTime {
    this.#assertOpen();
    const { storeNow, unsteady } = this.#now();
    const time = { storeNow: Math.max(this.#lastNow, storeNow), unsteady };
    // What is read in doubt may be taken back; whoever judges the clock knows what may not.
    if (unsteady === null) this.#lastNow = time.storeNow;
    return time;
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreUnavailable('the store is closed');
  }
}

/** The value itself, with all that it holds, so that no change of it goes unnoticed. */
function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}
