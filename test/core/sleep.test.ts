import { describe, expect, test } from 'vitest';
import { momentOf, type Held } from '../../server/core/held.ts';
import type { JobContext } from '../../server/core/job.ts';
import { StoreUnavailable } from '../../server/core/store.ts';
import { sleep } from '../../server/core/time.ts';
import { wakeAll, wakeJob } from '../../server/core/wake.ts';
import { job, noon, openService, type TestService } from '../service.ts';

/** A sleep of the machine: its wall clock is ahead afterwards, its monotonic one stood still. */
const TEN_MINUTES = 600_000;
const sleepFor = ({ clock }: TestService, ms: number): void => clock.setWall(clock.wall() + ms);

/** Lets everything go on that waits a moment before it tries again. */
async function patience({ clock }: TestService): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await clock.advance(50);
}

async function readNow({ store, clock }: TestService): Promise<Held> {
  const askedAt = momentOf(clock);
  const { record, version, ...rest } = await store.read('job');
  if (record === undefined || version === undefined) throw new Error('the job has no record');
  return { ...rest, record, version, askedAt, at: momentOf(clock) };
}

describe('a machine that sleeps', () => {
  test('between a claim and its reply hands the attempt back, and starts no handler', async () => {
    let starts = 0;
    const service = await openService([job({ onLost: 'retry', run: () => void starts++ })]);
    const commit = service.store.commit.bind(service.store);
    const ages: number[] = [];
    service.store.commit = async (order) => {
      ages.push(service.clock.wall() - order.decidedAt);
      const committed = await commit(order);
      if (order.op === 'claim') sleepFor(service, TEN_MINUTES);
      return committed;
    };
    await service.clock.advance(60_000);

    const waking = wakeJob(service.deps, 'job');
    await patience(service);
    await waking;

    expect(starts).toBe(0);
    expect(await service.lastRun()).toMatchObject({
      state: 'retry_wait',
      attempts: [{ outcome: 'interrupted' }],
    });
    expect(Math.max(...ages)).toBeLessThan(1000);
  });

  test('while a handler runs stops it as soon as the machine is awake', async () => {
    const stopped: unknown[] = [];
    const run = ({ signal }: JobContext): Promise<never> =>
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => {
          stopped.push(Reflect.get(Object(signal.reason), 'reason'));
          reject(signal.reason);
        }),
      );
    const service = await openService([job({ run, timeout: '1h' })]);
    await service.wake('00:01:00');

    sleepFor(service, TEN_MINUTES);
    await service.clock.advance(250);

    expect(stopped).toEqual(['lease_lost']);
  });

  test('while a beat is on its way counts the lease from before the beat left', async () => {
    let stoppedAt = 0;
    const run = ({ signal }: JobContext): Promise<never> =>
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => {
          stoppedAt = service.clock.wall();
          reject(signal.reason);
        }),
      );
    const service = await openService([job({ run, timeout: '1h' })]);
    const commit = service.store.commit.bind(service.store);
    let beatAt = 0;
    service.store.commit = async (order) => {
      if (order.op === 'renew' && beatAt > 0) throw new StoreUnavailable('cut off');
      const committed = await commit(order);
      if (order.op === 'renew') {
        beatAt = service.clock.wall();
        sleepFor(service, 50_000);
      }
      return committed;
    };
    await service.wake('00:01:00');

    for (let second = 0; second < 120; second++) await service.clock.advance(1000);

    expect(beatAt).toBeGreaterThan(noon('00:01:00'));
    expect(stoppedAt).toBeGreaterThanOrEqual(beatAt + 85_000);
    expect(stoppedAt).toBeLessThan(beatAt + 86_000);
  });

  test('while it asks what is due does not decide by what it is told', async () => {
    const service = await openService([job({})]);
    await service.clock.advance(60_000);
    const due = service.store.due.bind(service.store);
    service.store.due = async (query) => {
      const page = await due(query);
      sleepFor(service, TEN_MINUTES);
      return page;
    };

    await wakeAll(service.deps, { aheadMs: 0, thorough: true });

    expect(await service.runs()).toEqual([]);
  });

  test('does not decide by a record that it read before', async () => {
    let starts = 0;
    const service = await openService([job({ run: () => void starts++ })]);
    await service.clock.advance(59_000);
    const held = await readNow(service);
    sleepFor(service, TEN_MINUTES);
    await service.clock.advance(2000);

    const woken = await wakeJob(service.deps, 'job', { seen: held });

    expect([woken.outcome, starts]).toEqual(['nothing-due', 0]);
    expect((await service.store.time()).unsteady).toMatch(/the machine slept/);
  });
});

describe('a store time that is too old when the decision by it is ready', () => {
  /** What happens between the store's first look at the job and the reply that tells of it. */
  function delayReply({ store }: TestService, pass: () => Promise<void>): void {
    const read = store.read.bind(store);
    let reads = 0;
    store.read = async (name) => {
      const loaded = await read(name);
      if (reads++ === 0) await pass();
      return loaded;
    };
  }

  test('since its reply took so long is read again', async () => {
    const service = await openService([job({})]);
    const { store, clock } = service;
    await clock.advance(60_000);
    delayReply(service, () => sleep(clock, 6000));
    const commit = store.commit.bind(store);
    const ages: number[] = [];
    store.commit = (order) => {
      ages.push(clock.wall() - order.decidedAt);
      return commit(order);
    };

    const waking = wakeJob(service.deps, 'job');
    for (let turn = 0; turn < 4; turn++) await patience(service);
    await waking;

    expect((await service.lastRun()).scheduledAt).toBe(noon('00:01:00'));
    expect(Math.max(...ages)).toBeLessThan(1000);
  });

  test('since the machine slept meanwhile decides nothing', async () => {
    const service = await openService([job({})]);
    await service.clock.advance(60_000);
    delayReply(service, async () => sleepFor(service, TEN_MINUTES));

    const waking = wakeJob(service.deps, 'job');
    await patience(service);
    await waking;

    expect(await service.runs()).toEqual([]);
  });
});
