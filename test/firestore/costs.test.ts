import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { noteInstance } from '../../server/core/instances.ts';
import { readLastWake } from '../../server/core/last-wake.ts';
import { defineJob, type Handler, type JobDefinition } from '../../server/core/job.ts';
import { cancelRun, freeRun, pauseJob, resumeJob, runNow } from '../../server/core/run-now.ts';
import { wakeAll, wakeJob } from '../../server/core/wake.ts';
import { systemClock } from '../../server/process/clock.ts';
import { runRequest } from '../builders.ts';
import { until } from '../process/server.ts';
import { emulator, newProject } from './fixture.ts';
import { openService, register, soon, type FirestoreService } from './service.ts';

/**
 * What each step of the protocol costs in documents read and written (PROTOCOL.md, 2.5). Logs,
 * actions and notes of the build are counted under names of their own, and come on top.
 */

const job = (definition: Partial<JobDefinition>) =>
  defineJob({ name: 'job', run: () => undefined, ...definition } as never);

/** A handler that ends when it is told to. */
function gate() {
  const open = Promise.withResolvers<void>();
  const run: Handler = () => open.promise;
  return { run, open: () => open.resolve() };
}

const tick = (service: FirestoreService) =>
  wakeAll(service.deps, { aheadMs: 2000, thorough: true });
const trigger = (service: FirestoreService) => wakeJob(service.deps, 'job');
const startByHand = (service: FirestoreService, key = 'key') =>
  runNow(service.deps, service.deps.registry.get('job')!, runRequest({ key }));

describe.skipIf(emulator === null)('the costs of Firestore', () => {
  test('an idle tick is one read, whatever the number of jobs', async () => {
    const jobs = Array.from({ length: 30 }, (_, i) =>
      job({ name: `job-${i}`, schedule: '0 0 1 1 *' }),
    );
    const service = await openService(jobs);
    await register(service);

    expect(await service.billed(() => tick(service))).toBe('1 R, 0 W');
    expect(await service.billed(() => tick(service))).toBe('1 R, 0 W');
  });

  test('a clean short run by the tick is 1 read and 4 writes, and its record says so', async () => {
    const { at, come } = soon();
    const service = await openService([job({ at })]);
    await register(service);
    await come();

    const started = await service.billed(() => tick(service));
    await service.idle();
    const [run] = (await service.store.listRuns({ limit: 1 })).runs;

    expect(started).toMatch(/^1 R, [24] W$/);
    expect(run).toMatchObject({ state: 'succeeded', cost: { reads: 1, writes: 4, deletes: 0 } });
  });

  test('a trigger that finds it due is 1 + 2, the finish 0 + 2, a duplicate 1 + 0', async () => {
    const { at, come } = soon();
    const { run, open } = gate();
    const service = await openService([job({ at, run })]);
    await register(service);
    await come();

    const first = await service.billed(() => trigger(service));
    const busy = await service.billed(() => trigger(service));
    const finish = await service.billed(async () => {
      open();
      await service.idle();
    });
    const duplicate = await service.billed(() => trigger(service));

    expect([first, busy, finish, duplicate]).toEqual([
      '1 R, 2 W',
      '1 R, 0 W',
      '0 R, 2 W',
      '1 R, 0 W',
    ]);
  });

  test('a trigger while busy is 1 + 1 under replace, once', async () => {
    const { run, open } = gate();
    const { at, come } = soon();
    const service = await openService([job({ at, run, overlap: 'replace' })]);
    await register(service);
    await startByHand(service);
    await come();

    const marked = await service.billed(() => trigger(service));
    const again = await service.billed(() => trigger(service));

    expect([marked, again]).toEqual(['1 R, 1 W', '1 R, 0 W']);
    open();
    await service.idle();
  });

  test('a beat is 0 + 1', async () => {
    const { run, open } = gate();
    const service = await openService([job({ run, lease: '2s' })]);
    await register(service);
    await startByHand(service);

    const written = () => [...service.store.costs().values()].reduce((n, one) => n + one.writes, 0);
    const before = written();
    // Not for a fixed time: on a busy machine that is too short for one, or long enough for two.
    const beat = await service.billed(() => until(async () => written() > before, 20_000));

    expect(beat).toBe('0 R, 1 W');
    open();
    await service.idle();
  });

  test('a manual run is 1 + 2 and an action on record, asked for again 2 + 0', async () => {
    const { run, open } = gate();
    const service = await openService([job({ run })]);
    await register(service);

    const first = await service.billed(() => startByHand(service));
    const again = await service.billed(() => startByHand(service));

    expect([first, again]).toEqual(['1 R, 3 W', '2 R, 0 W']);
    expect(service.store.costs().get('action')).toMatchObject({ writes: 1 });
    open();
    await service.idle();
  });

  test('a cancel is 1 + 1 while it runs, 1 + 2 while it waits', async () => {
    const { run, open } = gate();
    const service = await openService([job({ run, overlap: 'queue' })]);
    await register(service);
    const running = await startByHand(service, 'a');
    const waiting = await startByHand(service, 'b');
    if (running.kind !== 'created' || waiting.kind !== 'created') throw new Error(running.kind);

    const queued = await service.billed(() => cancelRun(service.deps, waiting.run.id, 'ada'));
    const active = await service.billed(() => cancelRun(service.deps, running.run.id, 'ada'));

    // Each is an action on record, too.
    expect([queued, active]).toEqual(['1 R, 3 W', '1 R, 2 W']);
    open();
    await service.idle();
  });

  test('a pause and a resume are 1 + 1 each', async () => {
    const service = await openService([job({ schedule: '0 0 1 1 *' })]);
    await register(service);
    const pause = { note: null, until: null, by: 'ada' };

    const paused = await service.billed(() => pauseJob(service.deps, 'job', pause));
    const resumed = await service.billed(() => resumeJob(service.deps, 'job', 'ada'));

    // Each is an action on record, too.
    expect([paused, resumed]).toEqual(['1 R, 2 W', '1 R, 2 W']);
  });

  test('a lost run that a tick finds and starts again is 2 + 2', async () => {
    const project = newProject();
    const definition = { lease: '2s', onLost: 'retry', retry: { attempts: 2 } } as const;
    const hung = gate();
    const first = await openService([job({ ...definition, run: hung.run })], { project });
    await register(first);
    await startByHand(first);
    await first.store.close(); // Its beats reach nobody any more: as good as dead.
    await setTimeout(2500);
    const second = await openService([job({ ...definition })], { project });

    const found = await second.billed(() => tick(second));
    await second.idle();
    const [run] = (await second.store.listRuns({ limit: 1 })).runs;

    // The query, which brought the record, and the run; job, run, and the loss as an action; and
    // its end, where it is over by then.
    expect(found).toMatch(/^2 R, [35] W$/);
    expect(run?.attempts.map(({ outcome }) => outcome)).toEqual(['lost', 'succeeded']);
    hung.open();
  });

  test('a retry that a tick starts is 2 + 2', async () => {
    let tries = 0;
    const run: Handler = () => {
      tries += 1;
      if (tries === 1) throw new Error('not yet');
    };
    const backoff = { from: '1s', jitter: 0 } as const;
    const service = await openService([job({ run, retry: { attempts: 2, backoff } })]);
    await register(service);
    await startByHand(service);
    await service.idle();
    await setTimeout(1100);

    const started = await service.billed(async () => {
      await tick(service);
    });
    await service.idle();

    expect(started).toMatch(/^2 R, [24] W$/);
    expect((await service.store.listRuns({ limit: 1 })).runs[0]?.cost).toEqual({
      reads: 3,
      writes: 8,
      deletes: 0,
    });
  });

  test('a run that was ended by another is 2 + 1 at its finish: its result is kept', async () => {
    const { run, open } = gate();
    const service = await openService([job({ run })]);
    await register(service);
    const started = await startByHand(service);
    if (started.kind !== 'created') throw new Error(started.kind);
    await freeRun(service.deps, started.run.id, 'ada');

    const stale = await service.billed(async () => {
      open();
      await service.idle();
    });

    expect(stale).toBe('2 R, 1 W');
  });

  test('a start is one read, where nothing was deployed since', async () => {
    const project = newProject();
    const jobs = [job({ name: 'a' }), job({ name: 'b' }), job({ name: 'c' })];
    const before = await openService(jobs, { project });
    await register(before);
    const after = await openService(jobs, { project });

    expect(await after.billed(() => register(after))).toBe('1 R, 0 W');
  });

  test('who runs and who woke them are noted later, at 1 + 1 each', async () => {
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + laterMs };
    let laterMs = 0;
    const service = await openService([job({})], { env: { PUNCTUAL_WAKE: 'tick' } });
    const { deps, store } = service;
    const at = (await store.time()).storeNow;
    const heard = () => deps.wakes.heard({ ...deps, clock }, { at, started: 0, lagMs: 0 });
    const instance = noteInstance(deps);
    await register(service);

    const start = await service.billed(() => service.listen());
    const first = await service.billed(heard);
    laterMs = deps.timing.seenEveryMs;
    const later = await service.billed(heard);
    const noted = await service.billed(() => instance.note());
    const removed = await service.billed(() => instance.remove());

    expect([start, first, later, noted, removed]).toEqual([
      '1 R, 0 W',
      '0 R, 0 W',
      '1 R, 1 W',
      '1 R, 1 W',
      '1 R, 1 W',
    ]);
    expect(await readLastWake(store, 'default')).toEqual({ at, started: 0, lagMs: 0 });
  });

  test('after a deploy each job that changed is one read and one write more', async () => {
    const project = newProject();
    const names = ['a', 'b', 'c', 'd'];
    const before = await openService(
      names.map((name) => job({ name })),
      { project },
    );
    await register(before);
    const changed = names.map((name) => job({ name, timeout: name < 'c' ? '5m' : '10m' }));
    const after = await openService(changed, { project, env: { PUNCTUAL_BUILD: 'next' } });

    await register(after);

    expect(after.store.costs().get('define')).toMatchObject({ writes: 2 });
    expect(after.store.costs().get('read')).toMatchObject({ reads: 2 });
  });

  test('retention deletes a run and its log', async () => {
    const service = await openService([job({ run: ({ log }) => log('hello') })]);
    await register(service);
    for (const key of ['a', 'b', 'c']) await startByHand(service, key).then(() => service.idle());
    const { runs } = await service.store.listRuns({ limit: 10 });

    const deleted = await service.billed(() => service.store.deleteRuns(runs.map(({ id }) => id)));

    expect(deleted).toBe('3 R, 0 W, 6 D');
  });
});
