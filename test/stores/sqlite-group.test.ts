import { DatabaseSync } from 'node:sqlite';
import { onTestFinished, expect, test } from 'vitest';
import { UnknownOutcome } from '../../server/core/store.ts';
import { Connection, keep, undo } from '../../server/stores/sqlite-connection.ts';
import { realClock } from '../test-clock.ts';
import { file } from './sqlite-fixture.ts';

/** Writes that share a transaction: each stands or falls alone, and nobody hears of it too soon. */

interface Opened {
  readonly connection: Connection;
  readonly path: string;
  /** The transactions' statements that ran, in order. */
  readonly ran: string[];
  /** Fails the statement the next time, with an error of SQLite's. */
  readonly fails: (sql: string, errcode: number) => void;
  readonly write: (n: number) => Promise<number>;
  readonly rows: () => number[];
}

function open(): Opened {
  const path = file();
  const db = new DatabaseSync(path);
  db.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER PRIMARY KEY)');
  const connection = new Connection(db, path, realClock);
  const ran: string[] = [];
  const failing = new Map<string, number>();
  const run = connection.run.bind(connection);
  connection.run = (sql, ...values) => {
    if (/^(?:BEGIN|COMMIT|ROLLBACK)/.test(sql)) ran.push(sql);
    const errcode = failing.get(sql);
    failing.delete(sql);
    if (errcode === undefined) return run(sql, ...values);
    throw Object.assign(new Error('it failed'), { code: 'ERR_SQLITE_ERROR', errcode });
  };
  onTestFinished(() => connection.close());
  return {
    connection,
    path,
    ran,
    fails: (sql, errcode) => void failing.set(sql, errcode),
    write: (n) =>
      connection.write(() => {
        run('INSERT INTO t VALUES (?)', n);
        return keep(n);
      }),
    rows: () => connection.all('SELECT n FROM t ORDER BY n').map(({ n }) => Number(n)),
  };
}

const IO_ERROR = 10;
const BUSY = 5;

test('writes of one turn share one transaction', async () => {
  const { ran, rows, write } = open();

  const written = await Promise.all([write(1), write(2), write(3)]);

  expect(written).toEqual([1, 2, 3]);
  expect(ran).toEqual(['BEGIN IMMEDIATE', 'COMMIT']);
  expect(rows()).toEqual([1, 2, 3]);
});

test('one that is not to stand, and one that fails, take back themselves only', async () => {
  const { connection, ran, rows, write } = open();
  const inserts = (n: number): number => connection.run('INSERT INTO t VALUES (?)', n);

  const found = await Promise.allSettled([
    write(1),
    connection.write(() => {
      inserts(2);
      return undo('lost');
    }),
    connection.write(() => {
      inserts(3);
      throw new Error('a bug');
    }),
    write(4),
  ]);

  expect(found).toEqual([
    { status: 'fulfilled', value: 1 },
    { status: 'fulfilled', value: 'lost' },
    { status: 'rejected', reason: new Error('a bug') },
    { status: 'fulfilled', value: 4 },
  ]);
  expect(rows()).toEqual([1, 4]);
  // Apart only once it is known that not all of them stand.
  expect(ran.slice(0, 3)).toEqual(['BEGIN IMMEDIATE', 'ROLLBACK', 'BEGIN IMMEDIATE']);
});

test('where none is to stand, nothing is committed', async () => {
  const { connection, ran } = open();

  await connection.write(() => undo('lost'));

  expect(ran.splice(0)).toEqual(['BEGIN IMMEDIATE', 'ROLLBACK']);

  await Promise.all([connection.write(() => undo('lost')), connection.write(() => undo('too'))]);

  const apart = ['ROLLBACK TO member', 'ROLLBACK TO member'];
  expect(ran).toEqual(['BEGIN IMMEDIATE', 'ROLLBACK', 'BEGIN IMMEDIATE', ...apart, 'ROLLBACK']);
});

test('a commit that fails is unknown to all of it, also to one that had lost', async () => {
  const { connection, fails, rows, write } = open();
  fails('COMMIT', IO_ERROR);

  const found = await Promise.allSettled([
    write(1),
    connection.write(() => undo('lost')),
    write(2),
  ]);

  expect(
    found.map((one) => one.status === 'rejected' && one.reason instanceof UnknownOutcome),
  ).toEqual([true, true, true]);
  expect(rows()).toEqual([]);
  expect(await write(3)).toBe(3);
});

test('a commit that finds the file held is tried again, whole', async () => {
  const { fails, ran, rows, write } = open();
  fails('COMMIT', BUSY);

  const written = await Promise.all([write(1), write(2)]);

  expect(written).toEqual([1, 2]);
  expect(ran.filter((sql) => sql === 'COMMIT')).toHaveLength(2);
  expect(rows()).toEqual([1, 2]);
});

test('who comes while another process holds the file goes with those who wait', async () => {
  const { path, ran, rows, write } = open();
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');

  const first = write(1);
  await new Promise((resolve) => setTimeout(resolve, 30));
  const second = write(2);
  await new Promise((resolve) => setTimeout(resolve, 30));
  other.exec('COMMIT');
  other.close();

  expect(await Promise.all([first, second])).toEqual([1, 2]);
  expect(ran.filter((sql) => sql === 'COMMIT')).toHaveLength(1);
  expect(rows()).toEqual([1, 2]);
});

test('what waits is written before the file is closed', async () => {
  const { connection, path, write } = open();

  const written = write(1);
  connection.close();

  expect(await written).toBe(1);
  const db = new DatabaseSync(path);
  expect(db.prepare('SELECT n FROM t').all()).toEqual([{ n: 1 }]);
  db.close();
});

test('many more than fit one transaction are all written', async () => {
  const { ran, rows, write } = open();
  const all = Array.from({ length: 300 }, (_, n) => n);

  await Promise.all(all.map(write));

  expect(rows()).toEqual(all);
  expect(ran.filter((sql) => sql === 'COMMIT').length).toBeLessThan(10);
});
