import type { DatabaseSync } from 'node:sqlite';

/** "Pnct": in the file's header, so that a database of another program is never touched. */
export const APPLICATION_ID = 0x506e6374;

/** Whole numbers that JavaScript can hold, so that a hand-edited row can't break a whole page. */
const SAFE = 'BETWEEN -9007199254740991 AND 9007199254740991';

const STEP_1 = `
  PRAGMA application_id = ${APPLICATION_ID};

  CREATE TABLE jobs (
    name TEXT PRIMARY KEY,
    rev INTEGER NOT NULL CHECK (rev ${SAFE}),
    next_action_at INTEGER CHECK (next_action_at ${SAFE}),
    problem TEXT,
    doc TEXT NOT NULL
  ) STRICT;
  CREATE INDEX jobs_due ON jobs (next_action_at, name) WHERE next_action_at IS NOT NULL;

  CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    job TEXT NOT NULL,
    state TEXT NOT NULL,
    trigger TEXT NOT NULL,
    at INTEGER NOT NULL CHECK (at ${SAFE}),
    doc TEXT NOT NULL
  ) STRICT;
  CREATE INDEX runs_at ON runs (at DESC, id DESC);
  CREATE INDEX runs_job ON runs (job, at DESC, id DESC);
  CREATE INDEX runs_state ON runs (state, at DESC, id DESC);
  CREATE INDEX runs_job_state ON runs (job, state, at DESC, id DESC);
  CREATE INDEX runs_job_trigger ON runs (job, trigger, at DESC, id DESC);
  -- Most runs are scheduled ones: only the rare others need an index to be found by trigger alone.
  CREATE INDEX runs_trigger ON runs (trigger, at DESC, id DESC) WHERE trigger <> 'schedule';

  CREATE TABLE specs (
    job TEXT NOT NULL,
    from_at INTEGER NOT NULL CHECK (from_at ${SAFE}),
    doc TEXT NOT NULL CHECK (json_valid(doc)),
    PRIMARY KEY (job, from_at)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE logs (
    run_id TEXT NOT NULL,
    n INTEGER NOT NULL CHECK (n ${SAFE}),
    doc TEXT NOT NULL CHECK (json_valid(doc)),
    PRIMARY KEY (run_id, n)
  ) STRICT;

  CREATE TABLE actions (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL CHECK (at ${SAFE}),
    doc TEXT NOT NULL CHECK (json_valid(doc))
  ) STRICT;
  CREATE INDEX actions_at ON actions (at DESC, id DESC);

  CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    rev INTEGER NOT NULL CHECK (rev ${SAFE}),
    value TEXT NOT NULL CHECK (json_valid(value))
  ) STRICT;

  -- One row: the latest time given out, the last trusted reading of wall and monotonic clock, and
  -- since when a reading that does not fit it is doubted. 'era' grows when an operator resets it.
  CREATE TABLE clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    era INTEGER NOT NULL CHECK (era ${SAFE}),
    high_water INTEGER NOT NULL CHECK (high_water ${SAFE}),
    trusted TEXT NOT NULL CHECK (json_valid(trusted)),
    doubted TEXT NOT NULL CHECK (json_valid(doubted))
  ) STRICT;
`;

/*
 * No row is rewritten, so that a sealed database takes this step too. `changed_at` stays empty
 * where only an earlier version wrote: such a job counts as changed until it is written again. What
 * an earlier version still writes beside this one does not count: lists are read anew for its sake.
 */
const STEP_2 = `
  ALTER TABLE jobs ADD COLUMN changed_at INTEGER CHECK (changed_at ${SAFE});
  CREATE INDEX jobs_changed ON jobs (changed_at);

  ALTER TABLE actions ADD COLUMN job TEXT GENERATED ALWAYS AS (doc ->> '$.job') VIRTUAL;
  CREATE INDEX actions_job ON actions (job, at DESC, id DESC);
`;

/*
 * Six indexes took most of the time of each write, and none served a state and a trigger at once.
 * Four do, each list being one or more walks along one of them. A new run stands in one small one,
 * `runs_fresh`, until some are filed together. What an earlier version writes beside this is filed.
 */
const STEP_3 = `
  ALTER TABLE runs ADD COLUMN filed INTEGER NOT NULL DEFAULT 1;
  DROP INDEX runs_at;
  DROP INDEX runs_job;
  DROP INDEX runs_state;
  DROP INDEX runs_job_state;
  DROP INDEX runs_job_trigger;
  DROP INDEX runs_trigger;
  CREATE INDEX runs_at ON runs (at DESC, id DESC) WHERE filed = 1;
  CREATE INDEX runs_job ON runs (job, at DESC, id DESC) WHERE filed = 1;
  CREATE INDEX runs_kind ON runs (state, trigger, at DESC, id DESC) WHERE filed = 1;
  CREATE INDEX runs_job_kind ON runs (job, state, trigger, at DESC, id DESC) WHERE filed = 1;
  CREATE INDEX runs_fresh ON runs (at DESC, id DESC) WHERE filed = 0;
`;

/** In order, for ever: a step that was released is never changed, only followed by another. */
export const STEPS: readonly string[] = [STEP_1, STEP_2, STEP_3];

/**
 * Brings a database from whatever step it is at to the last one, each in a transaction of its own,
 * so that two processes may do it at once and a crash leaves a whole step or nothing of it.
 */
export function migrate(db: DatabaseSync, steps: readonly string[]): void {
  for (const [at, sql] of steps.entries()) {
    if (schemaVersion(db) > at) continue;
    db.exec('BEGIN IMMEDIATE');
    try {
      // Another process may have been quicker while we waited for the lock.
      if (schemaVersion(db) === at) db.exec(`${sql}; PRAGMA user_version = ${at + 1}`);
      db.exec('COMMIT');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }
}

export const schemaVersion = (db: DatabaseSync): number =>
  pragmaNumber(db, 'PRAGMA user_version', 'user_version');

export const applicationId = (db: DatabaseSync): number =>
  pragmaNumber(db, 'PRAGMA application_id', 'application_id');

function pragmaNumber(db: DatabaseSync, sql: string, column: string): number {
  const value = db.prepare(sql).get()?.[column];
  return typeof value === 'number' ? value : 0;
}
