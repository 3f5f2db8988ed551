import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JobContext } from '../../server/core/job.ts';
import { cancelRun, runNow } from '../../server/core/run-now.ts';
import { runRequest } from '../builders.ts';
import { byHand, job, noon, openService } from '../service.ts';

const request = runRequest();

describe('a handler', () => {
  test('gets its whole context', async () => {
    const seen: Partial<JobContext>[] = [];
    const service = await openService([
      job({ schedule: '*/10 * * * *', run: (c) => seen.push(c) }),
    ]);

    await service.wake('00:10:00');

    expect(seen[0]).toMatchObject({
      job: 'job',
      runId: 'job@20260301T001000Z',
      idempotencyKey: 'job@20260301T001000Z',
      input: undefined,
      scheduledAt: noon('00:10:00'),
      previousScheduledAt: noon('00:00:00'),
      nextScheduledAt: noon('00:20:00'),
      trigger: 'schedule',
      attempt: 1,
    });
    expect(seen[0]?.fence).toBeGreaterThan(0);
    expect(seen[0]?.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  test('is imported when it is first needed, from a module that exports it', async () => {
    const service = await openService([job({ run: () => import('./fixtures/imported.run.ts') })]);

    await service.wake('00:01:00');
    await service.idle();

    expect(await service.lastRun()).toMatchObject({ state: 'succeeded', output: '"imported job"' });
  });

  test('returns what is kept as the output', async () => {
    const service = await openService([job({ run: () => ({ rows: 3, at: new Date(0) }) })]);

    await service.wake('00:01:00');

    const { output } = await service.lastRun();
    expect(JSON.parse(output ?? '')).toEqual({ rows: 3, at: '1970-01-01T00:00:00.000Z' });
  });

  test.each([
    ['a function', () => () => 1, /its output is a function/],
    ['a function inside', () => ({ a: { b: () => 1 } }), /its output has a function at "b"/],
    ['a bigint', () => 1n, /its output is a bigint/],
    ['a Map', () => ({ m: new Map([[1, 2]]) }), /its output has a Map at "m"/],
    ['NaN', () => ({ n: NaN }), /its output has NaN at "n"/],
    ['a cycle', () => cycle(), /its output is not JSON/],
    ['too much', () => 'x'.repeat(70_000), /70002 bytes of JSON; 65536 is most/],
  ])('that returns %s has failed, and its run says why', async (_what, run, why) => {
    const service = await openService([job({ run })]);

    await service.wake('00:01:00');

    const stored = await service.lastRun();
    expect(stored.state).toBe('failed');
    expect(stored.error?.message).toMatch(why);
  });

  test.each([
    ['an error', new TypeError('no such table'), 'TypeError', /^no such table$/],
    ['text', 'just text', 'NonError', /^threw a string: just text$/],
    ['undefined', undefined, 'NonError', /^threw undefined$/],
    ['null', null, 'NonError', /^threw null$/],
    ['an object', { code: 7 }, 'NonError', /threw an object: {"code":7}/],
    ['an error with a cause', new Error('a', { cause: new Error('b') }), 'Error', /a; because b/],
    ['an error that throws when read', evil(), 'Unknown', /can not be read/],
  ])('that throws %s has failed, and its run says what', async (_what, thrown, name, message) => {
    const run = (): never => {
      throw thrown;
    };
    const service = await openService([job({ run })]);

    await service.wake('00:01:00');

    const stored = await service.lastRun();
    expect(stored.state).toBe('failed');
    expect(stored.error?.name).toBe(name);
    expect(stored.error?.message).toMatch(message);
  });

  test('that fails keeps no other job from running', async () => {
    const bad = job({ name: 'bad', run: () => Promise.reject(new Error('no')) });
    const service = await openService([bad, job({ name: 'good' })]);

    await service.wake('00:01:00');

    const states = (await service.runs()).map((run) => `${run.job} ${run.state}`);
    expect(states.toSorted()).toEqual(['bad failed', 'good succeeded']);
  });

  test('has a scratch folder of its own, gone when it throws', async () => {
    let folder = '';
    const run = async ({ scratch }: JobContext): Promise<never> => {
      folder = await scratch();
      await writeFile(join(folder, 'big'), 'x');
      throw new Error('no');
    };
    const service = await openService([job({ run })]);

    await service.wake('00:01:00');
    await service.idle();

    expect(folder).not.toBe('');
    expect(existsSync(folder)).toBe(false);
  });
});

describe('a timeout', () => {
  test('aborts the signal, and the run has timed out', async () => {
    const run = ({ signal }: JobContext): Promise<never> =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const service = await openService([job({ run, timeout: '20s' })]);
    await service.wake('00:01:00');

    await service.clock.advance(20_000);
    await service.settle();

    const stored = await service.lastRun();
    expect(stored.state).toBe('timed_out');
    expect(stored.error?.message).toMatch(/longer than its timeout of 20000 ms/);
  });

  test('a handler that throws something else after its signal has timed out with that error', async () => {
    const run = ({ signal }: JobContext): Promise<never> =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('mine'))));
    const service = await openService([job({ run, timeout: '20s' })]);
    await service.wake('00:01:00');

    await service.clock.advance(20_000);
    await service.settle();

    expect(await service.lastRun()).toMatchObject({
      state: 'timed_out',
      error: { message: 'mine' },
    });
  });

  test('what is returned after it is kept beside, and changes no state', async () => {
    const run = ({ signal }: JobContext): Promise<string> =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve('late')));
    const service = await openService([job({ run, timeout: '20s' })]);
    await service.wake('00:01:00');

    await service.clock.advance(20_000);
    await service.settle();

    const stored = await service.lastRun();
    expect([stored.state, stored.output, stored.lateResult?.output]).toEqual([
      'timed_out',
      null,
      '"late"',
    ]);
  });

  test('a handler that does not stop holds its slot, its run says so, and others go on', async () => {
    const hangs = job({ name: 'hangs', run: () => new Promise(() => undefined), timeout: '20s' });
    const service = await openService([hangs, job({ name: 'other' })]);
    await service.wake('00:01:00');
    for (let minute = 2; minute <= 9; minute++) await service.wake(`00:0${minute}:00`);

    const [stuck, ...more] = await service.runs('hangs');
    expect(more).toEqual([]);
    expect(stuck?.state).toBe('running');
    expect(stuck?.notes[0]?.text).toMatch(/has not stopped: its slot stays held/);
    expect(await service.runs('other')).toHaveLength(9);
    expect(service.logged.join('\n')).toContain('error handler_overdue');
  });
});

describe('a cancel', () => {
  test('reaches the handler at once on the same instance', async () => {
    const run = ({ signal }: JobContext): Promise<never> =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const service = await openService([byHand({ run })]);
    const started = await runNow(service.deps, job({ run }), request);
    if (started.kind !== 'created') throw new Error(started.kind);

    await cancelRun(service.deps, started.run.id, 'ann');
    await service.clock.advance(1000);

    expect((await service.lastRun()).state).toBe('cancelled');
  });
});

describe('a lease', () => {
  test('is renewed for as long as the handler works', async () => {
    let finish = (): void => undefined;
    const run = (): Promise<void> => new Promise((resolve) => (finish = resolve));
    const service = await openService([job({ run, timeout: '1h' })]);
    await service.wake('00:01:00');

    for (let minute = 2; minute <= 30; minute++) {
      await service.wake(`00:${String(minute).padStart(2, '0')}:00`);
    }
    await service.clock.advance(30_000);
    finish();
    await service.settle();

    const [first, range] = await service.runs();
    expect(first).toMatchObject({ state: 'succeeded', attempts: [{ outcome: 'succeeded' }] });
    expect(range?.range).toMatchObject({ count: 29 });
  });

  test('lost to a store that can not be reached ends the handler before anybody may think it dead', async () => {
    const seen: unknown[] = [];
    const run = ({ signal }: JobContext): Promise<never> =>
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => {
          seen.push(Reflect.get(Object(signal.reason), 'reason'), service.clock.wall());
          reject(signal.reason);
        }),
      );
    const service = await openService([job({ run, timeout: '1h' })]);
    await service.wake('00:01:00');
    await service.store.close();

    await service.clock.advance(90_000);

    expect(seen).toEqual(['lease_lost', noon('00:02:25')]);
  });
});

function cycle(): object {
  const a: Record<string, unknown> = {};
  a['self'] = a;
  return a;
}

function evil(): Error {
  const error = new Error('x');
  Object.defineProperty(error, 'message', {
    get() {
      throw new Error('again');
    },
  });
  return error;
}
