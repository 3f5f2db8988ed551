import { statSync } from 'node:fs';
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { describeError } from '../core/outcome.ts';
import { StoreUnavailable, UnknownOutcome } from '../core/store.ts';
import type { Clock } from '../core/time.ts';
import { isBug, isBusy, isSqliteError, troubleOf, UNUSABLE } from './sqlite-errors.ts';
import { WriteGroup } from './sqlite-group.ts';
import { Kept } from './sqlite-kept.ts';
import { BUSY_LIMIT_MS, Patience } from './sqlite-patience.ts';
import { WriteAheadLog } from './sqlite-wal.ts';

export type Row = Readonly<Record<string, SQLOutputValue>>;

/** What a transaction came to, and whether it is to stand. */
export interface Tried<Value> {
  readonly value: Value;
  readonly keep: boolean;
}

export const keep = <Value>(value: Value): Tried<Value> => ({ value, keep: true });
/** Rolls the whole transaction back; the value still comes out. */
export const undo = <Value>(value: Value): Tried<Value> => ({ value, keep: false });

/** While SQLite waits, the process stands: just enough to step over another's commit. */
const BLOCKING_LIMIT_MS = 10;

/**
 * One connection: its statements, and the two ways to use it. A transaction runs in one go, since
 * node:sqlite is synchronous, so no two of one process can mix.
 */
export class Connection {
  readonly db: DatabaseSync;
  readonly path: string;
  readonly #clock: Clock;
  readonly #statements = new Map<string, StatementSync>();
  readonly #group: WriteGroup;
  readonly #wal: WriteAheadLog;
  #glanced: SQLOutputValue | undefined;
  /** Which file this is, for its name may come to stand for another. */
  readonly #file: string | undefined;
  /** Its log and the index of that, by their names. */
  readonly #besides: ReadonlyMap<string, string>;
  readonly kept = new Kept();
  /** Called first in each group of writes, with whether any of them bears the store's time. */
  onWrite: (bearsTime: boolean) => void = () => undefined;

  constructor(db: DatabaseSync, path: string, clock: Clock) {
    this.db = db;
    this.path = path;
    this.#clock = clock;
    this.#group = new WriteGroup(this, clock);
    this.#wal = new WriteAheadLog(db, path, clock);
    this.#file = fileOf(path);
    const besides = [`${path}-wal`, `${path}-shm`].map((name) => [name, fileOf(name)] as const);
    this.#besides = new Map(besides.flatMap(([name, one]) => (one ? [[name, one]] : [])));
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values);
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values);
  }

  /** Gives the number of rows it changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  /** All that `work` reads is of one moment. */
  read<Value>(work: () => Value): Promise<Value> {
    return this.#patiently(() => {
      try {
        this.begin('BEGIN');
        return work();
      } finally {
        this.#end();
      }
    });
  }

  /** All that `work` writes stands, or nothing: the one way to write. It may be called again. */
  write<Value>(work: () => Tried<Value>, bearsTime = true): Promise<Value> {
    return this.#group.add(work, bearsTime);
  }

  /** The same for opening, when waiting may block; SQLite's errors come as they are. */
  writeNow<Value>(work: () => Tried<Value>): Value {
    let tried: Tried<Value>;
    try {
      this.begin('BEGIN IMMEDIATE');
      tried = work();
    } catch (error) {
      this.rollback();
      throw error;
    }
    if (tried.keep) this.commit();
    else this.rollback();
    return tried.value;
  }

  /** Begins a transaction, by what is known of what others wrote. */
  begin(sql: 'BEGIN' | 'BEGIN IMMEDIATE'): void {
    this.run(sql);
    this.kept.begin(this.#dataVersion());
  }

  /** Whether others have committed since this was last asked. */
  othersWrote(): boolean {
    const version = this.#dataVersion();
    const before = this.#glanced;
    this.#glanced = version;
    return version !== before;
  }

  /** Grows with each commit of another connection. */
  #dataVersion(): SQLOutputValue | undefined {
    return this.get('PRAGMA data_version')?.['data_version'];
  }

  /** Ends the opening: from now on a wait for another process does not stop this one. */
  stopBlocking(): void {
    this.db.exec(`PRAGMA busy_timeout = ${BLOCKING_LIMIT_MS}`);
  }

  assertOpen(): void {
    if (!this.db.isOpen) throw new StoreUnavailable(`the database ${this.path} is closed`);
    if (this.#file !== fileOf(this.path)) {
      throw new StoreUnavailable(
        `the database ${this.path} was deleted or replaced while it was open: what is written to ` +
          'it is lost, and another server would run everything again; restart this one',
        { why: GONE },
      );
    }
  }

  assertWritable(): void {
    this.assertOpen();
    this.#assertLogged();
  }

  /**
   * Whoever takes them for left-overs, and deletes what stands beside a database, takes away what
   * was last written, or the locks that keep two processes apart: nothing more is written then.
   */
  #assertLogged(): void {
    for (const [name, known] of this.#besides) {
      const found = fileOf(name);
      if (found === known) continue;
      // Nobody else can have it open yet: what this process alone can still read is kept.
      if (found === undefined) this.#fold();
      throw new StoreUnavailable(
        `${name} was deleted or replaced while the database was open: it is a part of it, and ` +
          'what is written without it may be lost; restart this server',
        { why: GONE },
      );
    }
  }

  /** Puts all that stands in the log into the database itself. */
  #fold(): void {
    this.db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  close(): void {
    if (this.db.isOpen) this.#group.finish();
    this.#statements.clear();
    this.#wal.close();
    if (this.db.isOpen) this.db.close();
  }

  /**
   * What an error of SQLite means to the caller; any other error is a bug, and stays what it is.
   */
  explain(error: unknown): unknown {
    if (!isSqliteError(error) || isBug(error)) return error;
    const { what, why } = troubleOf(error, this.path);
    return new StoreUnavailable(`the database ${this.path} ${what}`, { cause: error, why });
  }

  /** Ends a transaction; throws where that is surely not done, or `UnknownOutcome`. */
  commit(): void {
    try {
      this.run('COMMIT');
    } catch (cause) {
      this.rollback();
      // Nothing was written yet when a lock is missing, so that may be tried again.
      if (isBusy(cause)) throw cause;
      const { what, why } = isSqliteError(cause) ? troubleOf(cause, this.path) : BROKEN_OFF;
      const message = `the database ${this.path} broke off a commit, which may stand or not: it `;
      throw new UnknownOutcome(message + what, { cause, why });
    }
    this.#wal.wrote();
  }

  /** Takes back what was written. */
  rollback(): void {
    this.kept.clear();
    this.#end();
  }

  /** SQLite ends some transactions by itself, as when the disk is full. */
  #end(): void {
    if (this.db.isTransaction) this.run('ROLLBACK');
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Waits for another process without blocking this one. */
  async #patiently<Value>(attempt: () => Value): Promise<Value> {
    const giveUpAt = this.#clock.monotonic() + BUSY_LIMIT_MS;
    const patience = new Patience(this.#clock);
    while (true) {
      this.assertOpen();
      try {
        return attempt();
      } catch (error) {
        if (!isBusy(error) || this.#clock.monotonic() >= giveUpAt) throw this.explain(error);
      }
      await patience.pause();
    }
  }
}

/** What became of the files is for the log to say. */
const GONE = 'its file was deleted or replaced';
const BROKEN_OFF = { what: 'failed', why: UNUSABLE };

/** Tells a file from another of its name; undefined for one that is not there, or in memory. */
function fileOf(path: string): string | undefined {
  if (path === ':memory:') return undefined;
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    return found && `${found.dev}:${found.ino}`;
  } catch (cause) {
    const { message } = describeError(cause);
    throw new StoreUnavailable(`${path} can't be looked at: ${message}`, { cause, why: UNUSABLE });
  }
}
