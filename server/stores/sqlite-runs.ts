import type { SQLInputValue } from 'node:sqlite';
import type { LateResult, Run } from '../core/records.ts';
import { stampLate, stampRun } from '../core/stamp.ts';
import { isFinal, RUN_STATES, TRIGGERS } from '../core/run.ts';
import type { RunPage, RunQuery, RunUpdate } from '../core/store.ts';
import type { Instant } from '../core/time.ts';
import { cursorOf, positionOf, runFilters, statesOf, type Position } from './cursor.ts';
import type { Connection } from './sqlite-connection.ts';
import { integerOf, RUN_COLUMNS, runOf, textOf } from './sqlite-rows.ts';

/** The runs of a database. Each function belongs inside a transaction. */

export function getRun(connection: Connection, id: string): Run | undefined {
  const known = connection.kept.runs.get(id);
  if (known !== undefined) return known;
  const row = connection.get(`SELECT ${RUN_COLUMNS} FROM runs WHERE id = ?`, id);
  return row && runOf(row);
}

/**
 * False if a run of this id is there already; then nothing is changed. It is not filed yet: see
 * `fileRuns`.
 */
export function createRun(connection: Connection, run: Run, now: Instant): boolean {
  const stamped = stampRun(run, now);
  const created = connection.run(
    `INSERT INTO runs (${RUN_COLUMNS}, filed) VALUES (?, ?, ?, ?, ?, ?, 0)
     ON CONFLICT (id) DO NOTHING`,
    run.id,
    run.job,
    run.state,
    run.trigger,
    run.at,
    JSON.stringify(stamped),
  );
  if (created === 1) keepRun(connection, stamped);
  return created === 1;
}

/**
 * Puts the oldest runs that are in no index of the lists into all of them, at most `limit`: in one
 * go, as their places lie close together. Gives how many are left.
 */
export function fileRuns(connection: Connection, limit: number): number {
  connection.run(FILE, rowLimit(limit));
  return unfiledRuns(connection);
}

const FILE =
  'UPDATE runs SET filed = 1 WHERE filed = 0 AND id IN ' +
  '(SELECT id FROM runs INDEXED BY runs_fresh WHERE filed = 0 ORDER BY at, id LIMIT ?)';

export function unfiledRuns(connection: Connection): number {
  const row = connection.get(
    'SELECT count(*) AS n FROM runs INDEXED BY runs_fresh WHERE filed = 0',
  );
  return row ? integerOf(row, 'n') : 0;
}

/** What is over is seldom changed again. */
function keepRun({ kept }: Connection, run: Run): void {
  if (isFinal(run.state)) kept.runs.drop(run.id);
  else kept.runs.put(run.id, run);
}

/** False if there is no such run. */
export function updateRun(connection: Connection, { id, set }: RunUpdate, now: Instant): boolean {
  const before = getRun(connection, id);
  if (before === undefined) return false;
  const run: Run = { ...before, ...stampRun(set, now) };
  const doc = JSON.stringify(run);
  keepRun(connection, run);
  if (run.at === before.at && run.trigger === before.trigger) {
    // The common case, apart: it spares the indexes that do not know the state.
    connection.run('UPDATE runs SET state = ?, doc = ? WHERE id = ?', run.state, doc, id);
    return true;
  }
  const { state, trigger, at } = run;
  const sql = 'UPDATE runs SET state = ?, trigger = ?, at = ?, doc = ? WHERE id = ?';
  connection.run(sql, state, trigger, at, doc, id);
  return true;
}

export function saveLateResult(
  connection: Connection,
  { id, late, now }: { readonly id: string; readonly late: LateResult; readonly now: Instant },
): void {
  const run = getRun(connection, id);
  if (run === undefined) return;
  const doc = JSON.stringify({ ...run, lateResult: stampLate(late, now) });
  connection.kept.runs.drop(id);
  connection.run('UPDATE runs SET doc = ? WHERE id = ?', doc, id);
}

export function deleteRun(connection: Connection, id: string): void {
  connection.kept.runs.drop(id);
  connection.run('DELETE FROM logs WHERE run_id = ?', id);
  connection.run('DELETE FROM runs WHERE id = ?', id);
}

export function listRuns(connection: Connection, query: RunQuery): RunPage {
  if (query.states?.length === 0) return { runs: [], cursor: undefined };
  const start = query.skip ? placeBehind(connection, query, query.skip) : startOf(query);
  if (start === undefined) return { runs: [], cursor: undefined };
  const { sql, values } = runQuery(query, start);
  const runs = connection.all(sql, ...values, rowLimit(query.limit) + 1).map(runOf);
  const page = runs.slice(0, rowLimit(query.limit));
  const last = runs.length > page.length ? page.at(-1) : undefined;
  return { runs: page, cursor: last && cursorOf(last, runFilters(query)) };
}

/** The place behind which a listing begins. */
function startOf(query: RunQuery): Position {
  const { until, cursor } = query;
  if (cursor !== undefined) return positionOf(cursor, runFilters(query));
  // Nothing sorts before the empty id, so this is "at ≤ until".
  return { at: Math.floor(until ?? Infinity) + 1, id: '' };
}

/** The place of the `n`th run, or undefined: found by the indexes alone, without the runs. */
function placeBehind(connection: Connection, query: RunQuery, n: number): Position | undefined {
  const { sql, values } = runQuery(query, startOf(query), 'id, at');
  const row = connection.get(`${sql} OFFSET ?`, ...values, 1, rowLimit(n) - 1);
  return row && { at: integerOf(row, 'at'), id: textOf(row, 'id') };
}

/**
 * The listing as SQL, which takes how many as its last value. Both ends of time always stand in it,
 * if only as infinities, so that every form of it is walks along an index, each from its first row
 * to the last one wanted: one for each kind of runs, and one for the few that are not filed yet.
 * SQLite merges them as they go, and takes no more steps than it needs.
 */
export function runQuery(query: RunQuery, start = startOf(query), columns = RUN_COLUMNS) {
  const among = [query.since ?? -Infinity, start.at, start.id];
  const walks = [...filedWalks(query), freshWalk(query)].map(({ index, where, values }) => {
    const from = `SELECT ${columns} FROM runs INDEXED BY ${index}`;
    const sql = `${from} WHERE ${where} AND at > ? AND (at, id) < (?, ?)`;
    return { sql, values: [...values, ...among] };
  });
  const merged = walks.map((walk) => walk.sql).join(' UNION ALL ');
  const sql = `${merged} ORDER BY at DESC, id DESC LIMIT ?`;
  return { sql, values: walks.flatMap((walk) => walk.values) };
}

/** Part of a listing: what holds for its runs, and the index that it walks along. */
interface Walk {
  readonly index: string;
  readonly where: string;
  readonly values: readonly SQLInputValue[];
}

/**
 * By state and trigger, where either is asked for: an index that knew one of them alone would pass
 * over all that are of the other kind, however seldom what is wanted is.
 */
function filedWalks({ job, states, trigger }: RunQuery): Walk[] {
  const known = conditions('filed = 1', { job });
  if (states === undefined && trigger === undefined) {
    return [{ index: job === undefined ? 'runs_at' : 'runs_job', ...known }];
  }
  const index = job === undefined ? 'runs_kind' : 'runs_job_kind';
  const triggers = trigger === undefined ? TRIGGERS : [trigger];
  return (states === undefined ? RUN_STATES : statesOf(states)).flatMap((state) =>
    triggers.map((one) => ({
      index,
      ...conditions('filed = 1', { job, state, trigger: one }),
    })),
  );
}

function freshWalk({ job, states, trigger }: RunQuery): Walk {
  const { where, values } = conditions('filed = 0', { job, trigger });
  if (states === undefined) return { index: 'runs_fresh', where, values };
  const distinct = statesOf(states);
  const among = `state IN (${distinct.map(() => '?').join(', ')})`;
  return { index: 'runs_fresh', where: `${where} AND ${among}`, values: [...values, ...distinct] };
}

function conditions(first: string, equal: Readonly<Record<string, string | undefined>>) {
  const given = Object.entries(equal).flatMap(([column, value]) =>
    value === undefined ? [] : [{ column, value }],
  );
  const where = [first, ...given.map(({ column }) => `${column} = ?`)].join(' AND ');
  return { where, values: given.map(({ value }) => value) };
}

/** More rows than anybody can hold. */
const MOST_ROWS = 1_000_000;

/** SQLite takes a negative limit for none at all, and no infinite one. */
export const rowLimit = (limit: number): number =>
  limit > 0 ? Math.floor(Math.min(limit, MOST_ROWS)) : 0;
