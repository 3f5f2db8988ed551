import { expect, test } from 'vitest';
import type { ActionRecord } from '../server/core/records.ts';
import type { ActionQuery, Store } from '../server/core/store.ts';
import { action, commit, jobRecord } from './builders.ts';
import { committed, create, type Opened } from './store-contract-due.ts';

/** What `Store` promises about lists of actions, and of jobs that changed. */

/** 14 actions of two jobs and of none, two at every instant. */
const MANY: readonly ActionRecord[] = Array.from({ length: 14 }, (_, i) =>
  action({
    id: `a${String(i).padStart(2, '0')}`,
    at: 1000 + Math.floor(i / 2),
    job: ['nightly-report', 'other', null][i % 3] ?? null,
  }),
);

async function pagesOf(store: Store, by: Omit<ActionQuery, 'limit'>): Promise<string[]> {
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.listActions({ ...by, limit: 3, ...(cursor && { cursor }) });
    expect(page.actions.length).toBeLessThanOrEqual(3);
    seen.push(...page.actions.map(({ id }) => id));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return seen;
}

export function actionsContract(get: () => Store): void {
  test('each is listed once, newest first, over pages; one recorded twice is one', async () => {
    for (const one of [...MANY, ...MANY.slice(0, 2)]) await get().recordAction(one);

    const seen = await pagesOf(get(), {});

    expect(seen).toEqual(MANY.map(({ id }) => id).toReversed());
  });

  test('those of one job are listed without the others', async () => {
    for (const one of MANY) await get().recordAction(one);

    const [own, nobodys] = [
      await pagesOf(get(), { job: 'other' }),
      await pagesOf(get(), { job: 'nobody' }),
    ];

    const expected = MANY.filter(({ job }) => job === 'other').map(({ id }) => id);
    expect(own).toEqual(expected.toReversed());
    expect(nobodys).toEqual([]);
  });

  test('what stood before and after comes back as it was', async () => {
    const change = { before: 'active', after: 'paused until resumed: "žluť"' };
    await get().recordAction(action({ id: 'a', ...change }));
    await get().recordAction(action({ id: 'b', at: 1, before: null, after: 'waiting' }));
    await get().recordAction(action({ id: 'c', at: 0 }));

    const { actions } = await get().listActions({ limit: 3 });

    expect(actions).toEqual([
      action({ id: 'a', ...change }),
      action({ id: 'b', at: 1, before: null, after: 'waiting' }),
      action({ id: 'c', at: 0 }),
    ]);
  });

  test('the last page has no cursor, even when it is full', async () => {
    for (const one of MANY.slice(0, 3)) await get().recordAction(one);

    expect((await get().listActions({ limit: 3 })).cursor).toBeUndefined();
  });

  test('a forged cursor, and one of another listing, are refused', async () => {
    for (const one of MANY) await get().recordAction(one);
    const { cursor = '' } = await get().listActions({ limit: 2, job: 'other' });

    for (const bad of ['forged', `${cursor.slice(0, 8)}AAAA${cursor.slice(12)}`]) {
      const listed = get().listActions({ limit: 2, job: 'other', cursor: bad });
      await expect(listed).rejects.toMatchObject({ name: 'BadCursor' });
    }
    await expect(get().listActions({ limit: 2, cursor })).rejects.toMatchObject({
      name: 'BadCursor',
    });
  });
}

export function changedContract(get: () => Opened): void {
  const changed = async (changedSince: number): Promise<string[]> => {
    const jobs = await get().store.listJobs({ limit: 50, changedSince });
    return jobs.map(({ name }) => name).toSorted();
  };

  test('those written since are found: made, committed anew and set aside', async () => {
    const { store, pass } = get();
    const [again, aside] = [
      await create(store, { name: 'again' }),
      await create(store, { name: 'aside' }),
    ];
    await create(store, { name: 'before' });
    await pass(50);
    const { storeNow: since } = await store.time();
    await pass(1500);

    await create(store, { name: 'made' });
    await committed(store, commit(jobRecord({ name: 'again', rev: 2 }), { version: again }));
    await store.quarantine({ name: 'aside', version: aside, until: 5, problem: 'odd' });

    expect(await changed(since)).toEqual(['again', 'aside', 'made']);
    expect(await changed((await store.time()).storeNow + 60_000)).toEqual([]);
    expect(await changed(-1)).toHaveLength(4);
  });

  test('no more are given than are asked for', async () => {
    const { store } = get();
    for (const name of ['a', 'b', 'c']) await create(store, { name });

    expect(await store.listJobs({ limit: 2, changedSince: 0 })).toHaveLength(2);
  });
}
