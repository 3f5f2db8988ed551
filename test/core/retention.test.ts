import { describe, expect, onTestFinished, test } from 'vitest';
import { breathe, gently } from '../../server/core/breathe.ts';
import type { ApplyDeps } from '../../server/core/deps.ts';
import type { Run } from '../../server/core/records.ts';
import { jobNames, pruneJobs, type Retention } from '../../server/core/retention.ts';
import type { Store } from '../../server/core/store.ts';
import { timing, type Clock, type Instant } from '../../server/core/time.ts';
import { openMemoryStore } from '../../server/stores/memory.ts';
import { commit, jobRecord, run } from '../builders.ts';
import { pruneJob } from '../prune-job.ts';
import { testClock } from '../test-clock.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW: Instant = Date.UTC(2026, 2, 1);
const quiet = new AbortController().signal;
const ago = (days: number): Instant => NOW - days * DAY;

/** A run that ended well, a second after it fell due. */
const past = (job: string, at: Instant, change: Partial<Run> = {}): Run =>
  run({ id: `${job}@${at}`, job, at, state: 'succeeded', endedAt: at + 1000, ...change });

async function stored(jobs: Readonly<Record<string, readonly Run[]>>) {
  const store = openMemoryStore({ clock: testClock(NOW) });
  onTestFinished(() => store.close());
  for (const [name, create] of Object.entries(jobs)) {
    await store.commit(
      commit(jobRecord({ name, watermark: NOW, ledgerFrom: ago(99) }), { create }),
    );
  }
  return store;
}

/** Hears of each call that deletes, before it does. */
function onDelete(store: Store, heard: (ids: readonly string[]) => void | Promise<void>): void {
  const deleteRuns = store.deleteRuns.bind(store);
  store.deleteRuns = async (ids) => {
    await heard(ids);
    await deleteRuns(ids);
  };
}

/** What is deleted from here on, by call. */
function bitesOf(store: Store): readonly (readonly string[])[] {
  const bites: (readonly string[])[] = [];
  onDelete(store, (ids) => void bites.push(ids));
  return bites;
}

const depsOf = (store: Store, clock: Clock = testClock(NOW)): ApplyDeps => ({
  store,
  clock,
  random: () => 0.5,
  newId: () => 'id',
  timing: timing({ leaseMs: 90_000, tickMs: 60_000 }),
  build: 'build-1',
  namespace: 'default',
  upSince: () => null,
});

const prune = async (store: Store, retention: Partial<Retention>, jobs = ['a', 'b']) =>
  await pruneJobs(depsOf(store), jobs, {
    retention: { maxAgeMs: 9999 * DAY, maxRuns: 1e9, ...retention },
    signal: quiet,
    progress: () => undefined,
  });

/** One each hour, the newest first, of so many days ago and before. */
const hourly = (job: string, from: number, count: number): Run[] =>
  Array.from({ length: count }, (_, i) => past(job, ago(from) - i * HOUR));

const left = async (store: Store): Promise<string[]> =>
  (await store.listRuns({ limit: 1000 })).runs.map(({ id }) => id);

describe('what is deleted', () => {
  test('of several jobs goes in the order of time, some of each at once', async () => {
    const store = await stored({ a: hourly('a', 5, 50), b: hourly('b', 5.01, 50) });
    const bites = bitesOf(store);

    const deleted = await prune(store, { maxAgeMs: 2 * DAY });

    expect(Object.fromEntries(deleted)).toEqual({ a: 50, b: 50 });
    const jobs = bites.map((ids) => [...new Set(ids.map((id) => id[0]))].join());
    expect(jobs).toEqual(['b', 'a', 'b', 'a', 'b,a']);
    const ofB = bites.flat().filter((id) => id.startsWith('b'));
    expect(ofB).toEqual(ofB.toSorted());
    expect(await left(store)).toEqual([]);
  });

  test('goes in small bites, and no more of them follow once it is to end', async () => {
    const store = await stored({ a: hourly('a', 5, 100) });
    const bites = bitesOf(store);
    const end = new AbortController();
    onDelete(store, () => {
      if (bites.length === 1) end.abort(new Error('enough'));
    });

    const pruning = pruneJob(depsOf(store), 'a', { maxAgeMs: DAY, maxRuns: 1e9 }, end.signal);

    await expect(pruning).rejects.toThrow('enough');
    expect(bites.map(({ length }) => length)).toEqual([20, 20]);
    expect(await left(store)).toHaveLength(60);
  });

  test('is more than one page, though all of the first has to stay', async () => {
    const young = { trigger: 'backfill', createdAt: NOW - HOUR, endedAt: NOW - HOUR } as const;
    const backfilled = hourly('a', 5, 230).map((one) => ({ ...one, ...young }));
    const store = await stored({ a: [...backfilled, ...hourly('a', 50, 30)] });

    const deleted = await prune(store, { maxAgeMs: 2 * DAY });

    expect(deleted.get('a')).toBe(30);
    expect(await left(store)).toEqual(backfilled.map(({ id }) => id));
  });

  test('by count is all beyond the newest, however many they are', async () => {
    const runs = Array.from({ length: 4100 }, (_, i) => past('a', ago(3) - i * 1000));
    const store = await stored({ a: runs, b: hourly('b', 3, 4) });

    const deleted = await prune(store, { maxRuns: 4090 });

    expect(Object.fromEntries(deleted)).toEqual({ a: 10 });
    const { runs: oldest } = await store.listRuns({ job: 'a', skip: 4089, limit: 2 });
    expect(oldest.map(({ id }) => id)).toEqual([runs[4089]?.id]);
  });

  test('is nothing of a job that another namespace looks after', async () => {
    const store = await stored({ b: hourly('b', 5, 30) });
    const record = jobRecord({ name: 'a', namespace: 'other', watermark: NOW });
    await store.commit(commit(record, { create: hourly('a', 5, 30) }));

    const deleted = await prune(store, { maxAgeMs: 2 * DAY });

    expect(Object.fromEntries(deleted)).toEqual({ b: 30 });
    expect(await left(store)).toHaveLength(30);
  });

  test('is on record as forgotten before it goes', async () => {
    const store = await stored({ a: hourly('a', 5, 30), b: hourly('b', 1, 3) });
    const ledger = async (job: string) => (await store.read(job)).record?.ledgerFrom;
    const forgotten: unknown[] = [];
    onDelete(store, async () => void forgotten.push(await ledger('a')));

    await prune(store, { maxAgeMs: 2 * DAY });

    expect(forgotten).toEqual([ago(2), ago(2)]);
    expect(await ledger('b')).toBe(ago(99));
  });
});

describe('others, meanwhile,', () => {
  /** Goes on by so much with whatever is asked of the store, and notes how long is slept. */
  function slow(store: Store, tookMs: number) {
    const slept: number[] = [];
    let now = 0;
    const clock: Clock = {
      ...testClock(NOW),
      monotonic: () => now,
      after(ms, call) {
        slept.push(ms);
        setImmediate(call);
        return () => undefined;
      },
    };
    onDelete(store, () => void (now += tookMs));
    return { clock, slept };
  }
  const everything = {
    retention: { maxAgeMs: DAY, maxRuns: 1e9 },
    signal: quiet,
    progress: () => undefined,
  };

  test('have the process for three times as long as each bite took', async () => {
    const store = await stored({ a: hourly('a', 5, 60) });
    const { clock, slept } = slow(store, 7);

    await pruneJobs(depsOf(store, clock), ['a'], everything);

    expect(slept).toEqual([21, 21, 21]);
  });

  test('have it for a fifth of a second at most, or it would never end', async () => {
    const store = await stored({ a: hourly('a', 5, 40) });
    const { clock, slept } = slow(store, 5000);

    await pruneJobs(depsOf(store, clock), ['a'], everything);

    expect(slept).toEqual([200, 200]);
  });

  test('have nothing to wait for where each call is billed: it takes few, without a rest', async () => {
    const store = await stored({ a: hourly('a', 5, 450) });
    const bites = bitesOf(store);
    const { clock, slept } = slow(store, 7);
    const billed = Object.assign(store, { costs: () => new Map() });

    await pruneJobs(depsOf(billed, clock), ['a'], everything);

    expect(bites.map(({ length }) => length)).toEqual([200, 200, 50]);
    expect(slept).toEqual([]);
  });

  test('have their turn though nothing is to be deleted', async () => {
    const names = Array.from({ length: 120 }, (_, i) => `job-${String(i).padStart(3, '0')}`);
    const store = await stored(Object.fromEntries(names.map((name) => [name, []])));
    let [turns, over] = [0, false];
    const count = (): void => {
      turns += 1;
      if (!over) setImmediate(count);
    };
    count();

    const found = await jobNames(depsOf(store));
    await pruneJobs(depsOf(store), found, everything);
    over = true;

    expect(found).toEqual(names);
    expect(turns).toBeGreaterThan(120);
  });

  test('have their turn after a part of no time, too', async () => {
    const clock = testClock(NOW);
    let theirs = false;
    setImmediate(() => (theirs = true));

    const result = await gently(clock, () => Promise.resolve('done'));

    expect([result, theirs]).toEqual(['done', true]);
    await breathe();
  });
});

test('a job is counted as looked through once nothing more is found of it', async () => {
  const store = await stored({ a: hourly('a', 5, 30), b: hourly('b', 5, 30) });
  const looked: number[] = [];

  await pruneJobs(depsOf(store), ['a', 'b'], {
    retention: { maxAgeMs: DAY, maxRuns: 1e9 },
    signal: quiet,
    progress: (jobs) => looked.push(jobs),
  });

  expect(looked).toEqual([1, 2]);
});
