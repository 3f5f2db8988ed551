import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';

/** An error that SQLite itself gave; `errcode` is its extended result code. */
export type SqliteError = Error & { readonly errcode: number };

export const isSqliteError = (error: unknown): error is SqliteError =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number';

/** Primary codes: BUSY and LOCKED. */
const WAITING = new Set([5, 6]);
/** Primary codes that only wrong code gives: CONSTRAINT, MISMATCH, MISUSE, RANGE. */
const BUGS = new Set([19, 20, 21, 25]);

const primary = ({ errcode }: SqliteError): number => errcode & 0xff;

export const isBusy = (error: unknown): boolean =>
  isSqliteError(error) && WAITING.has(primary(error));

export const isReadOnly = (error: unknown): boolean =>
  isSqliteError(error) && primary(error) === READ_ONLY;

export const isBug = (error: SqliteError): boolean => BUGS.has(primary(error));

const READ_ONLY = 8;
const IO_ERROR = 10;
const FULL = 13;

/** What is wrong with a database. */
export interface Trouble {
  /** With what to do about it, for whoever runs the service: "the database FILE …". */
  readonly what: string;
  /** In a few words that name no file, for anybody who may ask. */
  readonly why: string;
}

const MUST_WRITE = 'this program must be able to write the file and its folder';

const TROUBLES: Readonly<Record<number, Trouble>> = {
  5: { what: 'is held by another process; end that one', why: 'another process holds it' },
  [READ_ONLY]: { what: `can't be written; ${MUST_WRITE}`, why: 'its file is read-only' },
  [IO_ERROR]: {
    what:
      "can't be read or written: its disk fails or became read-only, or a limit is set on the " +
      'size of files',
    why: 'its disk fails',
  },
  11: {
    what: 'is damaged; restore a backup, or recover what is left with "sqlite3 FILE .recover"',
    why: 'its file is damaged',
  },
  [FULL]: {
    what: "can't grow, for its disk is full; free some space there",
    why: 'its disk is full',
  },
  14: { what: `can't be opened; ${MUST_WRITE}`, why: 'its file can not be opened' },
  26: { what: 'is not a Punctual database; name another file', why: 'its file is another one' },
};

/** What else is wrong with a file, in words for anybody. */
export const UNUSABLE = 'its file can not be used';
const UNKNOWN: Trouble = { what: "can't be used", why: UNUSABLE };

/** Says what an error of SQLite means for the database at a path. */
export function troubleOf(error: SqliteError, path: string): Trouble {
  // Where there is no room for the index of its log, SQLite calls it an I/O error.
  const code = primary(error) === IO_ERROR && isFull(path) ? FULL : primary(error);
  return TROUBLES[code] ?? UNKNOWN;
}

/** Less than this is no room for the database's log, nor for its index. */
const ROOM = 64 * 1024;

function isFull(path: string): boolean {
  if (path === ':memory:') return false;
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize < ROOM;
  } catch {
    return false;
  }
}
