import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { onTestFinished } from 'vitest';
import type { Durability } from '../../server/stores/sqlite-file.ts';
import { openSqliteStore, type SqliteStore } from '../../server/stores/sqlite.ts';
import { testClock, type TestClock } from '../test-clock.ts';

/** A folder of the test's own, gone after it. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'punctual-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export const file = (): string => join(folder(), 'punctual.db');

export interface Opening {
  readonly path: string;
  readonly clock?: TestClock;
  readonly identity?: string;
  readonly events?: string[];
  readonly sealed?: boolean;
  readonly durability?: Durability;
}

/** Lease 90 s, a clock set back counts from 5 s, boot "boot-1". Events are collected by name. */
export function openStore(opening: Opening): SqliteStore {
  const { path, clock, identity, events, sealed, durability } = opening;
  const store = openSqliteStore({
    path,
    clock: clock ?? testClock(),
    leaseMs: 90_000,
    regressionMs: 5000,
    identity: identity ?? 'boot-1',
    ...(sealed !== undefined && { sealed }),
    ...(durability !== undefined && { durability }),
    log: (_level, event) => events?.push(event),
  });
  onTestFinished(() => store.close());
  return store;
}

/** What a person with the sqlite3 command could do. */
export function byHand(path: string, sql: string, ...values: string[]): void {
  const db = new DatabaseSync(path);
  if (values.length === 0) db.exec(sql);
  else db.prepare(sql).run(...values);
  db.close();
}
