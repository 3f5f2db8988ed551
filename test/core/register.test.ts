import { describe, expect, test } from 'vitest';
import { keepRegistered, registerJobs } from '../../server/core/register.ts';
import { StoreUnavailable } from '../../server/core/store.ts';
import { sleep } from '../../server/core/time.ts';
import { wakeAll, wakeJob } from '../../server/core/wake.ts';
import { job, openService, tempDb } from '../service.ts';
import { testClock } from '../test-clock.ts';

const TEN_MINUTES = 600_000;

describe('builds', () => {
  test('of two that are alive the newer one defines, also when the older one comes again', async () => {
    const [clock, path] = [testClock(), tempDb()];
    const env = (build: string) => ({ clock, path, env: { PUNCTUAL_BUILD: build } });
    const old = await openService([job({ schedule: '0 * * * *' })], env('one'));
    await clock.advance(1000);
    const newer = await openService([job({ schedule: '30 * * * *' })], env('two'));

    const again = await registerJobs(old.deps, { adopt: false, check: true });

    expect(again).toBe(false);
    const { record } = await newer.store.read('job');
    expect(record?.schedules.at(-1)?.schedule).toBe('30 * * * *');
  });

  test('an older one takes over when no newer one was seen for ten minutes', async () => {
    const [clock, path] = [testClock(), tempDb()];
    const env = (build: string) => ({ clock, path, env: { PUNCTUAL_BUILD: build } });
    const old = await openService([job({ schedule: '0 * * * *' })], env('one'));
    await clock.advance(1000);
    await openService([job({ schedule: '30 * * * *' })], env('two'));

    await clock.advance(TEN_MINUTES + 1);
    await registerJobs(old.deps, { adopt: false, check: true });

    const { record } = await old.store.read('job');
    expect(record?.schedules.at(-1)?.schedule).toBe('0 * * * *');
    expect((await old.store.listSpecs('job')).map(({ schedule }) => schedule)).toEqual([
      '0 * * * *',
      '30 * * * *',
      '0 * * * *',
    ]);
  });

  test('an older one takes over at once when told to', async () => {
    const [clock, path] = [testClock(), tempDb()];
    const env = (build: string) => ({ clock, path, env: { PUNCTUAL_BUILD: build } });
    const old = await openService([job({ schedule: '0 * * * *' })], env('one'));
    await clock.advance(1000);
    await openService([job({ schedule: '30 * * * *' })], env('two'));
    await clock.advance(1000);

    await registerJobs(old.deps, { adopt: true, check: true });

    const { record } = await old.store.read('job');
    expect(record?.schedules.at(-1)?.schedule).toBe('0 * * * *');
  });

  test('a job that a build does not know is left alone by it', async () => {
    const [clock, path] = [testClock(), tempDb()];
    const full = { clock, path, env: { PUNCTUAL_BUILD: 'one', PUNCTUAL_NAMESPACE: 'a' } };
    await openService([job({ name: 'theirs' })], full);
    const other = { clock, path, env: { PUNCTUAL_BUILD: 'one', PUNCTUAL_NAMESPACE: 'b' } };
    const ours = await openService([job({ name: 'ours' })], other);

    await clock.advance(60_000);
    await wakeAll(ours.deps, { aheadMs: 0, thorough: true });
    await ours.settle();

    const runs = await ours.runs();
    expect(runs.map((run) => run.job)).toEqual(['ours']);
    expect((await ours.store.read('theirs')).record?.retiredAt).toBeNull();
  });

  test('a job of the same name in another namespace is neither run nor retired', async () => {
    const [clock, path] = [testClock(), tempDb()];
    let ran = '';
    const env = (PUNCTUAL_NAMESPACE: string, PUNCTUAL_BUILD: string) => ({
      clock,
      path,
      env: { PUNCTUAL_NAMESPACE, PUNCTUAL_BUILD },
    });
    const ours = await openService([job({ run: () => void (ran += 'a') })], env('a', '1'));
    const other = [job({ run: () => void (ran += 'b') })];
    const theirs = await openService(other, env('b', '1'));

    await clock.advance(60_000);
    await wakeAll(theirs.deps, { aheadMs: 0, thorough: true });
    await theirs.settle();
    expect(ran).toBe('');
    await openService([], env('b', '2'));
    await wakeAll(ours.deps, { aheadMs: 0, thorough: true });
    await ours.settle();

    expect(ran).toBe('a');
    expect((await ours.store.read('job')).record?.retiredAt).toBeNull();
  });

  test('a run lost by a job that then left the code is judged all the same', async () => {
    const [clock, path] = [testClock(), tempDb()];
    const env = (build: string) => ({ clock, path, env: { PUNCTUAL_BUILD: build } });
    const first = await openService([job({ run: () => new Promise(() => undefined) })], env('1'));
    await first.wake('00:01:00');
    await first.store.close();

    const second = await openService([job({ name: 'other', schedule: '0 0 1 1 *' })], env('2'));
    await second.wake('00:10:00');

    const [run] = await second.runs('job');
    expect(run?.state).toBe('lost');
    expect((await second.store.due({ limit: 5, aheadMs: 0 })).items).toEqual([]);
  });

  test('a job gone from the code is retired, and comes back without a flood', async () => {
    const [clock, path] = [testClock(), tempDb()];
    const env = (build: string) => ({ clock, path, env: { PUNCTUAL_BUILD: build } });
    await openService([job({}), job({ name: 'other' })], env('one'));
    await clock.advance(90_000);
    const without = await openService([job({ name: 'other' })], env('two'));
    expect((await without.store.read('job')).record?.retiredAt).not.toBeNull();
    await clock.advance(3_600_000);

    const back = await openService([job({}), job({ name: 'other' })], env('three'));
    await clock.advance(60_000);
    await wakeAll(back.deps, { aheadMs: 0, thorough: true });
    await back.settle();

    const [range, run, ...more] = await back.runs('job');
    expect(range).toMatchObject({ state: 'missed', reason: 'outage', range: { count: 61 } });
    expect([run?.state, more]).toEqual(['succeeded', []]);
  });

  test('a record that was deleted by hand is registered anew, from then on', async () => {
    const path = tempDb();
    const service = await openService([job({})], { path });
    await service.wake('00:01:00');
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(path);
    db.exec("DELETE FROM jobs WHERE name = 'job'");
    db.close();

    await registerJobs(service.deps, { adopt: false, check: true });
    await service.wake('00:02:00');

    const states = (await service.runs()).map((run) => run.state);
    expect(states).toEqual(['succeeded', 'succeeded']);
    const { record } = await service.store.read('job');
    const fences = (await service.runs()).map((run) => run.attempts[0]?.fence ?? 0);
    expect(fences[1]).toBeGreaterThan(fences[0] ?? Infinity);
    expect(record?.rev).toBeGreaterThan(1_000_000);
  });

  test('a job of a build that died before it could say so is retired all the same', async () => {
    const [clock, path] = [testClock(), tempDb()];
    const env = (build: string) => ({ clock, path, env: { PUNCTUAL_BUILD: build } });
    const { store } = await openService([job({}), job({ name: 'other' })], env('one'));
    const found = await store.readMeta('registry:default');
    const unsaid = { ...Object(found?.value), jobs: {} };
    await store.writeMeta('registry:default', unsaid, found?.version);
    await clock.advance(1000);

    const without = await openService([job({ name: 'other' })], env('two'));

    expect((await without.store.read('job')).record?.retiredAt).not.toBeNull();
    expect((await without.store.read('other')).record?.retiredAt).toBeNull();
  });

  test('a record of another definition, as from a backup, is defined again', async () => {
    const path = tempDb();
    const service = await openService([job({ timeout: '7m' })], { path });
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(path);
    db.exec(`UPDATE jobs SET doc = json_set(doc, '$.specHash', 'old', '$.spec.timeoutMs', 1000)`);
    db.close();

    await registerJobs(service.deps, { adopt: false, check: true });

    expect((await service.store.read('job')).record?.spec.timeoutMs).toBe(420_000);
  });

  test('a job whose record is missing is not registered by a build that is not in force', async () => {
    const [clock, path] = [testClock(), tempDb()];
    const env = (build: string) => ({ clock, path, env: { PUNCTUAL_BUILD: build } });
    const old = await openService([job({ schedule: '0 * * * *' })], env('one'));
    await clock.advance(1000);
    const newer = await openService([job({ schedule: '30 * * * *' })], env('two'));
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(path);
    db.exec('DELETE FROM jobs');
    db.close();

    await wakeJob(old.deps, 'job');
    const byOld = (await old.store.read('job')).record;
    await wakeJob(newer.deps, 'job');
    const byNewer = (await newer.store.read('job')).record;

    expect(byOld).toBeUndefined();
    expect(byNewer?.schedules.at(-1)?.schedule).toBe('30 * * * *');
  });

  test('one that lives says so from time to time, also after the store did not answer', async () => {
    const service = await openService([job({})]);
    const { store, clock, deps } = service;
    const lastSeen = async (): Promise<unknown> => {
      const found = await store.readMeta('registry:default');
      return Reflect.get(Object(Reflect.get(Object(found?.value), 'builds')), 'test');
    };
    const writeMeta = store.writeMeta.bind(store);
    const seen = keepRegistered(deps, async () => undefined);
    seen.start();

    store.writeMeta = () => Promise.reject(new StoreUnavailable('locked'));
    await clock.advance(deps.timing.seenEveryMs);
    store.writeMeta = writeMeta;
    await clock.advance(deps.timing.seenEveryMs);
    const at = clock.wall();
    seen.stop();
    await clock.advance(3 * deps.timing.seenEveryMs);

    expect(service.logged.join('\n')).toContain('warn register_failed');
    expect(await lastSeen()).toMatchObject({ lastSeenAt: at });
  });

  test('one that is stopped while it says so says no more', async () => {
    const { deps, store, clock } = await openService([job({})]);
    const seen = keepRegistered(deps, async () => undefined);
    seen.start();
    const time = store.time.bind(store);
    let asked = 0;
    store.time = async () => {
      asked++;
      await sleep(clock, 1000);
      return await time();
    };

    await clock.advance(deps.timing.seenEveryMs);
    seen.stop();
    await clock.advance(3 * deps.timing.seenEveryMs);

    expect(asked).toBe(1);
  });

  test('the same registry again writes no record', async () => {
    const service = await openService([job({})]);
    const before = (await service.store.read('job')).version;

    await registerJobs(service.deps, { adopt: false, check: true });

    expect((await service.store.read('job')).version).toBe(before);
  });
});

describe('a record that can not be used', () => {
  test('is set aside in plain sight, and all other jobs go on', async () => {
    const path = tempDb();
    const service = await openService([job({ name: 'broken' }), job({ name: 'fine' })], { path });
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(path);
    db.exec("UPDATE jobs SET doc = json_remove(doc, '$.watermark') WHERE name = 'broken'");
    db.close();

    for (const time of ['00:01:00', '00:02:00', '00:03:00']) await service.wake(time);

    expect(await service.runs('fine')).toHaveLength(3);
    expect(await service.runs('broken')).toEqual([]);
    const { problem } = await service.store.read('broken');
    expect(problem).toMatch(/watermark is missing/);
    const told = service.logged.filter((line) => line.includes('job_quarantined'));
    expect(told).toHaveLength(1);
  });

  test('keeps no other job from being defined', async () => {
    const [clock, path] = [testClock(), tempDb()];
    const env = (build: string) => ({ clock, path, env: { PUNCTUAL_BUILD: build } });
    await openService([job({ name: 'broken' })], env('one'));
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(path);
    db.exec("UPDATE jobs SET doc = json_remove(doc, '$.watermark')");
    db.close();
    await clock.advance(1000);

    const service = await openService([job({ name: 'broken' }), job({ name: 'fine' })], env('two'));

    expect((await service.store.read('fine')).record?.build).toBe('two');
    expect(service.logged.join('\n')).toMatch(/error define_failed .*watermark is missing/);
  });

  test('a watermark in the future is one', async () => {
    const path = tempDb();
    const service = await openService([job({ name: 'broken' }), job({ name: 'fine' })], { path });
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(path);
    db.exec(
      `UPDATE jobs SET doc = json_set(doc, '$.watermark', ${Date.parse('2030-01-01')}) WHERE name = 'broken'`,
    );
    db.close();

    await service.wake('00:01:00');

    expect(await service.runs('fine')).toHaveLength(1);
    const { setAside } = await service.store.read('broken');
    expect(setAside).toMatch(/watermark .* lies in the future/);
  });
});
