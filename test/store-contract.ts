import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Version } from '../server/core/store.ts';
import { STAMP } from '../server/core/time.ts';
import { action, commit, jobRecord, lease, logChunk, run } from './builders.ts';
import {
  committed,
  create,
  dueContract,
  olderContract,
  problemContract,
  storedRun,
} from './store-contract-due.ts';
import type { Opened } from './store-contract-due.ts';
import { historyContract } from './store-contract-history.ts';
import { actionsContract, changedContract } from './store-contract-listing.ts';

export type { Opened };

/** A store that others can reach, too. */
type Shared = Opened & Required<Pick<Opened, 'reopen' | 'damage'>>;

/** Every promise of `Store`, for whichever store `open` opens. */
export function storeContract(name: string, open: () => Promise<Opened>): void {
  describe(`${name}`, () => {
    let opened: Opened;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.store.close());
    const get = (): Opened => opened;

    describe('a commit', () => {
      commitContract(get);
    });
    describe('writers at once', () => {
      racingContract(get);
    });
    describe('what is due', () => {
      dueContract(get);
    });
    describe('a record that cannot be used', () => {
      problemContract(get);
    });
    describe('store time', () => {
      timeContract(get);
    });
    describe('small things kept', () => {
      smallContract(get);
    });
    describe('actions', () => {
      actionsContract(() => opened.store);
    });
    describe('jobs that changed', () => {
      changedContract(get);
    });
    describe('history', () => {
      historyContract(() => opened.store);
    });
  });
}

/** What holds besides for a store that others can reach, too. */
export function sharedStoreContract(name: string, open: () => Promise<Shared>): void {
  describe(`${name}, shared`, () => {
    let opened: Shared;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.store.close());
    const get = (): Shared => opened;

    test('what one handle committed, another reads', async () => {
      const { store, reopen } = get();
      const version = await create(store, { streak: 4 });

      const other = await reopen();

      expect(await other.read('nightly-report')).toMatchObject({ version, record: { streak: 4 } });
      await other.close();
    });

    olderContract(get);

    test('a damaged record comes with its problem and hides no other job', async () => {
      const { store, damage } = get();
      for (const name of ['bad', 'good']) await create(store, { name, nextActionAt: 1000 });
      const { watermark: _gone, ...rest } = jobRecord({ name: 'bad', nextActionAt: 1000 });
      await damage('bad', rest);

      const { items } = await store.due({ limit: 10, aheadMs: 0 });
      const listed = await store.listJobs({ limit: 10 });
      const read = await store.read('bad');

      expect(items.map(({ problem }) => problem)).toEqual([
        'field watermark is missing',
        undefined,
      ]);
      expect(listed.map(({ record }) => record?.name)).toEqual([undefined, 'good']);
      expect(read).toMatchObject({ record: undefined, problem: 'field watermark is missing' });
      const until = (await store.time()).storeNow + 1e6;
      const aside = { name: 'bad', version: read.version!, until, problem: read.problem! };
      expect(await store.quarantine(aside)).toBe(true);
    });
  });
}

const between =
  (low: number, high: number) =>
  (value: number): boolean =>
    value >= low && value <= high;

function commitContract(get: () => Opened): void {
  test('a job that is not there reads as nothing', async () => {
    const loaded = await get().store.read('nobody');

    expect(loaded).toMatchObject({ name: 'nobody', unsteady: null });
    expect([loaded.version, loaded.record, loaded.problem]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('a record comes back as it was committed, under the version of the commit', async () => {
    const { store } = get();
    const record = jobRecord({ active: { a1: lease() }, counters: { succeeded: 2 }, streak: -3 });

    const version = await committed(store, commit(record));

    expect(await store.read(record.name)).toMatchObject({ record, version, problem: undefined });
  });

  test('a job that must not exist is created once', async () => {
    const { store } = get();
    await create(store, { streak: 1 });

    const again = await store.commit(commit(jobRecord({ streak: 2 })));

    expect(again).toEqual({ kind: 'conflict' });
    expect((await store.read('nightly-report')).record?.streak).toBe(1);
  });

  test('a commit under an older version changes nothing', async () => {
    const { store } = get();
    const first = await create(store);
    await committed(store, commit(jobRecord({ rev: 2, streak: 1 }), { version: first }));

    const late = await store.commit(
      commit(jobRecord({ rev: 2, streak: 9 }), { version: first, create: [run()] }),
    );

    expect(late).toEqual({ kind: 'conflict' });
    expect((await store.read('nightly-report')).record?.streak).toBe(1);
    expect(await store.getRun(run().id)).toBeUndefined();
  });

  test('a commit that changes nothing still makes the version before it old', async () => {
    const { store } = get();
    const first = await create(store);
    const second = await committed(store, commit(jobRecord(), { version: first }));

    const late = await store.commit(commit(jobRecord(), { version: first }));

    expect(second).not.toBe(first);
    expect(late.kind).toBe('conflict');
  });

  test('a version that no store gave, or of a job that is not there, is a conflict', async () => {
    const { store } = get();
    const version = await create(store);

    const forged = await store.commit(commit(jobRecord(), { version: 'forged' }));
    const elsewhere = await store.commit(commit(jobRecord({ name: 'other' }), { version }));

    expect([forged.kind, elsewhere.kind]).toEqual(['conflict', 'conflict']);
  });

  test('a commit decided later than the clock of the store shows is a conflict', async () => {
    const { store } = get();
    const version = await create(store);
    const { storeNow } = await store.time();
    const later = { version, decidedAt: storeNow + 60_000, create: [run()] };

    const result = await store.commit(commit(jobRecord({ rev: 2, streak: 9 }), later));

    expect(result).toEqual({ kind: 'conflict' });
    expect(await store.read('nightly-report')).toMatchObject({ version, record: { streak: 0 } });
    expect(await store.getRun(run().id)).toBeUndefined();
  });

  test('a run that exists undoes the whole commit and is named', async () => {
    const { store } = get();
    const version = await committed(store, commit(jobRecord(), { create: [run({ id: 'a@1' })] }));

    const result = await store.commit(
      commit(jobRecord({ rev: 2, streak: 5 }), {
        version,
        create: [run({ id: 'a@0' }), run({ id: 'a@1', build: 'other' }), run({ id: 'a@2' })],
        actions: [action()],
      }),
    );

    expect(result).toEqual({ kind: 'exists', runIds: ['a@1'] });
    expect(await store.read('nightly-report')).toMatchObject({ version, record: { streak: 0 } });
    expect(await store.getRun('a@0')).toBeUndefined();
    expect((await store.getRun('a@1'))?.build).toBe('build-1');
    expect((await store.listActions({ limit: 10 })).actions).toEqual([]);
  });

  test('a run that is missing undoes the whole commit and is named', async () => {
    const { store } = get();
    const version = await committed(store, commit(jobRecord(), { create: [run({ id: 'a@1' })] }));

    const result = await store.commit(
      commit(jobRecord({ rev: 2 }), {
        version,
        create: [run({ id: 'a@2' })],
        update: [
          { id: 'a@1', set: { state: 'failed' } },
          { id: 'a@9', set: { state: 'failed' } },
        ],
      }),
    );

    expect(result).toEqual({ kind: 'missing', runIds: ['a@9'] });
    expect((await store.read('nightly-report')).version).toBe(version);
    expect((await store.getRun('a@1'))?.state).toBe('running');
    expect(await store.getRun('a@2')).toBeUndefined();
  });

  test('all parts of a commit are there after it', async () => {
    const { store } = get();
    const spec = { job: 'nightly-report', schedule: null, timeZone: 'UTC', from: 5, build: 'b' };
    const specs = [{ ...spec, zoneData: '2026a' }];

    await committed(
      store,
      commit(jobRecord(), { create: [run()], specs, logs: [logChunk()], actions: [action()] }),
    );

    expect(await storedRun(store, run().id)).toEqual(run());
    expect(await store.listSpecs('nightly-report')).toEqual(specs);
    expect(await store.readLog(run().id, 0, 10)).toEqual([logChunk()]);
    expect((await store.listActions({ limit: 10 })).actions).toEqual([action()]);
  });

  test('every stamp is the time of the commit, and text that looks like one is left', async () => {
    const { store, stampLagMs = 0 } = get();
    const active = { a1: lease({ startedAt: STAMP, renewedAt: STAMP, owner: '-1' }) };
    const attempt = { n: 1, fence: 1, attemptId: 'a1', owner: 'x', outcome: null, error: null };
    const attempts = [{ ...attempt, startedAt: STAMP, endedAt: null }];
    const made = run({ createdAt: STAMP, startedAt: STAMP, attempts, input: '-1', output: '-1' });
    const notes = [{ at: STAMP, text: '-1' }];

    const first = await store.commit(commit(jobRecord({ active }), { create: [made] }));
    if (first.kind !== 'ok') throw new Error(first.kind);
    const update = [{ id: made.id, set: { endedAt: STAMP, notes } }];
    const second = await store.commit(commit(jobRecord(), { version: first.version, update }));
    if (second.kind !== 'ok') throw new Error(second.kind);

    const stored = (await store.getRun(made.id))!;
    const { createdAt, endedAt } = stored;
    expect(stored).toMatchObject({
      startedAt: createdAt,
      attempts: [{ startedAt: createdAt, endedAt: null }],
      notes: [{ at: endedAt, text: '-1' }],
      input: '-1',
      output: '-1',
    });
    expect(first.storeNow - createdAt).toSatisfy(between(0, stampLagMs));
    expect(second.storeNow - endedAt!).toSatisfy(between(0, stampLagMs));
  });

  test('a beat is stamped in the record', async () => {
    const { store, stampLagMs = 0 } = get();
    const active = { a1: lease({ renewedAt: STAMP, startedAt: 7 }) };

    const result = await store.commit(commit(jobRecord({ active })));

    if (result.kind !== 'ok') throw new Error(result.kind);
    const loaded = (await store.read('nightly-report')).record?.active['a1'];
    expect(result.storeNow - loaded!.renewedAt).toSatisfy(between(0, stampLagMs));
    expect(loaded?.startedAt).toBe(7);
  });
}

function racingContract(get: () => Opened): void {
  test.for([2, 16])('of %i writers exactly one wins each version', async (writers) => {
    const { store, reopen } = get();
    const other = reopen === undefined ? store : await reopen();
    let version = await create(store);

    for (let round = 2; round < 7; round += 1) {
      const results = await Promise.all(
        Array.from({ length: writers }, (_, i) => {
          const record = jobRecord({ rev: round, build: `${i}` });
          const fresh = [run({ id: `a@${round}-${i}` })];
          return (i % 2 === 0 ? store : other).commit(commit(record, { version, create: fresh }));
        }),
      );

      const winners = results.flatMap((result, i) => (result.kind === 'ok' ? [i] : []));
      expect(winners).toHaveLength(1);
      const loaded = await store.read('nightly-report');
      expect(loaded.record?.build).toBe(`${winners[0]}`);
      version = loaded.version!;
    }
    expect((await store.listRuns({ limit: 100 })).runs).toHaveLength(5);
    if (other !== store) await other.close();
  });
}

function timeContract(get: () => Opened): void {
  test('it never goes back, from one call to the next, and covers every stamp', async () => {
    const { store } = get();
    const seen: number[] = [];
    let version: Version | undefined;
    for (let i = 1; i < 6; i += 1) {
      seen.push((await store.time()).storeNow, (await store.read('nightly-report')).storeNow);
      const active = { a1: lease({ renewedAt: STAMP }) };
      const result = await store.commit(commit(jobRecord({ rev: i, active }), { version }));
      if (result.kind !== 'ok') throw new Error(result.kind);
      version = result.version;
      const loaded = await store.read('nightly-report');
      expect(loaded.record!.active['a1']!.renewedAt).toBeLessThanOrEqual(result.storeNow);
      seen.push(result.storeNow, loaded.storeNow);
      seen.push((await store.due({ limit: 1, aheadMs: 0 })).storeNow);
    }

    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });

  test('a clock that nobody touched is steady', async () => {
    expect(await get().store.time()).toMatchObject({ unsteady: null });
  });
}

function smallContract(get: () => Opened): void {
  test('a document is written only under the version that was read', async () => {
    const { store } = get();
    expect(await store.readMeta('registry')).toBeUndefined();

    const made = await store.writeMeta('registry', { a: 1 }, undefined);
    const twice = await store.writeMeta('registry', { a: 2 }, undefined);
    const { version, value } = (await store.readMeta('registry'))!;
    const next = await store.writeMeta('registry', { a: 3 }, version);
    const late = await store.writeMeta('registry', { a: 4 }, version);

    expect([made, twice, next, late]).toEqual([true, false, true, false]);
    expect(value).toEqual({ a: 1 });
    expect((await store.readMeta('registry'))?.value).toEqual({ a: 3 });
  });

  test("a job's schedules are listed oldest first, without another job's", async () => {
    const { store } = get();
    const spec = { schedule: '* * * * *', timeZone: 'UTC', build: 'b', zoneData: '2026a' };
    const specs = [30, 10, 20].map((from) => ({ ...spec, job: 'nightly-report', from }));
    await committed(store, commit(jobRecord(), { specs }));
    await committed(
      store,
      commit(jobRecord({ name: 'other' }), { specs: [{ ...spec, job: 'other', from: 15 }] }),
    );

    const listed = await store.listSpecs('nightly-report');

    expect(listed.map(({ from }) => from)).toEqual([10, 20, 30]);
  });

  test('log chunks are kept once each, in order, and dropped below keepFrom', async () => {
    const { store } = get();
    for (const n of [0, 2, 1, 1]) await store.appendLog(logChunk({ n, first: n * 10 }));

    const all = await store.readLog(run().id, 0, 10);
    const some = await store.readLog(run().id, 1, 1);
    await store.appendLog(logChunk({ n: 3, keepFrom: 2 }));
    const kept = await store.readLog(run().id, 0, 10);

    expect(all.map(({ n }) => n)).toEqual([0, 1, 2]);
    expect(some.map(({ n }) => n)).toEqual([1]);
    expect(kept.map(({ n }) => n)).toEqual([2, 3]);
    expect(await store.readLog('another', 0, 10)).toEqual([]);
  });

  test('the newest log chunks of a stretch are found, in order', async () => {
    const { store } = get();
    for (const n of [0, 1, 2, 3, 1_000_000]) await store.appendLog(logChunk({ n, first: n * 10 }));
    const end = async (from: number, before: number, limit: number) =>
      (await store.readLogEnd(run().id, { from, before, limit })).map(({ n }) => n);

    expect(await end(0, Number.MAX_SAFE_INTEGER, 2)).toEqual([3, 1_000_000]);
    expect(await end(0, 3, 2)).toEqual([1, 2]);
    expect(await end(2, 1_000_000, 10)).toEqual([2, 3]);
    expect(await end(0, 0, 10)).toEqual([]);
    expect(await store.readLogEnd('another', { from: 0, before: 9, limit: 9 })).toEqual([]);
  });
}
