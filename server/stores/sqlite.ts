import type { ActionRecord, LateResult, LogChunk, Run, SpecRecord } from '../core/records.ts';
import { stampAction, stampJob } from '../core/stamp.ts';
import type {
  ActionPage,
  ActionQuery,
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
import { listActions, putAction } from './sqlite-actions.ts';
import { backupDatabase } from './sqlite-backup.ts';
import { bootIdentity, storeClock, type Log, type StoreClock } from './sqlite-clock.ts';
import { Connection, keep, undo, type Tried } from './sqlite-connection.ts';
import { openDatabase, type Opening } from './sqlite-file.ts';
import * as jobs from './sqlite-jobs.ts';
import { chunkOf, docOf, integerOf, JOB_COLUMNS, jobOf, textOf } from './sqlite-rows.ts';
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

/** So many deletes hold other writers up for a few milliseconds, not more. */
const DELETES_AT_ONCE = 500;

/** The store of one machine: one file, shared by as many processes as there are. */
export class SqliteStore implements Store {
  readonly place: string;
  readonly #connection: Connection;
  readonly #time: StoreClock;

  constructor(connection: Connection, time: StoreClock) {
    this.place = `SQLite, ${connection.path}`;
    this.#connection = connection;
    this.#time = time;
  }

  read(name: string): Promise<Loaded> {
    return this.#connection.read(() => {
      const time = this.#time.read();
      const row = this.#connection.get(`SELECT ${JOB_COLUMNS} FROM jobs WHERE name = ?`, name);
      const none = {
        name,
        version: undefined,
        record: undefined,
        problem: undefined,
        setAside: undefined,
      };
      return { ...(row ? jobOf(row) : none), ...time };
    });
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

  commit(commit: Commit): Promise<Committed> {
    return this.#write((time) => this.#apply(commit, time));
  }

  #apply(commit: Commit, time: StoreTime): Tried<Committed> {
    const connection = this.#connection;
    const now = time.storeNow;
    if (commit.decidedAt > now) return undo({ kind: 'conflict' });
    const record = stampJob(commit.record, now);
    const { name, version: before } = commit;
    const version = jobs.putJob(connection, { name, version: before, record, now });
    if (version === undefined) return undo({ kind: 'conflict' });

    const existing = commit.create.filter((run) => !runs.createRun(connection, run, now));
    if (existing.length > 0) return undo({ kind: 'exists', runIds: existing.map(({ id }) => id) });
    const missing = commit.update.filter((update) => !runs.updateRun(connection, update, now));
    if (missing.length > 0) return undo({ kind: 'missing', runIds: missing.map(({ id }) => id) });

    for (const spec of commit.specs) jobs.putSpec(connection, spec);
    for (const chunk of commit.logs) this.#putLog(chunk);
    for (const action of commit.actions) putAction(connection, stampAction(action, now));
    return keep({ kind: 'ok', version, ...time });
  }

  quarantine(request: QuarantineRequest): Promise<boolean> {
    return this.#write(({ storeNow }) => keep(jobs.setAside(this.#connection, request, storeNow)));
  }

  getRun(id: string): Promise<Run | undefined> {
    return this.#connection.read(() => runs.getRun(this.#connection, id));
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
    return this.#connection.write(() => keep(resetClock(this.#connection, this.#time, by)));
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
    return this.#connection.write(() => work(this.#time.stamp()));
  }

  /** Writes what bears no time of the store's. */
  #mark<Value>(work: () => Tried<Value>): Promise<Value> {
    return this.#connection.write(() => {
      this.#time.mark();
      return work();
    });
  }
}
