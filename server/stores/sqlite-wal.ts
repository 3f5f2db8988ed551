import { closeSync, fdatasync, openSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Cancel, Clock } from '../core/time.ts';

/** Nothing was written for so long: a moment in which a few ms of standing still hold up nobody. */
const QUIET_MS = 5;
/** What fewer commits wrote is not put back yet: pages that are written over again count once. */
const PUT_BACK_FROM = 256;
/** Where commits don't sync the log, it waits for a quiet moment no longer than for so many. */
const SYNC_EACH = 64;

/**
 * Looks after the write-ahead log of a database, so that commits need not: in a quiet moment it is
 * synced, if they don't do that, and its pages are put back, if they are many. If no such moment
 * comes, SQLite puts them back in a commit, once the log is long.
 */
export class WriteAheadLog {
  readonly #db: DatabaseSync;
  readonly #clock: Clock;
  /** The log's file, where no commit syncs it. */
  readonly #file: number | undefined;
  #commits = 0;
  /** Of those, since a sync was begun. */
  #unsynced = 0;
  #wroteAt = 0;
  #cancel: Cancel | undefined;
  #syncing = false;
  #closed = false;

  constructor(db: DatabaseSync, path: string, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
    const isNormal = db.prepare('PRAGMA synchronous').get()?.['synchronous'] === NORMAL;
    this.#file = isNormal && path !== ':memory:' ? openSync(`${path}-wal`, 'r') : undefined;
  }

  /** Told of each commit. */
  wrote(): void {
    this.#commits += 1;
    this.#unsynced += 1;
    this.#wroteAt = this.#clock.monotonic();
    if (this.#file === undefined && this.#commits < PUT_BACK_FROM) return;
    this.#cancel ??= this.#clock.after(QUIET_MS, this.#look);
    if (this.#unsynced >= SYNC_EACH && !this.#syncing) this.#sync(() => undefined);
  }

  close(): void {
    if (this.#closed) return;
    this.#cancel?.();
    this.#closed = true;
    if (!this.#syncing) this.#shut();
  }

  readonly #look = (): void => {
    // What was committed since a sync began is not in it.
    const since = this.#syncing ? 0 : this.#clock.monotonic() - this.#wroteAt;
    const leftMs = QUIET_MS - since;
    this.#cancel = leftMs > 0 ? this.#clock.after(leftMs, this.#look) : undefined;
    if (leftMs > 0) return;
    this.#sync(() => this.#putBack());
  };

  #putBack(): void {
    if (this.#commits < PUT_BACK_FROM) return;
    this.#commits = 0;
    try {
      this.#db.exec('PRAGMA wal_checkpoint(PASSIVE)');
    } catch {
      // The log keeps what it has; what is wrong with the disk is for the next write to find out.
    }
  }

  /** An error is no matter: the same shows in SQLite's own sync before pages are put back. */
  #sync(then: () => void): void {
    if (this.#file === undefined) return then();
    this.#syncing = true;
    this.#unsynced = 0;
    fdatasync(this.#file, () => {
      this.#syncing = false;
      if (this.#closed) this.#shut();
      // Otherwise it is no quiet moment any more.
      else if (this.#unsynced === 0) then();
    });
  }

  #shut(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}

/** As SQLite numbers it. */
const NORMAL = 1;
