import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { migrate, STEPS } from '../../server/stores/sqlite-schema.ts';
import { Connection } from '../../server/stores/sqlite-connection.ts';

/*
 * What the SQLite store asks of the database, and whether SQLite answers it without passing over
 * more than it gives.
 */

const FOLDER = join(import.meta.dirname, '../../server/stores');

export interface Asked {
  /** Each statement that the store prepared, with the line that it came from. */
  readonly statements: ReadonlyMap<string, string>;
  /** Every line of the store that a statement came by. */
  readonly lines: ReadonlySet<string>;
}

/** Hears of every statement that any part of the store prepares while `work` goes on. */
export async function askedDuring(work: () => Promise<void>): Promise<Asked> {
  const statements = new Map<string, string>();
  const lines = new Set<string>();
  const hear = (sql: string): void => {
    const from = linesOf(new Error('here').stack ?? '');
    for (const line of from) lines.add(line);
    const line = from.find((one) => !one.startsWith('sqlite-connection.ts')) ?? from[0];
    if (line !== undefined && !statements.has(sql)) statements.set(sql, line);
  };
  const restore = [
    ...(['prepare', 'exec'] as const).map((name) => listen(DatabaseSync.prototype, name, hear)),
    ...(['get', 'all', 'run'] as const).map((name) => listen(Connection.prototype, name, hear)),
  ];
  try {
    await work();
  } finally {
    for (const undo of restore) undo();
  }
  return { statements, lines };
}

function listen(prototype: object, name: string, hear: (sql: string) => void): () => void {
  const real: unknown = Reflect.get(prototype, name);
  if (typeof real !== 'function') throw new Error(`there is no ${name}`);
  Reflect.set(prototype, name, function (this: object, sql: string, ...rest: unknown[]) {
    hear(sql);
    return Reflect.apply(real, this, [sql, ...rest]);
  });
  return () => void Reflect.set(prototype, name, real);
}

/** The lines of the store's own files on the way here, the innermost first. */
const linesOf = (stack: string): string[] =>
  [...stack.matchAll(/stores\/(sqlite[\w-]*\.ts):(\d+):/g)].map(
    ([, file, line]) => `${file}:${line}`,
  );

/** Control of transactions and settings: there is nothing to plan. */
const NO_QUERY = 'BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|PRAGMA|CREATE|DROP|ALTER';

/** Every line of the store's source that hands a statement over. */
export function linesThatAsk(): string[] {
  const asks = new RegExp(
    String.raw`(?:onnection|\bdb)\.(?:get|all|run|prepare|exec)\((?!['"\x60](?:${NO_QUERY})\b)`,
  );
  return readdirSync(FOLDER)
    .filter((file) => /^sqlite.*\.ts$/.test(file))
    .flatMap((file) =>
      readFileSync(join(FOLDER, file), 'utf8')
        .split('\n')
        .flatMap((text, i) => (asks.test(text) ? [`${file}:${i + 1}`] : [])),
    );
}

export const isQuery = (sql: string): boolean => !new RegExp(`^\\s*(?:${NO_QUERY})\\b`).test(sql);

/** What has few rows, whatever the history: it may be read from end to end. */
const SMALL: ReadonlyMap<string, string> = new Map([
  ['clock', 'one row, by its schema'],
  ['runs_fresh', 'the runs that are not filed yet: one or two hundred'],
]);

/** Joins the walks of others, and reads nothing itself. */
const JOINS =
  /^(?:MERGE \(UNION ALL\)|LEFT|RIGHT|COMPOUND QUERY|LEFT-MOST SUBQUERY|UNION ALL|LIST SUBQUERY \d+)$/;
const STEP =
  /^(?<how>SCAN|SEARCH) (?<table>\w+)(?: USING (?:COVERING )?(?:INDEX (?<index>\w+)|(?:INTEGER )?PRIMARY KEY))?(?: \((?<by>.*)\))?$/;

/** An empty database, by whose schema statements are planned as by a full one: none is analysed. */
export function emptyDatabase(): DatabaseSync {
  const db = new DatabaseSync(':memory:');
  migrate(db, STEPS);
  return db;
}

/**
 * The steps of a statement's plan that are not fine. Fine is, in any order that comes of it:
 *
 * - to find one row by all columns of a key;
 * - to walk along an index between two of its places, up to a LIMIT;
 * - to walk along a table or an index without any condition, up to a LIMIT;
 * - what reads something that is small.
 *
 * So no row is passed over but for conditions that an index does not know, none is read beyond the
 * last one wanted, and nothing is sorted.
 */
export function faultsOf(db: DatabaseSync, sql: string): string[] {
  const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all();
  return steps.map((row) => String(row['detail'])).filter((step) => !isFine(db, sql, step));
}

function isFine(db: DatabaseSync, sql: string, step: string): boolean {
  if (JOINS.test(step)) return true;
  const { how, table, index, by = '' } = STEP.exec(step)?.groups ?? {};
  if (how === undefined || table === undefined) return false;
  if (SMALL.has(table) || (index !== undefined && SMALL.has(index))) return true;
  if (how === 'SEARCH' && isWholeKey(db, table, index, by)) return true;
  const isLimited = /\bLIMIT\b/.test(sql);
  return isLimited && (how === 'SEARCH' || !/\b(?:WHERE|JOIN|HAVING|GROUP BY)\b/.test(sql));
}

/** Whether `a=? AND b=?` names one row. */
function isWholeKey(db: DatabaseSync, table: string, index: string | undefined, by: string) {
  const given = by
    .split(' AND ')
    .filter((part) => part.endsWith('=?') && !/[<>]/.test(part)).length;
  if (index === undefined) {
    const columns = db.prepare(`SELECT pk FROM pragma_table_info('${table}') WHERE pk > 0`).all();
    return given > 0 && given === columns.length;
  }
  const sql = `SELECT l."unique" AS one, count(*) AS columns FROM pragma_index_list('${table}') AS l
    JOIN pragma_index_info(l.name) WHERE l.name = '${index}'`;
  const { one, columns } = db.prepare(sql).get() ?? {};
  return one === 1 && given === columns;
}
