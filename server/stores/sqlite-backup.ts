import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { StoreUnavailable } from '../core/store.ts';
import type { Connection } from './sqlite-connection.ts';
import { APPLICATION_ID, applicationId } from './sqlite-schema.ts';

/** Pages copied at a time, between which everything else goes on. */
const PAGES_AT_ONCE = 500;

/** The copy takes its name when it is complete, so that half of one is never taken for a whole. */
export async function backupDatabase(connection: Connection, toPath: string): Promise<void> {
  const unfinished = `${toPath}.part-${process.pid}`;
  try {
    mkdirSync(dirname(toPath), { recursive: true, mode: 0o700 });
    rmSync(unfinished, { force: true });
    closeSync(openSync(unfinished, 'wx', 0o600));
    await backup(connection.db, unfinished, { rate: PAGES_AT_ONCE });
    makeSingleFile(unfinished);
    renameSync(unfinished, toPath);
  } catch (cause) {
    if (existsSync(unfinished)) rmSync(unfinished);
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `the database ${connection.path} was not copied to ${toPath}: ${why}`;
    throw new StoreUnavailable(message, { cause });
  }
}

/** A copy that is still in WAL mode would grow files beside it whenever somebody looks into it. */
function makeSingleFile(path: string): void {
  const db = new DatabaseSync(path);
  try {
    db.exec('PRAGMA journal_mode = DELETE');
  } finally {
    db.close();
  }
}

/**
 * Reads a copy from end to end. Throws unless it is whole and ours; gives the number of its runs.
 */
export function checkBackup(path: string): { readonly runs: number } {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    if (applicationId(db) !== APPLICATION_ID) throw new Error('it is not a Punctual database');
    const found = db.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'];
    if (found !== 'ok') throw new Error(String(found));
    return { runs: Number(db.prepare('SELECT count(*) AS runs FROM runs').get()?.['runs']) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`the copy ${path} is not whole: ${why}; make it again`, { cause });
  } finally {
    db.close();
  }
}
