import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { pauseJob, runNow } from '../../server/core/run-now.ts';
import type { JobQuery, LoadedJob, Store } from '../../server/core/store.ts';
import { JobList } from '../../server/http/pages/job-list.ts';
import { jobRecord, runRequest } from '../builders.ts';
import { job, noon, openService, tempDb, type TestService } from '../service.ts';
import { TEST_START, testClock } from '../test-clock.ts';

/** What a listing asked for: `all`, `after c`, or `changes`, with how many records came. */
function watched(store: Store): { readonly store: Store; readonly asked: string[] } {
  const asked: string[] = [];
  const listJobs = async (query: JobQuery): Promise<LoadedJob[]> => {
    const found = await store.listJobs(query);
    const after = query.after === undefined ? 'all' : `after ${query.after}`;
    asked.push(`${query.changedSince === undefined ? after : 'changes'}: ${found.length}`);
    return found;
  };
  const watching = new Proxy(store, {
    get: (of, name) => {
      if (name === 'listJobs') return listJobs;
      const value: unknown = Reflect.get(of, name);
      return typeof value === 'function' ? value.bind(of) : value;
    },
  });
  return { store: watching, asked };
}

const startByHand = async (service: TestService, name: string): Promise<void> => {
  const { deps } = service;
  await runNow(deps, deps.registry.get(name)!, runRequest());
  await service.settle();
};

describe('the list of jobs', () => {
  test('reads all once, and then what changed', async () => {
    const service = await openService([job({ name: 'b' }), job({ name: 'a' })]);
    const { store, asked } = watched(service.store);
    const list = new JobList(service.deps);
    await service.clock.advance(5000);

    const first = await list.read(store);
    await service.clock.advance(5000);
    await list.read(store);
    await startByHand(service, 'b');
    const { jobs } = await list.read(store);

    expect(first.jobs.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(asked).toEqual(['all: 2', 'changes: 0', 'changes: 1']);
    expect(jobs.map(({ last }) => last?.state)).toEqual([undefined, 'succeeded']);
    expect(jobs.map(({ figures }) => figures.good)).toEqual([0, 1]);
  });

  test('gives the same answer again where nothing is to be said anew', async () => {
    const service = await openService([job({ schedule: '0 * * * *' })]);
    const list = new JobList(service.deps);

    const first = await list.read(service.store);
    await service.clock.advance(59 * 60_000);
    const later = await list.read(service.store);
    await service.clock.advance(60_000);
    const passed = await list.read(service.store);

    expect(first.jobs[0]?.nextScheduledAt).toBe(noon('01:00:00'));
    expect(later.jobs[0]?.nextScheduledAt).toBe(noon('01:00:00'));
    expect(passed.jobs[0]?.nextScheduledAt).toBe(noon('02:00:00'));
  });

  test('has a pause end by itself', async () => {
    const service = await openService([job({ schedule: '0 0 1 1 *' })]);
    const list = new JobList(service.deps);
    await pauseJob(service.deps, 'job', { by: null, note: null, until: noon('00:01:00') });

    const before = await list.read(service.store);
    await service.clock.advance(60_000);
    const after = await list.read(service.store);

    expect([before.jobs[0]?.state, after.jobs[0]?.state]).toEqual(['paused', 'idle']);
  });

  test('finds within ten minutes what was deleted by hand', async () => {
    const path = tempDb();
    const service = await openService([job({ name: 'a' }), job({ name: 'b' })], { path });
    const list = new JobList(service.deps);
    await list.read(service.store);
    const hand = new DatabaseSync(path);
    hand.exec(`DELETE FROM jobs WHERE name = 'a'`);
    hand.close();

    await service.clock.advance(599_000);
    const still = await list.read(service.store);
    await service.clock.advance(1000);
    const { jobs } = await list.read(service.store);

    expect(still.jobs).toHaveLength(2);
    expect(jobs.map(({ name }) => name)).toEqual(['b']);
  });

  test('shows a job that comes new, in its place', async () => {
    const service = await openService([job({ name: 'a' }), job({ name: 'c' })]);
    const list = new JobList(service.deps);
    await list.read(service.store);
    const { storeNow } = await service.store.time();
    const put = { op: 'test', about: null, reads: 0, decidedAt: storeNow } as const;
    const nothing = { create: [], update: [], specs: [], logs: [], actions: [] } as const;
    const record = jobRecord({ name: 'b' });

    await service.store.commit({ ...put, ...nothing, name: 'b', version: undefined, record });
    const { jobs } = await list.read(service.store);

    expect(jobs.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(jobs.map(({ known }) => known)).toEqual([true, false, true]);
  });

  test('reads all anew after the store’s clock was set back', async () => {
    const service = await openService([job({ schedule: '0 0 1 1 *' })]);
    const { store, asked } = watched(service.store);
    const list = new JobList(service.deps);
    await service.clock.advance(3_600_000);
    await list.read(store);
    service.clock.setWall(TEST_START);
    await service.store.resetClock(null);

    await startByHand(service, 'job');
    const { jobs } = await list.read(store);

    expect(asked.at(-1)).toBe('all: 1');
    expect(jobs[0]?.last?.state).toBe('succeeded');
  });

  test('reads thousands of jobs page by page, and a thousand changes, too', async () => {
    const { store, deps } = manyJobs(1000);
    const { store: watching, asked } = watched(store);
    const list = new JobList(deps);

    const [one, other] = await Promise.all([list.read(watching), list.read(watching)]);
    const { jobs } = await list.read(watching);

    expect(asked).toEqual([
      'all: 250',
      'after job-0249: 250',
      'after job-0499: 250',
      'after job-0749: 250',
      'after job-0999: 0',
      'changes: 1000',
      'all: 250',
      'after job-0249: 250',
      'after job-0499: 250',
      'after job-0749: 250',
      'after job-0999: 0',
    ]);
    expect([one.jobs.length, other.jobs.length, jobs.length]).toEqual([1000, 1000, 1000]);
  });

  test('reads no more than 300 where each is billed, and says that there are more', async () => {
    const all = manyJobs(301, new Map());
    const some = manyJobs(300, new Map());
    const { store, asked } = watched(all.store);

    const cut = await new JobList(all.deps).read(store);
    const whole = await new JobList(some.deps).read(some.store);

    expect(asked).toEqual(['all: 300', 'after job-0299: 1']);
    expect([cut.jobs.length, cut.more]).toEqual([300, true]);
    expect([whole.jobs.length, whole.more]).toEqual([300, false]);
  });
});

/** A store with so many jobs, all of which have always changed just now. */
function manyJobs(n: number, costs?: ReadonlyMap<string, unknown>) {
  const names = Array.from({ length: n }, (_, i) => `job-${String(i).padStart(4, '0')}`);
  const jobs = names.map((name): LoadedJob => {
    const record = jobRecord({ name });
    return { name, version: '1', record, problem: undefined, setAside: undefined };
  });
  const store = {
    costs: () => costs,
    time: async () => ({ storeNow: TEST_START, unsteady: null }),
    listJobs: async ({ limit, after = '' }: JobQuery) =>
      jobs.filter(({ name }) => name > after).slice(0, limit),
  } as unknown as Store;
  const deps = { store, clock: testClock(), registry: new Map() } as never;
  return { store, deps };
}
