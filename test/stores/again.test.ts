import { describe, expect, test } from 'vitest';
import type { Commit, Committed, Loaded, Store } from '../../server/core/store.ts';
import { openMemoryStore } from '../../server/stores/memory.ts';
import { commit, jobRecord, run } from '../builders.ts';
import { testClock } from '../test-clock.ts';
import { file, openStore } from './sqlite-fixture.ts';

/** Stores that can read where they write ask who has lost to decide again, in the same moment. */

const NAME = 'nightly-report';

const stores: Readonly<Record<string, () => Store>> = {
  SQLite: () => openStore({ path: file() }),
  memory: () => openMemoryStore({ clock: testClock() }),
};

async function made(store: Store): Promise<string> {
  const result = await store.commit(commit(jobRecord()));
  if (result.kind !== 'ok') throw new Error(result.kind);
  return result.version;
}

/** One more for its streak, by the record that it is shown. */
const oneMore = ({ record, version, storeNow }: Loaded, change: Partial<Commit> = {}): Commit => {
  const { rev, streak } = record!;
  const next = jobRecord({ rev: rev + 1, streak: streak + 1 });
  return commit(next, { version, decidedAt: storeNow, ...change });
};

describe.each(Object.keys(stores))('%s', (name) => {
  const open = (): Store => stores[name]!();

  test('many that were decided by the same record all stand, each by the one before', async () => {
    const store = open();
    await made(store);
    const seen = await store.read(NAME);

    const results = await Promise.all(
      Array.from({ length: 16 }, (_, i) =>
        store.commit(oneMore(seen, { create: [run({ id: `a@${i}` })] }), (now) =>
          oneMore(now, { create: [run({ id: `a@${i}` })] }),
        ),
      ),
    );

    expect(results.map(({ kind }) => kind)).toEqual(Array(16).fill('ok'));
    expect((await store.read(NAME)).record?.streak).toBe(16);
    expect((await store.listRuns({ limit: 99 })).runs).toHaveLength(16);
    await store.close();
  });

  test('what stands is told: the first, or the one in its place', async () => {
    const store = open();
    const version = await made(store);
    const seen = await store.read(NAME);
    const first = oneMore(seen);
    const asked: Loaded[] = [];
    let instead: Commit | undefined;
    const again = (now: Loaded): Commit => {
      asked.push(now);
      return (instead = oneMore(now));
    };

    const one = await store.commit(first, again);
    expect(one).toMatchObject({ kind: 'ok' });
    expect(one).not.toHaveProperty('instead');
    expect(asked).toEqual([]);

    const two: Committed = await store.commit(first, again);
    expect(two.kind === 'ok' && two.instead).toBe(instead);
    expect(asked).toHaveLength(1);
    expect(asked[0]!.version).not.toBe(version);
    expect(asked[0]!.record?.streak).toBe(1);
    await store.close();
  });

  test('it may look at runs, and where it gives nothing, that is a conflict', async () => {
    const store = open();
    await made(store);
    const seen = await store.read(NAME);
    await store.commit(oneMore(seen, { create: [run({ id: 'a@1' })] }));
    const found: unknown[] = [];

    const result = await store.commit(oneMore(seen), (_now, runOf) => {
      found.push(runOf('a@1')?.id, runOf('a@2'));
      return undefined;
    });

    expect(result).toEqual({ kind: 'conflict' });
    expect(found).toEqual(['a@1', undefined]);
    expect((await store.read(NAME)).record?.streak).toBe(1);
    await store.close();
  });

  test('what it gives can itself be refused, and then leaves nothing', async () => {
    const store = open();
    await made(store);
    const seen = await store.read(NAME);
    await store.commit(oneMore(seen, { create: [run({ id: 'a@1' })] }));

    const result = await store.commit(oneMore(seen), (now) =>
      oneMore(now, { create: [run({ id: 'a@1' })] }),
    );

    expect(result).toEqual({ kind: 'exists', runIds: ['a@1'] });
    expect((await store.read(NAME)).record?.streak).toBe(1);
    await store.close();
  });
});
