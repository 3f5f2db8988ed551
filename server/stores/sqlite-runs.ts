import type { SQLInputValue } from 'node:sqlite';
import type { LateResult, Run } from '../core/records.ts';
import { stampLate, stampRun } from '../core/stamp.ts';
import type { RunState } from '../core/run.ts';
import type { RunPage, RunQuery, RunUpdate } from '../core/store.ts';
import type { Instant } from '../core/time.ts';
import { cursorOf, positionOf, runFilters, statesOf } from './cursor.ts';
import type { Connection } from './sqlite-connection.ts';
import { RUN_COLUMNS, runOf } from './sqlite-rows.ts';

/** The runs of a database. Each function belongs inside a transaction. */

export function getRun(connection: Connection, id: string): Run | undefined {
  const row = connection.get(`SELECT ${RUN_COLUMNS} FROM runs WHERE id = ?`, id);
  return row && runOf(row);
}

/** False if a run of this id is there already; then nothing is changed. */
export function createRun(connection: Connection, run: Run, now: Instant): boolean {
  const created = connection.run(
    `INSERT INTO runs (${RUN_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
    run.id,
    run.job,
    run.state,
    run.trigger,
    run.at,
    JSON.stringify(stampRun(run, now)),
  );
  return created === 1;
}

/** False if there is no such run. */
export function updateRun(connection: Connection, { id, set }: RunUpdate, now: Instant): boolean {
  const before = getRun(connection, id);
  if (before === undefined) return false;
  const run: Run = { ...before, ...stampRun(set, now) };
  const doc = JSON.stringify(run);
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
  connection.run('UPDATE runs SET doc = ? WHERE id = ?', doc, id);
}

export function deleteRun(connection: Connection, id: string): void {
  connection.run('DELETE FROM logs WHERE run_id = ?', id);
  connection.run('DELETE FROM runs WHERE id = ?', id);
}

export function listRuns(connection: Connection, query: RunQuery): RunPage {
  if (query.states?.length === 0) return { runs: [], cursor: undefined };
  const { sql, values, filters } = runQuery(query);
  const rows = connection.all(sql, ...values);
  const runs = rows.map(runOf);
  const page = runs.slice(0, rowLimit(query.limit));
  const last = runs.length > page.length ? page.at(-1) : undefined;
  return { runs: page, cursor: last && cursorOf(last, filters) };
}

/**
 * The listing as SQL. Both ends of time always stand in it, if only as infinities, so that every
 * form of it is a walk along an index from its first row to the last one wanted. Of several states
 * each has a walk of its own; SQLite merges them as they go, and takes no more steps than it needs.
 */
export function runQuery(query: RunQuery) {
  const { since, until, states, cursor } = query;
  const filters = runFilters(query);
  // Nothing sorts before the empty id, so this is "at ≤ until".
  const first = { at: Math.floor(until ?? Infinity) + 1, id: '' };
  const { at, id } = cursor === undefined ? first : positionOf(cursor, filters);
  const among = [since ?? -Infinity, at, id];
  const walks = (states === undefined ? [undefined] : statesOf(states)).map((state) => {
    const { index, where, values } = walkOf(query, state);
    const from = `SELECT ${RUN_COLUMNS} FROM runs INDEXED BY ${index}`;
    const sql = `${from} WHERE ${where} AND at > ? AND (at, id) < (?, ?)`;
    return { sql, values: [...values, ...among] };
  });
  const merged = walks.map((walk) => walk.sql).join(' UNION ALL ');
  const sql = `${merged} ORDER BY at DESC, id DESC LIMIT ?`;
  const values = [...walks.flatMap((walk) => walk.values), rowLimit(query.limit) + 1];
  return { sql, values, filters };
}

/** What holds besides for the runs of one state, or of any, and the index to walk along. */
function walkOf(query: RunQuery, state: RunState | undefined) {
  const { job, trigger } = query;
  const where: string[] = [];
  const values: SQLInputValue[] = [];
  for (const [column, value] of Object.entries({ job, state, trigger })) {
    if (value === undefined) continue;
    where.push(`${column} = ?`);
    values.push(value);
  }
  const index = indexFor(query, state);
  // Without it SQLite does not see that the index, which leaves scheduled runs out, has them all.
  if (index === 'runs_trigger') where.push("trigger <> 'schedule'");
  return { index, where: where.join(' AND ') || 'TRUE', values };
}

/**
 * The index with the fewest rows to pass over. Left to itself SQLite took the one of all jobs' runs
 * of a state for one job's, and read forty times as much.
 */
function indexFor({ job, trigger }: RunQuery, state: RunState | undefined): string {
  if (job !== undefined && state !== undefined) return 'runs_job_state';
  if (job !== undefined && trigger !== undefined) return 'runs_job_trigger';
  if (job !== undefined) return 'runs_job';
  if (trigger !== undefined && trigger !== 'schedule') return 'runs_trigger';
  return state === undefined ? 'runs_at' : 'runs_state';
}

/** More rows than anybody can hold. */
const MOST_ROWS = 1_000_000;

/** SQLite takes a negative limit for none at all, and no infinite one. */
export const rowLimit = (limit: number): number =>
  limit > 0 ? Math.floor(Math.min(limit, MOST_ROWS)) : 0;
