import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import type { Run } from '../../server/core/records.ts';
import type { RunQuery, Store } from '../../server/core/store.ts';
import { commit, jobRecord, run } from '../builders.ts';
import { file, openStore } from './sqlite-fixture.ts';

/** New runs are put into the indexes of the lists many at a time; a list has them all the same. */

const STATES = ['succeeded', 'failed', 'running'] as const;
const TRIGGERS = ['schedule', 'manual'] as const;

/** Of one of two jobs, in every state and by every trigger, some at the very same time. */
const made = (i: number): Run =>
  run({
    id: `${i % 2 === 0 ? 'a' : 'b'}@${String(i).padStart(4, '0')}`,
    job: i % 2 === 0 ? 'a' : 'b',
    state: STATES[i % 3]!,
    trigger: TRIGGERS[i % 5 === 0 ? 1 : 0]!,
    at: 1000 + Math.floor(i / 3),
  });

async function create(store: Store, runs: readonly Run[]): Promise<void> {
  const { version, record } = await store.read('nightly-report');
  const next = jobRecord({ rev: (record?.rev ?? 0) + 1 });
  const result = await store.commit(commit(next, { version, create: runs }));
  if (result.kind !== 'ok') throw new Error(result.kind);
}

async function listed(store: Store, query: Omit<RunQuery, 'limit'>): Promise<string[]> {
  const found: string[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await store.listRuns({ limit: 7, ...query, ...(cursor && { cursor }) });
    found.push(...page.runs.map(({ id }) => id));
    ({ cursor } = page);
    if (cursor === undefined) return found;
  }
}

const filed = (path: string): Record<string, number> => {
  const db = new DatabaseSync(path, { readOnly: true });
  const rows = db.prepare('SELECT filed, count(*) AS n FROM runs GROUP BY filed').all();
  db.close();
  return Object.fromEntries(rows.map((row) => [String(row['filed']), Number(row['n'])]));
};

const queries: readonly Omit<RunQuery, 'limit'>[] = [
  {},
  { job: 'a' },
  { states: ['failed'] },
  { states: ['failed', 'running'] },
  { job: 'b', states: ['succeeded'] },
  { job: 'a', trigger: 'manual' },
  { trigger: 'manual' },
  { trigger: 'schedule' },
  { job: 'a', states: ['failed', 'succeeded'], trigger: 'schedule', since: 1010, until: 1080 },
];

const wanted = (all: readonly Run[], query: Omit<RunQuery, 'limit'>): string[] =>
  all
    .filter(({ job }) => query.job === undefined || job === query.job)
    .filter(({ state }) => query.states === undefined || query.states.includes(state))
    .filter(({ trigger }) => query.trigger === undefined || trigger === query.trigger)
    .filter(({ at }) => at > (query.since ?? -Infinity) && at <= (query.until ?? Infinity))
    .toSorted((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1))
    .map(({ id }) => id);

test('each list has each run once and in order, whether it is filed or not', async () => {
  const path = file();
  const store = openStore({ path });
  const all = Array.from({ length: 300 }, (_, i) => made(i));
  for (let i = 0; i < all.length; i += 1) {
    await create(store, all.slice(i, i + 1));
    if (i % 60 !== 59) continue;
    for (const query of queries) {
      expect(await listed(store, query)).toEqual(wanted(all.slice(0, i + 1), query));
    }
  }

  const found = filed(path);
  expect(found['1']).toBeGreaterThan(100);
  expect(found['0']).toBeGreaterThan(0);
  expect(found['0']).toBeLessThan(200);
});

test('a run that changes is found where it belongs, before it is filed and after', async () => {
  const path = file();
  const store = openStore({ path });
  await create(store, [made(0), made(1), made(2)]);
  const finish = async (id: string) => {
    const { version, record } = await store.read('nightly-report');
    const next = jobRecord({ rev: record!.rev + 1 });
    const update = [{ id, set: { state: 'cancelled', at: 5000 } as const }];
    expect(await store.commit(commit(next, { version, update }))).toMatchObject({ kind: 'ok' });
  };
  await finish('a@0002');
  expect(await listed(store, { states: ['cancelled'] })).toEqual(['a@0002']);
  expect(await listed(store, { states: ['running'] })).toEqual([]);

  const more = Array.from({ length: 200 }, (_, i) => made(1000 + i));
  for (const one of more) await create(store, [one]);
  expect(filed(path)['1']).toBeGreaterThan(3);
  await finish('a@0000');
  expect(await listed(store, { states: ['cancelled'] })).toEqual(['a@0002', 'a@0000']);
});

test('two processes file beside each other, and what an earlier version wrote is found', async () => {
  const path = file();
  const one = openStore({ path });
  const other = openStore({ path });
  const all = Array.from({ length: 400 }, (_, i) => made(i));
  for (const [i, run] of all.entries()) await create(i % 2 === 0 ? one : other, [run]);
  const db = new DatabaseSync(path);
  const old = made(7000);
  db.prepare('INSERT INTO runs (id, job, state, trigger, at, doc) VALUES (?, ?, ?, ?, ?, ?)').run(
    old.id,
    old.job,
    old.state,
    old.trigger,
    old.at,
    JSON.stringify(old),
  );
  db.close();

  for (const store of [one, other, openStore({ path })]) {
    for (const query of queries) {
      expect(await listed(store, query)).toEqual(wanted([...all, old], query));
    }
  }
  expect(filed(path)['0']).toBeLessThan(300);
});
