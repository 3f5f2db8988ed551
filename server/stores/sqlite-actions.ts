import type { SQLInputValue } from 'node:sqlite';
import type { ActionRecord } from '../core/records.ts';
import type { ActionPage, ActionQuery } from '../core/store.ts';
import { actionFilters, cursorOf, positionOf } from './cursor.ts';
import type { Connection } from './sqlite-connection.ts';
import { actionOf } from './sqlite-rows.ts';
import { rowLimit } from './sqlite-runs.ts';

/** Who did what, in a database. Each function belongs inside a transaction. */

/** One that is there already is left as it is. */
export function putAction(connection: Connection, action: ActionRecord): void {
  const sql = 'INSERT INTO actions (id, at, doc) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING';
  connection.run(sql, action.id, action.at, JSON.stringify(action));
}

export function listActions(connection: Connection, query: ActionQuery): ActionPage {
  const { limit, job, cursor } = query;
  const filters = actionFilters(query);
  // Its beginning too is a place to go on from, so that both forms are walks along an index.
  const first = { at: Infinity, id: '' };
  const { at, id } = cursor === undefined ? first : positionOf(cursor, filters);
  const values: SQLInputValue[] = job === undefined ? [] : [job];
  const sql =
    `SELECT id, at, doc FROM actions WHERE ${job === undefined ? '' : 'job = ? AND '}` +
    '(at, id) < (?, ?) ORDER BY at DESC, id DESC LIMIT ?';
  const rows = connection.all(sql, ...values, at, id, rowLimit(limit) + 1);
  const found = rows.map(actionOf);
  const actions = found.slice(0, rowLimit(limit));
  const last = found.length > actions.length ? actions.at(-1) : undefined;
  return { actions, cursor: last && cursorOf(last, filters) };
}
