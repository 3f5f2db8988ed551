import { describe, expect, test } from 'vitest';
import { Connection } from '../../server/stores/sqlite-connection.ts';
import { openDatabase } from '../../server/stores/sqlite-file.ts';
import { testClock } from '../test-clock.ts';
import { everyUse } from './every-use.ts';
import {
  askedDuring,
  emptyDatabase,
  faultsOf,
  isQuery,
  linesThatAsk,
  type Asked,
} from './plans.ts';
import { file } from './sqlite-fixture.ts';

/** What may read more than it gives, by how it begins, and why that is little or seldom. */
const ALLOWED: readonly (readonly [begin: string, why: string])[] = [
  ['SELECT doc FROM specs WHERE job = ?', 'one for each time that a schedule was changed'],
  ['DELETE FROM logs WHERE run_id = ?', 'the parts of the log of one run, and all of them go'],
  ['SELECT count(*) AS runs FROM runs', 'a copy is read from end to end, to check it'],
  ['DELETE FROM specs WHERE from_at > ?', 'an operator resets the clock'],
  ['UPDATE jobs SET next_action_at = ?, changed_at = ? WHERE problem', 'the same'],
  ['SELECT id, job, state, trigger, at, doc FROM runs WHERE filed = 1 AND job = ? A', 'the same'],
  ['SELECT max(at) AS at FROM runs', 'the same'],
];

/** Everything that is wrong, with where it comes from; what is allowed is left out. */
function faultsIn({ statements }: Asked): string[] {
  const db = emptyDatabase();
  const found = [...statements]
    .filter(([sql]) => isQuery(sql) && !allowed(sql))
    .flatMap(([sql, line]) => faultsOf(db, sql).map((fault) => `${line}: ${fault}: ${sql}`));
  db.close();
  return found;
}

const allowed = (sql: string) => ALLOWED.find(([begin]) => sql.startsWith(begin));

function needs(sql: string, begin: string): boolean {
  const db = emptyDatabase();
  const faults = sql.startsWith(begin) ? faultsOf(db, sql) : [];
  db.close();
  return faults.length > 0;
}

test('every statement of the SQLite store finds one row, or walks no further than asked', async () => {
  const asked = await askedDuring(() => everyUse(file()));

  const queries = [...asked.statements.keys()].filter(isQuery);
  expect(faultsIn(asked)).toEqual([]);
  // What is there and was not looked at, or is allowed what it does not take, is wrong as well.
  expect(linesThatAsk().filter((line) => !asked.lines.has(line))).toEqual([]);
  expect(ALLOWED.filter(([begin]) => !queries.some((sql) => needs(sql, begin)))).toEqual([]);
  expect([queries.length > 80, linesThatAsk().length > 40]).toEqual([true, true]);
}, 60_000);

describe('what is not fine is found', () => {
  test.each([
    ['SELECT id FROM runs WHERE doc LIKE ? LIMIT 5', 'SCAN runs'],
    ['SELECT count(*) FROM runs', 'SCAN runs USING COVERING INDEX'],
    ['SELECT doc FROM runs', 'SCAN runs'],
    ['SELECT doc FROM runs ORDER BY at DESC', 'SCAN runs'],
    [
      'SELECT id FROM runs WHERE job = ? AND filed = 1',
      'SEARCH runs USING COVERING INDEX runs_job',
    ],
    ['SELECT id FROM runs WHERE job = ? ORDER BY doc LIMIT 5', 'USE TEMP B-TREE FOR ORDER BY'],
    ['SELECT DISTINCT state FROM runs LIMIT 5', 'USE TEMP B-TREE FOR DISTINCT'],
    ['DELETE FROM runs WHERE at < ?', 'SCAN runs'],
    ['UPDATE jobs SET problem = NULL WHERE doc = ?', 'SCAN jobs'],
    ['SELECT n FROM logs WHERE run_id > ? ORDER BY run_id', 'SEARCH logs'],
    ['SELECT id FROM runs WHERE id > ?', 'SEARCH runs'],
    ['SELECT 1 FROM runs JOIN jobs ON jobs.doc = runs.doc LIMIT 5', 'AUTOMATIC COVERING INDEX'],
    [
      'SELECT name FROM jobs WHERE EXISTS (SELECT 1 FROM runs WHERE doc = jobs.doc) LIMIT 5',
      'SCAN',
    ],
  ])('%s', (sql, fault) => {
    const db = emptyDatabase();

    const faults = faultsOf(db, sql);

    expect(faults.join()).toContain(fault);
    db.close();
  });

  test.each([
    'SELECT doc FROM runs WHERE id = ?',
    'SELECT doc FROM logs WHERE run_id = ? AND n = ?',
    'SELECT doc FROM specs WHERE job = ? AND from_at = ?',
    'SELECT id FROM runs WHERE filed = 1 AND job = ? AND at > ? ORDER BY at DESC, id DESC LIMIT 5',
    'SELECT * FROM actions ORDER BY at DESC LIMIT 5',
    'SELECT id FROM clock',
  ])('%s is fine', (sql) => {
    const db = emptyDatabase();

    expect(faultsOf(db, sql)).toEqual([]);

    db.close();
  });

  test('also where somebody adds it to the store, and it is told where', async () => {
    const bad = 'SELECT doc FROM runs WHERE doc LIKE ? LIMIT 5';

    const asked = await askedDuring(async () => {
      const path = file();
      const connection = new Connection(openDatabase(path), path, testClock());
      await connection.read(() => connection.all(bad, '%503%'));
      connection.close();
    });

    expect(faultsIn(asked)).toEqual([
      expect.stringMatching(/^[\w-]+\.ts:\d+: SCAN runs: SELECT doc/),
    ]);
  });
});
