import { onTestFinished, describe, expect, test } from 'vitest';
import { PROCESS } from '../../server/core/carrier.ts';
import type { Job } from '../../server/core/job.ts';
import { runNow } from '../../server/core/run-now.ts';
import { Presence } from '../../server/triggers/timer.ts';
import { runRequest } from '../builders.ts';
import { file } from '../stores/sqlite-fixture.ts';
import { byHand, job, noon, openService, type TestService } from '../service.ts';
import { holdUp, holdUpAnywhere } from '../test-clock.ts';

/** A service whose own timer is its only source of wake-ups. */
async function timed(
  jobs: readonly Job[],
  env: Record<string, string> = {},
  path = ':memory:',
): Promise<TestService> {
  const service = await openService(jobs, { env, path });
  service.timer.start();
  onTestFinished(async () => {
    const stopping = service.timer.stop();
    await service.clock.advance(0);
    await stopping;
  });
  await service.settle();
  return service;
}

/** Lets time pass in steps, as it does. */
async function pass(service: TestService, ms: number, step = 1000): Promise<void> {
  for (let left = ms; left > 0; left -= step) await service.clock.advance(Math.min(step, left));
  await service.settle();
}

const starts = async (service: TestService, name?: string): Promise<(string | null)[]> =>
  (await service.runs(name)).map(({ startedAt }) =>
    startedAt === null ? null : new Date(startedAt).toISOString().slice(11, 23),
  );

const IN_TIME = { earliest: '00:01:00.000', latest: '00:01:00.020' } as const;

describe('the timer', () => {
  test('starts each occurrence at its instant', async () => {
    const service = await timed([job({})]);

    await pass(service, 180_000, 60_000);

    expect(await starts(service)).toEqual(['00:01:00.000', '00:02:00.000', '00:03:00.000']);
  });

  test('looks at what is due a moment before, where that costs nothing', async () => {
    const look = async (isBilled: boolean) => {
      const service = await timed([job({})]);
      if (isBilled) Object.assign(service.store, { costs: () => new Map() });
      const looks: number[] = [];
      const due = service.store.due.bind(service.store);
      service.store.due = (query) => {
        looks.push(service.clock.wall() - noon('00:01:00'));
        return due(query);
      };
      await pass(service, 65_000, 1);
      return { looks: looks.filter((ms) => Math.abs(ms) < 1000), starts: await starts(service) };
    };

    const [free, billed] = [await look(false), await look(true)];

    expect(free.starts).toEqual(['00:01:00.000']);
    expect(free.looks[0]).toBe(-4);
    expect(billed.starts).toEqual(['00:01:00.000']);
    expect(billed.looks[0]).toBe(0);
  });

  test('starts an occurrence wherever the process is held up just before it', async () => {
    const heldUpAt = async (nth: number) => {
      const service = await timed([job({})]);
      await pass(service, 59_990, 59_990);
      const readings = holdUp(service.clock, nth, 10);
      await pass(service, 200, 1);
      return { readings: readings(), at: (await starts(service))[0] ?? 'never' };
    };

    const { readings, others } = await holdUpAnywhere(heldUpAt, IN_TIME);

    expect(readings).toBeGreaterThan(20);
    expect(others).toEqual([]);
  });

  test('sleeps no longer for having been held up while it reckoned how long', async () => {
    const heldUpAt = async (nth: number) => {
      const service = await timed([job({})]);
      await pass(service, 59_000, 59_000);
      const readings = holdUp(service.clock, nth, 700);
      service.timer.poke();
      await pass(service, 100, 20);
      const reckoned = readings();
      await pass(service, 1100, 20);
      return { readings: reckoned, at: (await starts(service))[0] ?? 'never' };
    };

    const { readings, others } = await holdUpAnywhere(heldUpAt, IN_TIME);

    expect(readings).toBeGreaterThan(5);
    expect(others).toEqual([]);
  });

  test('hears of room that was kept for another run, and not needed', async () => {
    const service = await timed([job({})], { PUNCTUAL_MAX_RUNNING: '1' });
    const { runner } = service.deps;
    await pass(service, 59_000, 59_000);

    const offer = runner.reserve(service.deps, 'job', { carrier: PROCESS });
    service.timer.poke();
    await pass(service, 500, 100);
    runner.release(offer, PROCESS);
    await pass(service, 1000, 100);

    expect(await starts(service)).toEqual(['00:01:00.000']);
  });

  test('counts what is written while the store tells it the time', async () => {
    const service = await timed([job({ schedule: '0 * * * *' })]);
    const { record } = await service.store.read('job');
    const [looks, due] = [[] as number[], service.store.due.bind(service.store)];
    service.store.due = (query) => {
      looks.push(service.clock.wall() - noon('00:00:00'));
      return due(query);
    };
    let asked = 0;
    const time = service.store.time.bind(service.store);
    service.store.time = async () => {
      const told = await time();
      // Once as it begins, and once as it is about to sleep.
      if (record !== undefined && ++asked === 2) {
        service.timer.noted({ ...record, nextActionAt: noon('00:00:03') });
      }
      return told;
    };

    service.timer.poke();
    await pass(service, 5000, 1);

    expect(looks).toContain(2996);
  });

  test('learns within a second that the clock was set ahead', async () => {
    const service = await timed([job({})]);
    await pass(service, 40_000, 40_000);

    service.clock.setWall(noon('00:00:44'));
    await pass(service, 17_000, 100);

    expect(await starts(service)).toEqual(['00:01:00.000']);
  });

  test('looks again, where the clock is set back while it waits for an occurrence', async () => {
    const service = await timed([job({})]);
    await pass(service, 59_998, 59_998);

    service.clock.setWall(noon('00:00:40'));
    await pass(service, 5000, 1000);
    const meanwhile = await starts(service);
    service.clock.setWall(noon('00:01:03'));
    await pass(service, 3000, 1000);

    expect(meanwhile).toEqual([]);
    expect(await starts(service)).toHaveLength(1);
  });

  test('is poked by a retry that falls due sooner than it expected', async () => {
    let tries = 0;
    const run = (): void => {
      if (tries++ === 0) throw new Error('the first time');
    };
    const retry = { attempts: 2, backoff: { from: '3s', jitter: 0 } } as const;
    const service = await timed([byHand({ run, retry })]);
    const request = runRequest();

    await runNow(service.deps, byHand({}), request);
    await pass(service, 3500, 100);

    const { attempts, state } = await service.lastRun();
    expect(state).toBe('succeeded');
    expect(attempts.map(({ startedAt }) => startedAt - noon('00:00:00'))).toEqual([0, 3000]);
  });

  test('learns within a second of what another process left to be done', async () => {
    let tries = 0;
    const run = (): void => {
      if (tries++ === 0) throw new Error('the first time');
    };
    const jobs = [byHand({ run, retry: { attempts: 2, backoff: { from: '3s', jitter: 0 } } })];
    const path = file();
    const service = await timed(jobs, {}, path);
    const other = await openService(jobs, { clock: service.clock, path });
    await pass(service, 100, 100);

    await runNow(other.deps, byHand({}), runRequest());
    await pass(service, 5000, 100);

    const { attempts, state } = await service.lastRun();
    expect([state, attempts.length]).toEqual(['succeeded', 2]);
    expect((attempts[1]?.startedAt ?? 0) - noon('00:00:03.100')).toBeLessThanOrEqual(1000);
  });

  test('finds a lost lease by itself', async () => {
    const service = await timed([
      byHand({ run: () => new Promise(() => undefined), timeout: '1h' }),
    ]);
    const request = runRequest();
    await runNow(service.deps, byHand({}), request);
    const commit = service.store.commit.bind(service.store);
    service.store.commit = (order) =>
      order.op === 'renew' ? new Promise(() => undefined) : commit(order);

    await pass(service, 94_000);
    expect((await service.lastRun()).state).toBe('running');
    await pass(service, 2000);

    expect((await service.lastRun()).state).toBe('lost');
  });

  test('with no room for more starts the next when a run ends', async () => {
    const ends: (() => void)[] = [];
    const run = (): Promise<void> => new Promise((resolve) => ends.push(resolve));
    const jobs = ['a', 'b', 'c'].map((name) => job({ name, run }));
    const service = await timed(jobs, { PUNCTUAL_MAX_RUNNING: '1' });
    let looks = 0;
    const due = service.store.due.bind(service.store);
    service.store.due = (query) => {
      looks++;
      return due(query);
    };

    await pass(service, 60_000);
    expect(ends).toHaveLength(1);
    await pass(service, 10_000);
    ends[0]?.();
    await service.settle();
    ends[1]?.();
    await service.settle();

    expect(ends).toHaveLength(3);
    expect(looks).toBeLessThan(20);
  });
});

test('a process was there since before its clock was set back, by the time that holds now', () => {
  const presence = new Presence(60_000);
  presence.seen(noon('12:00:00'));

  presence.seen(noon('03:00:00'));

  expect(presence.since).toBe(noon('03:00:00'));
});

describe('a clock that jumps', () => {
  test('three hours ahead, as after sleep, applies the catch-up policy once', async () => {
    const service = await timed([job({ schedule: '0 * * * *' })]);
    await pass(service, 600_000, 30_000);

    service.clock.setWall(noon('03:10:00'));
    await pass(service, 60_000);
    expect(await service.runs()).toEqual([]);
    await pass(service, 60_000);

    const states = (await service.runs()).map(({ state, range }) => [state, range?.count]);
    expect(states).toEqual([
      ['missed', 2],
      ['succeeded', undefined],
    ]);
  });

  test('back does not open an occurrence twice, and goes on when it has caught up', async () => {
    const service = await timed([job({ schedule: '*/10 * * * *' })]);
    await pass(service, 660_000, 30_000);
    expect(await starts(service)).toEqual(['00:10:00.000']);

    service.clock.setWall(noon('00:05:00'));
    await pass(service, 6 * 60_000, 30_000);
    expect(await starts(service)).toEqual(['00:10:00.000']);
    await pass(service, 10 * 60_000, 30_000);

    expect(await starts(service)).toEqual(['00:10:00.000', '00:20:00.000']);
    expect(service.logged.join('\n')).toContain('clock_regressed');
  });

  test('while nothing is decided, runs that are under way go on and end on record', async () => {
    let finish = (): void => undefined;
    const run = (): Promise<void> => new Promise((resolve) => (finish = resolve));
    const service = await timed([job({ schedule: '*/10 * * * *', run, timeout: '1h' })]);
    await pass(service, 601_000);

    service.clock.setWall(service.clock.wall() + 20_000);
    await pass(service, 5000);
    finish();
    await pass(service, 1000, 100);

    expect((await service.lastRun()).state).toBe('succeeded');
  });
});
