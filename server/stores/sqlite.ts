import type { ActionRecord, LateResult, LogChunk, Run, SpecRecord } from '../core/records.ts';
import { stampAction, stampJob } from '../core/stamp.ts';
import type {
  ActionPage,
  ActionQuery,
  Again,
  Commit,
  Committed,
  DuePage,
  DueQuery,
  JobQuery,
  LogEndQuery,
  Loaded,
  LoadedJob,
  Meta,
  QuarantineRequest,
  RunPage,
  RunQuery,
  Store,
  StoreTime,
  Version,
} from '../core/store.ts';
import type { Clock, Instant } from '../core/time.ts';
import { applyOrAgain } from './again.ts';
import { listActions, putAction } from './sqlite-actions.ts';
import { backupDatabase } from './sqlite-backup.ts';
import { bootIdentity, storeClock, type Log, type StoreClock } from './sqlite-clock.ts';
import { Connection, keep, type Tried } from './sqlite-connection.ts';
import { openDatabase, type Opening } from './sqlite-file.ts';
import * as jobs from './sqlite-jobs.ts';
import { chunkOf, docOf, integerOf, textOf } from './sqlite-rows.ts';
import { resetClock } from './sqlite-reset.ts';
import * as runs from './sqlite-runs.ts';
import { rowLimit } from './sqlite-runs.ts';

export interface SqliteOptions extends Opening {
  /** A file, made with its folder if need be, or `:memory:`. */
  readonly path: string;
  readonly clock: Clock;
  /** How long a jump of the clock must have stood before it is believed. */
  readonly leaseMs: number;
  readonly regressionMs: number;
  /** Tells one start of the machine from the next. */
  readonly identity?: string;
  readonly log: Log;
}

/** Opens the database, or makes it. Throws, with what to do, where the file can't be used. */
export function openSqliteStore(options: SqliteOptions): SqliteStore {
  const { path, clock, identity } = options;
  const connection = new Connection(openDatabase(path, options), path, clock);
  const boot = identity ?? bootIdentity(clock.wall());
  const time = storeClock(connection, { ...options, boot });
  try {
    connection.writeNow(() => keep(time.notice()));
    connection.stopBlocking();
  } catch (error) {
    connection.close();
    throw connection.explain(error);
  }
  return new SqliteStore(connection, time);
}

/**
 * So many deletes hold others up for some milliseconds, not more: each changes four pages or so,
 * from places of the file that nobody has looked at for long.
 */
const DELETES_AT_ONCE = 20;
/** And so many pages are put back to those places at a time: SQLite's 1,000 take it 50 ms. */
const PAGES_PUT_BACK = 250;

/** With so many runs that are not filed, the oldest of them are. */
const FILE_FROM = 128;
const FILED_AT_ONCE = 64;

/** The store of one machine: one file, shared by as many processes as there are. */
export class SqliteStore implements Store {
  readonly place: string;
  readonly #connection: Connection;
  readonly #time: StoreClock;
  /** What the writes of one group bear; undefined where each takes a time of its own. */
  #stamp: StoreTime | undefined;
  /** Some of them may be filed by others. */
  #unfiled: number;
  #filing = false;

  constructor(connection: Connection, time: StoreClock) {
    this.place = `SQLite, ${connection.path}`;
    this.#connection = connection;
    this.#time = time;
    this.#unfiled = runs.unfiledRuns(connection);
    connection.onWrite = (bearsTime) => {
      this.#stamp = bearsTime ? time.stamp() : undefined;
      if (!bearsTime) time.mark();
    };
  }

  read(name: string): Promise<Loaded> {
    return this.#connection.read(() => this.#read(name, this.#time.read()));
  }

  due(query: DueQuery): Promise<DuePage> {
    return this.#connection.read(() => {
      const time = this.#time.read();
      return { ...jobs.dueJobs(this.#connection, query, time.storeNow), ...time };
    });
  }

  nextActionAfter(after: Instant): Promise<Instant | null> {
    return this.#connection.read(() => jobs.nextActionAfter(this.#connection, after));
  }

  commit(commit: Commit, again?: Again): Promise<Committed> {
    const done = this.#write((time) => {
      const apply = (one: Commit): Committed => this.#apply(one, time);
      const read = (name: string): Loaded => this.#read(name, time);
      const value = applyOrAgain({ apply, read, runOf: this.#runOf }, commit, again);
      return { value, keep: value.kind === 'ok' };
    });
    const made = commit.create.length;
    if (made > 0) {
      void done.then(
        () => this.#file(made),
        () => undefined,
      );
    }
    return done;
  }

  /**
   * Not before the runs stand, so that what waits for them to be started does not wait for this.
   * What fails here is tried again with the next runs: those that are not filed are found, too.
   */
  #file(made: number): void {
    this.#unfiled += made;
    if (this.#unfiled < FILE_FROM || this.#filing) return;
    this.#filing = true;
    void this.#mark(() => keep(runs.fileRuns(this.#connection, FILED_AT_ONCE)))
      .then((left) => (this.#unfiled = left))
      .catch(() => undefined)
      .finally(() => (this.#filing = false));
  }

  readonly #runOf = (id: string): Run | undefined => runs.getRun(this.#connection, id);

  #read(name: string, time: StoreTime): Loaded {
    return { ...jobs.getJob(this.#connection, name), ...time };
  }

  #apply(commit: Commit, time: StoreTime): Committed {
    const connection = this.#connection;
    const now = time.storeNow;
    if (commit.decidedAt > now) return { kind: 'conflict' };
    const record = stampJob(commit.record, now);
    const { name, version: before } = commit;
    const version = jobs.putJob(connection, { name, version: before, record, now });
    if (version === undefined) return { kind: 'conflict' };

    const existing = commit.create.filter((run) => !runs.createRun(connection, run, now));
    if (existing.length > 0) return { kind: 'exists', runIds: existing.map(({ id }) => id) };
    const missing = commit.update.filter((update) => !runs.updateRun(connection, update, now));
    if (missing.length > 0) return { kind: 'missing', runIds: missing.map(({ id }) => id) };

    for (const spec of commit.specs) jobs.putSpec(connection, spec);
    for (const chunk of commit.logs) this.#putLog(chunk);
    for (const action of commit.actions) putAction(connection, stampAction(action, now));
    return { kind: 'ok', version, ...time };
  }

  quarantine(request: QuarantineRequest): Promise<boolean> {
    return this.#write(({ storeNow }) => keep(jobs.setAside(this.#connection, request, storeNow)));
  }

  getRun(id: string): Promise<Run | undefined> {
    return this.#connection.read(() => this.#runOf(id));
  }

  listRuns(query: RunQuery): Promise<RunPage> {
    return this.#connection.read(() => runs.listRuns(this.#connection, query));
  }

  saveLateResult(id: string, late: LateResult): Promise<void> {
    return this.#write(({ storeNow: now }) =>
      keep(runs.saveLateResult(this.#connection, { id, late, now })),
    );
  }

  async deleteRuns(ids: readonly string[]): Promise<void> {
    // Who deletes much does so on a connection of its own.
    this.#connection.get(`PRAGMA wal_autocheckpoint = ${PAGES_PUT_BACK}`);
    for (let from = 0; from < ids.length; from += DELETES_AT_ONCE) {
      const some = ids.slice(from, from + DELETES_AT_ONCE);
      // Whatever waits, in this process too, comes in between: no write begins in the same turn.
      await this.#mark(() => keep(some.forEach((id) => runs.deleteRun(this.#connection, id))));
    }
  }

  listJobs(query: JobQuery): Promise<LoadedJob[]> {
    return this.#connection.read(() => jobs.listJobs(this.#connection, query));
  }

  listSpecs(job: string): Promise<SpecRecord[]> {
    const sql = 'SELECT doc FROM specs WHERE job = ? ORDER BY from_at';
    return this.#connection.read(() => this.#connection.all(sql, job).map(docOf<SpecRecord>));
  }

  appendLog(chunk: LogChunk): Promise<void> {
    return this.#mark(() => keep(this.#putLog(chunk)));
  }

  #putLog(chunk: LogChunk): void {
    const { runId, n, keepFrom } = chunk;
    const sql = 'INSERT OR REPLACE INTO logs (run_id, n, doc) VALUES (?, ?, ?)';
    this.#connection.run(sql, runId, n, JSON.stringify(chunk));
    this.#connection.run('DELETE FROM logs WHERE run_id = ? AND n < ?', runId, keepFrom);
  }

  readLog(runId: string, from: number, limit: number): Promise<LogChunk[]> {
    const sql = 'SELECT run_id, n, doc FROM logs WHERE run_id = ? AND n >= ? ORDER BY n LIMIT ?';
    return this.#connection.read(() =>
      this.#connection.all(sql, runId, from, rowLimit(limit)).map(chunkOf),
    );
  }

  readLogEnd(runId: string, { from, before, limit }: LogEndQuery): Promise<LogChunk[]> {
    const sql =
      'SELECT run_id, n, doc FROM logs ' +
      'WHERE run_id = ? AND n >= ? AND n < ? ORDER BY n DESC LIMIT ?';
    return this.#connection.read(() =>
      this.#connection.all(sql, runId, from, before, rowLimit(limit)).map(chunkOf).toReversed(),
    );
  }

  recordAction(action: ActionRecord): Promise<void> {
    return this.#write(({ storeNow }) =>
      keep(putAction(this.#connection, stampAction(action, storeNow))),
    );
  }

  listActions(query: ActionQuery): Promise<ActionPage> {
    return this.#connection.read(() => listActions(this.#connection, query));
  }

  readMeta(key: string): Promise<Meta | undefined> {
    return this.#connection.read(() => {
      const row = this.#connection.get('SELECT rev, value FROM meta WHERE key = ?', key);
      if (row === undefined) return undefined;
      return { value: JSON.parse(textOf(row, 'value')), version: String(integerOf(row, 'rev')) };
    });
  }

  writeMeta(key: string, value: unknown, version: Version | undefined): Promise<boolean> {
    const json = JSON.stringify(value);
    const create = 'INSERT INTO meta (key, rev, value) VALUES (?, 1, ?) ON CONFLICT DO NOTHING';
    const update = 'UPDATE meta SET rev = rev + 1, value = ? WHERE key = ? AND rev = ?';
    return this.#mark(() => {
      if (version === undefined) return keep(this.#connection.run(create, key, json) === 1);
      return keep(this.#connection.run(update, json, key, jobs.versionNumber(version)) === 1);
    });
  }

  time(): Promise<StoreTime> {
    return this.#connection.read(() => this.#time.read());
  }

  /**
   * An operator takes the present wall clock for right, after it was set wrongly or back: store
   * time goes on from it, even if that is earlier than before, and in the same transaction all that
   * records say of the future is taken back. Goes on record as an action. Gives the jobs that were
   * changed by it.
   */
  resetClock(by: string | null): Promise<readonly string[]> {
    return this.#connection.write(() => {
      this.#stamp = undefined;
      return keep(resetClock(this.#connection, this.#time, by));
    });
  }

  /** Copies the database to a file of its own while everything goes on. */
  async backup(toPath: string): Promise<void> {
    this.#connection.assertOpen();
    await backupDatabase(this.#connection, toPath);
  }

  /** Throws unless the database answers. */
  ping(): Promise<void> {
    return this.#connection.read(() => void this.#connection.get('SELECT id FROM clock'));
  }

  othersWrote(): boolean {
    return this.#connection.othersWrote();
  }

  costs(): undefined {
    return undefined;
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  #write<Value>(work: (time: StoreTime) => Tried<Value>): Promise<Value> {
    return this.#connection.write(() => work(this.#stamp ?? this.#time.stamp()));
  }

  /** Writes what bears no time of the store's. */
  #mark<Value>(work: () => Tried<Value>): Promise<Value> {
    return this.#connection.write(work, false);
  }
}
