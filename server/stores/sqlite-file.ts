import { accessSync, closeSync, constants, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { APPLICATION_ID, applicationId, migrate, schemaVersion, STEPS } from './sqlite-schema.ts';
import { isBusy, isReadOnly, isSqliteError, troubleOf } from './sqlite-errors.ts';
import { sealOf } from './sqlite-seal.ts';

/** At start there is nothing yet to keep from waiting, so the wait for a lock may block. */
const OPENING_LIMIT_MS = 5000;
const PAUSE_MS = 10;

/**
 * The longer the log, the more of its pages were written over again before they are moved; this is
 * 64 MB. It gets so long only where there is no quiet moment to move them in.
 */
const LOG_PAGES = 16_000;

/** SQLite's 2,000 hold too little of a long history: a page that is not there is a system call. */
const CACHE_KIB = 8000;

const TABLES = ['jobs', 'runs', 'specs', 'logs', 'actions', 'meta', 'clock'] as const;

/** What was acknowledged survives a power cut with `full`, the end of the process with `normal`. */
export type Durability = 'full' | 'normal';

export interface Opening {
  /** One that is sealed, too, for reading; else that is refused. */
  readonly sealed?: boolean;
  /** Without it `full`. */
  readonly durability?: Durability;
}

/**
 * Opens the database, or makes it with its folder. Throws, with what to do about it, for a file
 * that is not ours, is newer than this program, is damaged or can't be written; such a file is left
 * as it is. Waits for locks by blocking, until `Connection.stopBlocking`.
 */
export function openDatabase(path: string, how: Opening = {}): DatabaseSync {
  if (path === ':memory:') return prepared(new DatabaseSync(path), path, {});
  makeFile(path);
  try {
    // First without the right to write: closing a database that is not ours must not change it.
    const probe = new DatabaseSync(path, { readOnly: true, timeout: OPENING_LIMIT_MS });
    inspect(probe, path);
    const db = new DatabaseSync(path, { timeout: OPENING_LIMIT_MS });
    return prepared(db, path, how);
  } catch (error) {
    if (!isSqliteError(error)) throw error;
    throw new Error(`the database ${path} ${troubleOf(error, path).what}`, { cause: error });
  }
}

function makeFile(path: string): void {
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (statSync(path, { throwIfNoEntry: false }) === undefined) {
      closeSync(openSync(path, 'a', 0o600));
    }
    accessSync(folder, constants.W_OK | constants.X_OK);
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const todo = 'this program must be able to write the file and its folder';
    throw new Error(`the database ${path} can't be written: ${why}; ${todo}`, { cause });
  }
  if (!statSync(path).isFile()) throw new Error(`the database ${path} is not a file; name a file`);
}

/** Reads what the file says it is, and closes it. */
function inspect(db: DatabaseSync, path: string): void {
  try {
    assertOurs(db, path);
  } catch (error) {
    // An interrupted transaction has to be undone before the file can be read: the next step does.
    if (!isReadOnly(error)) throw error;
  } finally {
    db.close();
  }
}

function assertOurs(db: DatabaseSync, path: string): void {
  const { id, version, schema } = identity(db);
  if (id === 0 && version === 0 && schema === undefined) return;
  if (id !== APPLICATION_ID) {
    throw new Error(
      `${path} is not a Punctual database but another program's ` +
        `(application id ${id}, not ${APPLICATION_ID}); name another file`,
    );
  }
  if (version > STEPS.length) {
    throw new Error(
      `the database ${path} was written by a newer version ` +
        `(schema ${version}; this program knows ${STEPS.length}): ` +
        'start that version, or a newer one',
    );
  }
}

/** All of one moment, for another process may be making the database just now. */
function identity(db: DatabaseSync) {
  db.exec('BEGIN');
  const schema = db.prepare('SELECT name FROM sqlite_schema LIMIT 1').get();
  const [id, version] = [applicationId(db), schemaVersion(db)];
  db.exec('COMMIT');
  return { id, version, schema };
}

function prepared(db: DatabaseSync, path: string, how: Opening): DatabaseSync {
  const { sealed = false, durability = 'full' } = how;
  try {
    assertOurs(db, path);
    // Before WAL, so that the file itself carries our mark from its first page on.
    migrate(db, STEPS);
    if (path !== ':memory:') useWal(db, path);
    db.exec(`PRAGMA synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'}`);
    db.exec(`PRAGMA wal_autocheckpoint = ${LOG_PAGES}`);
    db.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
    // A damaged table shows now, with a word on what to do, and not at its first use.
    for (const table of TABLES) db.prepare(`SELECT * FROM ${table} LIMIT 1`).get();
    if (!sealed) assertUnsealed(db, path);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function assertUnsealed(db: DatabaseSync, path: string): void {
  const seal = sealOf(db);
  if (seal === undefined) return;
  throw new Error(
    `the jobs of ${path} moved to ${seal.to} at ${seal.at}, and it is sealed: start with ` +
      `PUNCTUAL_STORE=firestore, or take the move back by npm run store:copy -- --unseal ` +
      `sqlite:${path}`,
  );
}

/** The switch to WAL does not wait for others by itself, so it is tried again. */
function useWal(db: DatabaseSync, path: string): void {
  const tries = OPENING_LIMIT_MS / PAUSE_MS;
  for (let left = tries; ; left -= 1) {
    try {
      const mode = db.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode'];
      if (mode === 'wal') return;
      const todo = 'put it on a disk of this machine';
      throw new Error(`the database ${path} is on a file system without shared memory: ${todo}`);
    } catch (error) {
      if (!isBusy(error) || left <= 0) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}
