import { expect, test } from 'vitest';
import type { JobRecord, Run } from '../server/core/records.ts';
import type { Commit, Store, Version } from '../server/core/store.ts';
import { commit, jobRecord } from './builders.ts';

/** What `Store` promises about finding what is due. Part of `store-contract.ts`. */

/** A new, empty store, and what only some stores can offer a test. */
export interface Opened {
  readonly store: Store;
  /** Lets time go by on the store's clock. */
  readonly pass: (ms: number) => Promise<void>;
  /** The same data through another handle, as in another process. */
  readonly reopen?: () => Promise<Store>;
  /** Puts a value in the place of a stored job record, as somebody editing by hand would. */
  readonly damage?: (name: string, record: unknown) => Promise<void>;
  /** A server may stamp what it writes a moment before the time that it gives to the commit. */
  readonly stampLagMs?: number;
}

/** The run as stored, but for what it cost: that is not the same in each store. */
export async function storedRun(store: Store, id: string): Promise<Run | undefined> {
  const run = await store.getRun(id);
  return run && { ...run, cost: null };
}

/** Commits, and gives the version; any other outcome fails the test. */
export async function committed(store: Store, what: Commit): Promise<Version> {
  const result = await store.commit(what);
  if (result.kind !== 'ok') throw new Error(`the commit came to ${result.kind}`);
  return result.version;
}

export const create = (store: Store, change: Partial<JobRecord> = {}): Promise<Version> =>
  committed(store, commit(jobRecord(change)));

export function dueContract(get: () => Opened): void {
  const namesOf = (page: { items: readonly { name: string }[] }) => page.items.map((i) => i.name);

  test('jobs come soonest first, those of the future and those with nothing to do not', async () => {
    const { store } = get();
    const { storeNow: now } = await store.time();
    const at = { b: now - 2000, a: now - 1000, c: now - 3000, soon: now + 60_000, far: now + 1e10 };
    for (const [name, nextActionAt] of Object.entries(at))
      await create(store, { name, nextActionAt });
    await create(store, { name: 'idle', nextActionAt: null });

    const due = await store.due({ limit: 10, aheadMs: 0 });
    const ahead = await store.due({ limit: 10, aheadMs: 120_000 });

    expect(namesOf(due)).toEqual(['c', 'b', 'a']);
    expect(due.cursor).toBeUndefined();
    expect(namesOf(ahead)).toEqual(['c', 'b', 'a', 'soon']);
  });

  test('pages join without a gap, also where many jobs fall due at one instant', async () => {
    const { store } = get();
    const names = Array.from({ length: 7 }, (_, i) => `job-${i}`);
    for (const name of names) await create(store, { name, nextActionAt: 1000 });

    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.due({ limit: 3, aheadMs: 0, ...(cursor && { cursor }) });
      expect(page.items.length).toBeLessThanOrEqual(3);
      seen.push(...namesOf(page));
      cursor = page.cursor;
    } while (cursor !== undefined);

    expect(seen).toEqual(names);
  });

  test('a due job comes with its record and version', async () => {
    const { store } = get();
    const record = jobRecord({ nextActionAt: 1000 });
    const version = await committed(store, commit(record));

    const { items } = await store.due({ limit: 10, aheadMs: 0 });

    expect(items).toEqual([
      { name: record.name, version, record, problem: undefined, setAside: undefined },
    ]);
  });

  test('a forged cursor is refused', async () => {
    const due = get().store.due({ limit: 10, aheadMs: 0, cursor: 'forged' });

    await expect(due).rejects.toMatchObject({ name: 'BadCursor' });
  });

  test('the soonest action after an instant is found, strictly after it', async () => {
    const { store } = get();
    await create(store, { name: 'a', nextActionAt: 3000 });
    await create(store, { name: 'b', nextActionAt: 2000 });
    await create(store, { name: 'c', nextActionAt: null });

    const found = await Promise.all([1000, 2000, 3000].map((at) => store.nextActionAfter(at)));

    expect(found).toEqual([2000, 3000, null]);
  });

  test('jobs are listed by name, after a name, up to a limit', async () => {
    const { store } = get();
    for (const name of ['c', 'a', 'd', 'b']) await create(store, { name });

    const all = await store.listJobs({ limit: 10 });
    const some = await store.listJobs({ limit: 2, after: 'a' });

    expect(all.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
    expect(some.map(({ name }) => name)).toEqual(['b', 'c']);
    expect(await store.listJobs({ limit: 0 })).toEqual([]);
  });
}

export function problemContract(get: () => Opened): void {
  test('a quarantined job is due at its end, and its version is new', async () => {
    const { store } = get();
    const { storeNow } = await store.time();
    const version = await create(store, { nextActionAt: 1000 });
    const order = { name: 'nightly-report', version, problem: 'field fence is missing' };

    const done = await store.quarantine({ ...order, until: storeNow + 300_000 });
    const again = await store.quarantine({ ...order, until: storeNow });

    expect([done, again]).toEqual([true, false]);
    expect((await store.due({ limit: 9, aheadMs: 0 })).items).toEqual([]);
    expect((await store.due({ limit: 9, aheadMs: 300_000 })).items).toHaveLength(1);
    const stale = await store.commit(commit(jobRecord({ rev: 2 }), { version }));
    expect(stale.kind).toBe('conflict');
  });

  test('a job can be committed after its quarantine', async () => {
    const { store } = get();
    const version = await create(store);
    await store.quarantine({ name: 'nightly-report', version, until: 5, problem: 'broken' });
    const loaded = await store.read('nightly-report');
    expect(loaded.setAside).toBe('broken');

    const record = jobRecord({ rev: loaded.record!.rev + 1, streak: 2 });
    await committed(store, commit(record, { version: loaded.version }));

    const healed = await store.read('nightly-report');
    expect(healed).toMatchObject({ record, problem: undefined, setAside: undefined });
    expect(healed.version).not.toBe(loaded.version);
  });
}

/** What an earlier version wrote has not every field of today. */
export function olderContract(get: () => Opened): void {
  test('a record of before outcomes were counted by day is whole', async () => {
    const { store, damage } = get();
    await create(store);
    const { days: _unknown, ...older } = jobRecord({ streak: 4 });
    await damage?.('nightly-report', older);

    const { record, problem } = await store.read('nightly-report');

    expect([record?.streak, record?.days, problem]).toEqual([4, undefined, undefined]);
  });
}
