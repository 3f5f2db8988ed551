import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Connection } from '../../server/stores/sqlite-connection.ts';
import { storeClock } from '../../server/stores/sqlite-clock.ts';
import { openDatabase } from '../../server/stores/sqlite-file.ts';
import { runQuery } from '../../server/stores/sqlite-runs.ts';
import { SqliteStore } from '../../server/stores/sqlite.ts';
import { RUN_STATES } from '../../server/core/run.ts';
import type { RunQuery } from '../../server/core/store.ts';
import { action, commit, jobRecord, logChunk, run } from '../builders.ts';
import { sharedStoreContract, storeContract } from '../store-contract.ts';
import { testClock } from '../test-clock.ts';
import { byHand, file, openStore } from './sqlite-fixture.ts';

storeContract('SQLite in memory', async () => {
  const clock = testClock();
  const store = openStore({ path: ':memory:', clock });
  return { store, pass: (ms) => clock.advance(ms) };
});

async function openFile() {
  const path = file();
  const clock = testClock();
  return {
    store: openStore({ path, clock }),
    pass: (ms: number) => clock.advance(ms),
    reopen: async () => openStore({ path }),
    damage: async (name: string, record: unknown) =>
      byHand(path, 'UPDATE jobs SET doc = ? WHERE name = ?', JSON.stringify(record), name),
  };
}

storeContract('SQLite in a file', openFile);
sharedStoreContract('SQLite in a file', openFile);

/** The store on a connection that the test can tamper with, before the store knows it or after. */
function openTampered(path: string, sql = '') {
  const clock = testClock();
  const opened = openDatabase(path);
  opened.exec(sql);
  const connection = new Connection(opened, path, clock);
  const options = { clock, boot: 'boot-1', leaseMs: 90_000, regressionMs: 5000, log: () => {} };
  const store = new SqliteStore(connection, storeClock(connection, options));
  connection.stopBlocking();
  onTestFinished(() => store.close());
  return { store, db: connection.db, connection, clock };
}

function child(...args: string[]) {
  const script = fileURLToPath(new URL('sqlite-child.ts', import.meta.url));
  const started = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { started, lines: createInterface({ input: started.stdout }) };
}

async function linesOf(...args: string[]): Promise<string[]> {
  const said: string[] = [];
  for await (const line of child(...args).lines) said.push(line);
  return said;
}

describe('several processes', () => {
  test('two that make the file at once lose no commit to each other', async () => {
    const path = file();

    const said = await Promise.all([linesOf('raise', path, '60'), linesOf('raise', path, '60')]);

    const store = openStore({ path });
    expect(said.flat().toSorted((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 120 }, (_, i) => String(i + 1)),
    );
    expect((await store.read('nightly-report')).record?.streak).toBe(120);
    expect((await store.listRuns({ limit: 200 })).runs).toHaveLength(120);
  });

  test('what was acknowledged before kill -9 is there after it', async () => {
    const path = file();
    const { started, lines } = child('raise', path, '100000');
    let last = 0;
    for await (const line of lines) {
      last = Number(line);
      if (last === 40) started.kill('SIGKILL');
    }

    const store = openStore({ path });

    const streak = (await store.read('nightly-report')).record?.streak;
    expect(last).toBeGreaterThanOrEqual(40);
    expect([last, last + 1]).toContain(streak);
    expect(await store.getRun(`a@${last}`)).toBeDefined();
  });

  test('a commit waits for another process without stopping this one', async () => {
    const path = file();
    const clock = testClock();
    const store = openStore({ path, clock });
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');

    const waiting = store.commit(commit(jobRecord()));
    await clock.advance(200);
    other.exec('COMMIT');
    await clock.advance(100);

    expect(await waiting).toMatchObject({ kind: 'ok' });
    other.close();
  });

  test('a process that waits for another does not end before it has written', async () => {
    const path = file();
    const { lines } = child('raise', path, '60');
    const holder = openDatabase(path);
    let last = 0;
    let released: Promise<void> | undefined;
    for await (const line of lines) {
      last = Number(line);
      if (last !== 20) continue;
      holder.exec('BEGIN IMMEDIATE');
      released = setTimeout(150).then(() => holder.exec('COMMIT'));
    }
    await released;

    expect(last).toBe(60);
    holder.close();
  });

  test('a lock that is missing only at the very end of a commit is waited for too', async () => {
    const path = file();
    const { store, clock } = openTampered(path, 'PRAGMA journal_mode = DELETE');
    const reader = new DatabaseSync(path);
    reader.exec('BEGIN; SELECT * FROM jobs');

    const waiting = store.commit(commit(jobRecord()));
    await clock.advance(20);
    reader.exec('COMMIT');
    await clock.advance(100);

    expect(await waiting).toMatchObject({ kind: 'ok' });
    reader.close();
  });

  test('a lock that is never let go makes the store unavailable, and only for writing', async () => {
    const path = file();
    const clock = testClock();
    const store = openStore({ path, clock });
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');

    const waiting = store.commit(commit(jobRecord())).catch((error: unknown) => error);
    await clock.advance(6000);

    expect(await waiting).toMatchObject({ name: 'StoreUnavailable' });
    expect(await store.read('nightly-report')).toMatchObject({ version: undefined });
    other.close();
  });
});

describe('a commit that fails', () => {
  test('for want of space changes nothing, says so, and leaves reading alone', async () => {
    const { store, db } = openTampered(file());
    const first = await store.commit(commit(jobRecord()));
    if (first.kind !== 'ok') throw new Error(first.kind);
    db.exec('PRAGMA max_page_count = 1');

    const runs = [run({ output: 'x'.repeat(200_000) })];
    const full = store.commit(commit(jobRecord(), { version: first.version, create: runs }));

    await expect(full).rejects.toMatchObject({ name: 'StoreUnavailable' });
    await expect(full).rejects.toThrow(/full/);
    expect((await store.read('nightly-report')).version).toBe(first.version);
    expect(await store.getRun(run().id)).toBeUndefined();
    db.exec('PRAGMA max_page_count = 100000');
    const again = await store.commit(commit(jobRecord(), { version: first.version, create: runs }));
    expect(again.kind).toBe('ok');
  });

  test('at its very end has an unknown outcome, and the store goes on', async () => {
    const { store, db } = openTampered(file());
    db.exec(`
      CREATE TABLE a (id INTEGER PRIMARY KEY);
      CREATE TABLE b (a REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED);
      CREATE TRIGGER broken AFTER INSERT ON jobs BEGIN INSERT INTO b VALUES (1); END;
    `);

    const broken = store.commit(commit(jobRecord()));

    await expect(broken).rejects.toMatchObject({ name: 'UnknownOutcome' });
    db.exec('DROP TRIGGER broken');
    expect(await store.commit(commit(jobRecord()))).toMatchObject({ kind: 'ok' });
  });

  test('by a bug shows the bug, and changes nothing', async () => {
    const store = openStore({ path: file() });
    const wrong = commit(jobRecord({ name: 'other' }), { name: 'nightly-report' });
    const fraction = commit(jobRecord(), { create: [run({ at: 1.5 })] });

    await expect(store.commit(wrong)).rejects.toThrow(/can't have the record of other/);
    await expect(store.commit(fraction)).rejects.not.toMatchObject({ name: 'StoreUnavailable' });

    expect(await store.listJobs({ limit: 9 })).toEqual([]);
    expect(await store.commit(commit(jobRecord()))).toMatchObject({ kind: 'ok' });
  });

  test('on a closed store says that nothing was done', async () => {
    const store = openStore({ path: file() });
    await store.close();
    await store.close();

    const found = await Promise.allSettled([
      store.commit(commit(jobRecord())),
      store.read('a'),
      store.ping(),
      store.time(),
      store.backup('/nowhere'),
      store.appendLog(logChunk()),
    ]);

    const refused = { status: 'rejected', reason: { name: 'StoreUnavailable' } };
    expect(found).toMatchObject(found.map(() => refused));
  });
});

describe('a row edited by hand', () => {
  test('a record that is no JSON, or of another job, is a problem and no crash', async () => {
    const path = file();
    const store = openStore({ path });
    for (const name of ['a', 'b']) await store.commit(commit(jobRecord({ name })));
    byHand(path, 'UPDATE jobs SET doc = ? WHERE name = ?', '{"name":', 'a');
    byHand(path, 'UPDATE jobs SET doc = ? WHERE name = ?', JSON.stringify(jobRecord()), 'b');

    const problems = (await store.listJobs({ limit: 9 })).map(({ problem }) => problem);

    expect(problems[0]).toMatch(/^the record is not JSON: /);
    expect(problems[1]).toBe('name is "nightly-report", not "b" as its row says');
  });

  test('the reason of a quarantine stands in its row until the job is written again', async () => {
    const { store, db } = openTampered(file());
    const problem = () => db.prepare('SELECT problem FROM jobs').get();
    const first = await store.commit(commit(jobRecord()));
    if (first.kind !== 'ok') throw new Error(first.kind);

    await store.quarantine({ ...jobRecord(), version: first.version, until: 5, problem: 'odd' });
    const aside = problem();
    const { version } = await store.read('nightly-report');
    await store.commit(commit(jobRecord(), { version }));

    expect([aside, problem()]).toEqual([{ problem: 'odd' }, { problem: null }]);
  });

  test('a damaged run is shown as such among the others', async () => {
    const path = file();
    const store = openStore({ path });
    const create = [run({ id: 'a@1' }), run({ id: 'a@2', at: 77, state: 'lost' })];
    await store.commit(commit(jobRecord(), { create }));
    byHand(path, 'UPDATE runs SET doc = ? WHERE id = ?', '[1', 'a@2');

    const { runs } = await store.listRuns({ limit: 9 });

    expect(runs).toHaveLength(2);
    expect(runs[1]).toMatchObject({ id: 'a@2', state: 'lost', at: 77 });
    expect(runs[1]?.error?.message).toMatch(/a@2 is damaged/);
  });
});

describe('every query walks an index', () => {
  const trace = (store: SqliteStore, connection: Connection) => {
    const asked: string[] = [];
    for (const method of ['get', 'all', 'run'] as const) {
      const real = connection[method].bind(connection);
      Object.assign(connection, {
        [method]: (sql: string, ...values: never[]) => {
          asked.push(sql);
          return real(sql, ...values);
        },
      });
    }
    return { store, asked };
  };
  const planOf = (db: DatabaseSync, sql: string): string[] =>
    db
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map((row) => String(row['detail']));

  test('whatever is asked of the store, no table is read from end to end', async () => {
    const { store: plain, db, connection } = openTampered(file());
    const { store, asked } = trace(plain, connection);
    const made = await store.commit(commit(jobRecord({ nextActionAt: 5 }), { create: [run()] }));
    if (made.kind !== 'ok') throw new Error(made.kind);
    const { version } = made;
    const set = { state: 'failed', at: 7 } as const;
    const logs = [logChunk()];
    const actions = [action()];
    const update = [{ id: run().id, set }];
    await store.commit(commit(jobRecord(), { version, update, logs, actions }));
    await store.due({ limit: 5, aheadMs: 0 });
    await store.nextActionAfter(5);
    await store.quarantine({ name: 'a', version, until: 5, problem: 'x' });
    await store.saveLateResult(run().id, {
      ...run(),
      attemptId: 'a',
      outcome: 'lost',
      notes: [],
      at: 5,
    });
    await store.listJobs({ limit: 5, after: 'a' });
    await store.listSpecs('a');
    await store.readLog('a', 0, 5);
    await store.listActions({ limit: 5 });
    await store.listActions({ limit: 5, job: 'a' });
    await store.listJobs({ limit: 5, changedSince: 5 });
    await store.listRuns({ limit: 5, states: ['failed', 'lost'] });
    await store.writeMeta('a', 1, undefined);
    await store.writeMeta('a', 2, '1');
    await store.readMeta('a');
    await store.deleteRuns(['a']);

    const queries = new Set(asked.filter((sql) => /^\s*(SELECT|UPDATE|DELETE|INSERT)/.test(sql)));
    const steps = [...queries].flatMap((sql) => planOf(db, sql));

    expect(queries.size).toBeGreaterThan(20);
    expect(steps.filter((step) => /SCAN|TEMP B-TREE/.test(step))).toEqual([]);
  });

  test('every combination of filters is walks of what is filed and one of what is not, in order', () => {
    const { db } = openTampered(file());
    const on = { job: 'a', states: ['failed'], since: 1, until: 2 } as const;
    const names = ['job', 'states', 'since', 'until'] as const;
    const queries = Array.from({ length: 16 }, (_, bits) =>
      Object.fromEntries(
        names.filter((_name, i) => bits & (1 << i)).map((name) => [name, on[name]]),
      ),
    );

    const plans = queries.flatMap((query) =>
      ([undefined, 'schedule', 'manual'] as const).map((trigger) => {
        const filters = { ...query, ...(trigger && { trigger }), limit: 5 };
        return planOf(db, runQuery(filters).sql);
      }),
    );

    expect(plans).toHaveLength(48);
    for (const plan of plans) {
      const walks = plan.filter((step) => step.startsWith('SEARCH runs USING INDEX'));
      const others = plan.filter((step) => !walks.includes(step));
      expect(walks.at(-1)).toContain('USING INDEX runs_fresh ');
      expect(new Set(others)).toEqual(new Set(['MERGE (UNION ALL)', 'LEFT', 'RIGHT']));
    }
  });

  test.each<[Omit<RunQuery, 'limit'>, string]>([
    [{}, 'runs_at '],
    [{ job: 'a' }, 'runs_job '],
    [{ trigger: 'schedule' }, 'runs_kind (state=? AND trigger=? '],
    [{ trigger: 'manual' }, 'runs_kind (state=? AND trigger=? '],
    [{ states: ['failed'] }, 'runs_kind (state=? AND trigger=? '],
    [{ trigger: 'backfill', states: ['failed'] }, 'runs_kind (state=? AND trigger=? '],
    [{ job: 'a', states: ['failed'] }, 'runs_job_kind (job=? AND state=? AND trigger=? '],
    [{ job: 'a', trigger: 'manual' }, 'runs_job_kind (job=? AND state=? AND trigger=? '],
    [
      { job: 'a', trigger: 'manual', states: ['failed'] },
      'runs_job_kind (job=? AND state=? AND trigger=? ',
    ],
  ])('runs of %j are found by an index that leads to no others', (query, index) => {
    const { db } = openTampered(file());

    const plan = planOf(db, runQuery({ limit: 5, ...query }).sql);

    expect(plan.find((step) => step.startsWith('SEARCH'))).toContain(`USING INDEX ${index}`);
  });

  test('several states are as many walks, merged as they go', () => {
    const { db } = openTampered(file());
    const queries: RunQuery[] = [
      { limit: 5, states: ['failed', 'lost'] },
      { limit: 5, states: ['failed', 'lost', 'timed_out'], job: 'a', since: 1, until: 2 },
      { limit: 5, states: RUN_STATES, trigger: 'manual' },
    ];

    const plans = queries.map((query) => planOf(db, runQuery(query).sql));

    const searches = plans.map((plan) => plan.filter((step) => step.startsWith('SEARCH')));
    expect(searches.map((walks) => walks.length)).toEqual([7, 10, 11]);
    expect(new Set(searches.flat().filter((step) => !/USING INDEX/.test(step)))).toEqual(new Set());
    const others = plans.flat().filter((step) => !step.startsWith('SEARCH'));
    expect(new Set(others)).toEqual(new Set(['MERGE (UNION ALL)', 'LEFT', 'RIGHT']));
  });
});
