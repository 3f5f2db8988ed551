import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';

/** One durable commit to a bare SQLite after the other, with some quiet between; in ms each. */
export async function commits(
  db: DatabaseSync,
  { times, quietMs }: { readonly times: number; readonly quietMs: number },
): Promise<number[]> {
  const insert = db.prepare('INSERT INTO runs VALUES (?)');
  const doc = 'x'.repeat(500);
  const found: number[] = [];
  for (let i = 0; i < times; i += 1) {
    await pause(quietMs);
    const from = performance.now();
    db.exec('BEGIN IMMEDIATE');
    insert.run(doc);
    db.exec('COMMIT');
    found.push(performance.now() - from);
  }
  return found;
}

export function openBare(path: string, durability: 'full' | 'normal'): DatabaseSync {
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durability}`);
  db.exec('CREATE TABLE runs (doc TEXT)');
  return db;
}
