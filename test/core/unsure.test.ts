import { describe, expect, onTestFinished, test } from 'vitest';
import { readRegistry } from '../../server/core/registry.ts';
import { registerJobs } from '../../server/core/register.ts';
import { cancelRun, freeRun, runNow } from '../../server/core/run-now.ts';
import { StoreUnavailable, UnknownOutcome } from '../../server/core/store.ts';
import { wakeJob } from '../../server/core/wake.ts';
import { runRequest } from '../builders.ts';
import { byHand, job, noon, openService, tempDb, type TestService } from '../service.ts';
import { testClock } from '../test-clock.ts';

/** What is not known for sure: who retired a job, who ended an attempt, whose a reply was. */

const request = runRequest({ key: 'k' });

async function patience({ clock }: TestService): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await clock.advance(50);
}

describe('a job that was retired by mistake', () => {
  test('since the build that did so died before it could say so comes back', async () => {
    const [clock, path] = [testClock(), tempDb()];
    const env = (build: string) => ({ clock, path, env: { PUNCTUAL_BUILD: build } });
    const jobs = [job({ name: 'a' }), job({ name: 'b' })];
    const { deps, store } = await openService(jobs, env('one'));
    await clock.advance(1000);
    const registry = readRegistry([job({ name: 'a' })], deps.timing);
    const writeMeta = store.writeMeta.bind(store);
    let writes = 0;
    store.writeMeta = (...what) =>
      ++writes === 2 ? Promise.reject(new StoreUnavailable('killed')) : writeMeta(...what);
    const two = { ...deps, build: 'two', registry };
    await registerJobs(two, { adopt: false, check: true }).catch(() => undefined);
    await clock.advance(1000);

    const three = await openService(jobs, env('three'));

    expect((await three.store.read('b')).record?.retiredAt).toBeNull();
  });

  test('by a build that was no longer in force when it looked is left alone', async () => {
    const [clock, path] = [testClock(), tempDb()];
    const env = (build: string) => ({ clock, path, env: { PUNCTUAL_BUILD: build } });
    const old = await openService([job({ name: 'a' })], env('one'));
    await clock.advance(1000);
    const listJobs = old.store.listJobs.bind(old.store);
    let newer: TestService | undefined;
    old.store.listJobs = async (query) => {
      newer ??= await openService([job({ name: 'a' }), job({ name: 'b' })], env('two'));
      return await listJobs(query);
    };

    await registerJobs(old.deps, { adopt: false, check: true });

    expect((await newer?.store.read('b'))?.record?.retiredAt).toBeNull();
  });
});

test('a job set aside, with nothing to do when that is over, is set aside no more', async () => {
  const service = await openService([job({ schedule: '*/10 * * * *' })]);
  const { store } = service;
  await service.wake('00:10:00');
  const { version = '' } = await store.read('job');
  const until = noon('00:11:10');
  await store.quarantine({ name: 'job', version, until, problem: 'contended' });

  await service.wake('00:12:00');

  expect((await store.due({ limit: 5, aheadMs: 0 })).items).toEqual([]);
  expect((await store.read('job')).setAside).toBeUndefined();
});

test('a job that was set aside starts its next occurrence on time', async () => {
  const service = await openService([job({ schedule: '19 * * * *' })]);
  const { store, clock } = service;
  const { version = '' } = await store.read('job');
  const until = noon('00:00:40');
  await store.quarantine({ name: 'job', version, until, problem: 'contended' });
  await clock.advance(47_000);
  service.timer.start();
  onTestFinished(async () => {
    const stopping = service.timer.stop();
    await clock.advance(0);
    await stopping;
  });

  for (let second = 0; second < 1200; second++) await clock.advance(1000);

  expect((await service.lastRun()).startedAt).toBeLessThan(noon('00:19:01'));
});

test('of those that ask with one key at once, one is told it was created', async () => {
  const slow = byHand({ run: () => new Promise(() => undefined) });
  const service = await openService([slow]);

  const asking = Promise.all(Array.from({ length: 10 }, () => runNow(service.deps, slow, request)));
  await patience(service);

  expect((await asking).filter(({ kind }) => kind === 'created')).toHaveLength(1);
});

test('an attempt that was handed back is not called overdue while the store is away', async () => {
  const service = await openService([job({ onLost: 'retry' })]);
  const { clock, store } = service;
  await clock.advance(60_000);
  const commit = store.commit.bind(store);
  store.commit = async (order) => {
    if (order.op !== 'claim') throw new StoreUnavailable('locked');
    const committed = await commit(order);
    clock.setWall(clock.wall() + 600_000);
    return committed;
  };

  await wakeJob(service.deps, 'job');
  await patience(service);

  expect(service.logged.join('\n')).not.toContain('handler_overdue');
});

test('what a freed handler came to is kept, though it ended as cancelled too', async () => {
  let end = (): void => undefined;
  const hangs = byHand({
    run: () => new Promise((_, reject) => (end = () => reject(new Error('its own')))),
  });
  const service = await openService([hangs]);
  const started = await runNow(service.deps, hangs, request);
  if (started.kind !== 'created') throw new Error(started.kind);
  await cancelRun(service.deps, started.run.id, null);
  await service.settle();
  await freeRun(service.deps, started.run.id, 'ann');

  end();
  await patience(service);

  expect((await service.lastRun()).lateResult?.error?.message).toBe('its own');
});

test('a note whose beat lost its reply is on the run once', async () => {
  const service = await openService([
    job({ run: () => new Promise(() => undefined), timeout: '10s' }),
  ]);
  const { store, clock } = service;
  const commit = store.commit.bind(store);
  let beats = 0;
  store.commit = async (order) => {
    const committed = await commit(order);
    if (order.op === 'renew' && beats++ === 0) throw new UnknownOutcome('the reply was lost');
    return committed;
  };
  await service.wake('00:01:00');

  for (let second = 0; second < 50; second++) await clock.advance(1000);

  expect((await service.lastRun()).notes).toHaveLength(1);
});

test('a note whose beat was applied unheard is not lost when the run ends', async () => {
  let end = (): void => undefined;
  const service = await openService([
    job({ run: () => new Promise<void>((resolve) => (end = resolve)), timeout: '10s' }),
  ]);
  const { store, clock } = service;
  const commit = store.commit.bind(store);
  let beats = 0;
  store.commit = async (order) => {
    if (order.op === 'renew' && beats++ > 0) throw new StoreUnavailable('locked');
    const committed = await commit(order);
    if (order.op === 'renew') throw new UnknownOutcome('the reply was lost');
    return committed;
  };
  await service.wake('00:01:00');
  for (let second = 0; second < 12; second++) await clock.advance(1000);
  const { id, notes: before } = await service.lastRun();

  end();
  for (let second = 0; second < 120; second++) await clock.advance(1000);

  expect(before).toHaveLength(1);
  const run = await store.getRun(id);
  expect([run?.state, run?.notes[0]]).toEqual(['timed_out', before[0]]);
});
