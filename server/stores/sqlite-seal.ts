import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { isBusy } from './sqlite-errors.ts';

/*
 * A sealed database takes no more changes, from any version of this program: triggers in the file
 * itself refuse them. So its jobs can't run in two places after they moved to another store.
 */

/** Why a database is sealed. */
export interface Seal {
  /** Where its jobs went. */
  readonly to: string;
  readonly at: string;
}

const KEY = 'sealed';
const TABLES = ['jobs', 'runs'] as const;
const DEEDS = ['INSERT', 'UPDATE', 'DELETE'] as const;
const triggers = TABLES.flatMap((table) =>
  DEEDS.map((deed) => ({ table, deed, name: `sealed_${table}_${deed.toLowerCase()}` })),
);

/**
 * Seals a database that nobody else has open. Throws where somebody has, or where it was sealed for
 * another place; sealed for the same, it is left as it is.
 */
export function sealDatabase(path: string, seal: Seal): void {
  alone(path, (db) => {
    const before = sealOf(db);
    if (before !== undefined && before.to !== seal.to) {
      throw new Error(`${path} was sealed for ${before.to}, not for ${seal.to}`);
    }
    if (before !== undefined) return;
    db.prepare('INSERT OR REPLACE INTO meta (key, rev, value) VALUES (?, 1, ?)').run(
      KEY,
      JSON.stringify(seal),
    );
    for (const { table, deed, name } of triggers) {
      db.exec(`CREATE TRIGGER ${name} BEFORE ${deed} ON ${table}
        BEGIN SELECT RAISE(ABORT, 'sealed: its jobs moved to another store'); END`);
    }
  });
}

/** Gives a sealed database back to use; false if it was not sealed. */
export function unsealDatabase(path: string): boolean {
  return alone(path, (db) => {
    if (sealOf(db) === undefined) return false;
    for (const { name } of triggers) db.exec(`DROP TRIGGER IF EXISTS ${name}`);
    db.prepare('DELETE FROM meta WHERE key = ?').run(KEY);
    return true;
  });
}

/** The seal of a database that has its tables; undefined if it has none. */
export function sealOf(db: DatabaseSync): Seal | undefined {
  const text = db.prepare('SELECT value FROM meta WHERE key = ?').get(KEY)?.['value'];
  const value: unknown = typeof text === 'string' ? JSON.parse(text) : undefined;
  const [to, at]: unknown[] = ['to', 'at'].map((name) => Reflect.get(Object(value), name));
  return typeof to === 'string' && typeof at === 'string' ? { to, at } : undefined;
}

/** Does something with a database while nobody else has it open, or can open it. */
function alone<Result>(path: string, work: (db: DatabaseSync) => Result): Result {
  if (!existsSync(path)) throw new Error(`there is no database ${path}`);
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    // Whoever has a database open, idle or not, holds a lock that stands against this one.
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    db.exec('BEGIN EXCLUSIVE');
    const result = work(db);
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (isBusy(error)) throw new Error(`${path} is in use: stop the server first`);
    throw error;
  } finally {
    db.close();
  }
}
