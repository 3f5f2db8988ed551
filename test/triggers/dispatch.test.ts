import { describe, expect, test } from 'vitest';
import { runNow } from '../../server/core/run-now.ts';
import { openDispatch } from '../../server/triggers/open-dispatch.ts';
import { runRequest } from '../builders.ts';
import { serve } from '../http/client.ts';
import { byHand, job, noon, type TestService } from '../service.ts';
import { fakeScheduler } from './fake-scheduler.ts';
import { playCloudTasks } from './fake-tasks.ts';

/** Who makes requests come for what waits, where handlers run inside requests only. */

const GOOGLE = {
  PUNCTUAL_WAKE: 'tick',
  GOOGLE_CLOUD_PROJECT: 'shop',
  PUNCTUAL_LOCATION: 'europe-west1',
  PUNCTUAL_SERVICE_URL: 'https://punctual.example.com',
  PUNCTUAL_SCHEDULER_ACCOUNT: 'cron@shop.iam.gserviceaccount.com',
};
const withTasks = (endpoint: string) => ({
  ...GOOGLE,
  PUNCTUAL_TASKS_QUEUE: 'punctual',
  PUNCTUAL_TASKS_ACCOUNT: 'tasks@shop.iam.gserviceaccount.com',
  PUNCTUAL_TASKS_ENDPOINT: endpoint,
});

/** An answer, while all that needs no time goes on happening. */
async function going<Value>(service: TestService, asking: Promise<Value>): Promise<Value> {
  let done = false;
  void asking.finally(() => (done = true)).catch(() => undefined);
  for (let turn = 0; turn < 400 && !done; turn += 1) {
    await service.settle();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return await asking;
}

describe('with Cloud Tasks', () => {
  test('a long run that a tick finds due becomes a task, and the task carries it', async () => {
    const fake = await playCloudTasks();
    const options = { env: withTasks(fake.endpoint), dispatch: openDispatch };
    const { service, ask } = await serve([job({ timeout: '5m' })], options);
    await service.clock.advance(60_000);

    const tick = await going(service, ask('POST', '/triggers/tick'));
    await going(service, ask('POST', '/triggers/tick'));
    const url = new URL(fake.tasks[0]?.httpRequest.url ?? '');
    const carried = await going(service, ask('POST', url.pathname));

    expect(tick.body).toEqual({ started: 0 });
    expect(fake.tasks).toHaveLength(1);
    expect(url.pathname).toBe('/triggers/runs/job%4020260301T000100Z');
    expect(carried.body).toMatchObject({ outcome: 'started', started: ['job@20260301T000100Z'] });
    expect((await service.lastRun()).state).toBe('succeeded');
  });

  test('a retry becomes a task for the very second that it falls due', async () => {
    const fake = await playCloudTasks();
    const failing = (): never => {
      throw new Error('not yet');
    };
    const backoff = { from: '17s', jitter: 0 } as const;
    const retry = { attempts: 2, backoff };
    const options = { env: withTasks(fake.endpoint), dispatch: openDispatch };
    const { service, ask } = await serve([job({ run: failing, retry })], options);
    await service.clock.advance(60_000);

    await going(service, ask('POST', '/triggers/jobs/job'));

    expect(fake.tasks).toHaveLength(1);
    expect(fake.tasks[0]?.name).toMatch(/-job_20260301T000100Z-2$/);
    expect(Number(fake.tasks[0]?.scheduleTime?.seconds)).toBe(noon('00:01:17') / 1000);
  });

  test('a run that somebody asks for is a task before they are answered', async () => {
    const fake = await playCloudTasks();
    const options = { env: withTasks(fake.endpoint), dispatch: openDispatch };
    const { service } = await serve([byHand({ timeout: '5m' })], options);
    const request = runRequest({ key: 'a' });

    const asked = await runNow(service.deps, service.deps.registry.get('job')!, request);

    expect(asked).toMatchObject({ kind: 'created', run: { state: 'queued' } });
    expect(fake.tasks).toHaveLength(1);
    expect(fake.tasks[0]?.scheduleTime).toBeNull();
  });

  test('while it does not answer, the next tick asks it again', async () => {
    const fake = await playCloudTasks();
    fake.fail(14, 1);
    const options = { env: withTasks(fake.endpoint), dispatch: openDispatch };
    const { service, ask } = await serve([job({ timeout: '5m' })], options);
    await service.clock.advance(60_000);

    await going(service, ask('POST', '/triggers/tick'));
    const before = fake.tasks.length;
    await going(service, ask('POST', '/triggers/tick'));

    expect([before, fake.tasks.length]).toEqual([0, 1]);
    expect(service.logged.some((line) => line.startsWith('warn dispatch_failed'))).toBe(true);
  });
});

describe('with Cloud Scheduler alone', () => {
  const env = (address: string) => ({ ...GOOGLE, PUNCTUAL_SCHEDULER_ENDPOINT: address });

  test("a long run that a tick finds due has its job's own trigger delivered", async () => {
    const fake = await fakeScheduler();
    fake.jobs.set('punctual-default-job-job', { name: 'x' } as never);
    const options = { env: env(fake.address), dispatch: openDispatch };
    const { service, ask } = await serve([job({ timeout: '5m' })], options);
    await service.clock.advance(60_000);

    for (let minute = 0; minute < 2; minute += 1) {
      await going(service, ask('POST', '/triggers/tick'));
    }

    expect(fake.calls).toEqual([
      'runJob punctual-default-job-job',
      'runJob punctual-default-job-job',
    ]);
  });

  test('a trigger that is not there is said to be missing, with what makes it', async () => {
    const fake = await fakeScheduler();
    const options = { env: env(fake.address), dispatch: openDispatch };
    const { service, ask } = await serve([job({ timeout: '5m' })], options);
    await service.clock.advance(60_000);

    await going(service, ask('POST', '/triggers/tick'));

    expect(service.logged.find((line) => line.includes('dispatch_failed'))).toContain(
      'there is no Cloud Scheduler job punctual-default-job-job: npm run scheduler:sync makes it',
    );
  });

  test('short runs are carried by the tick, and nobody is asked', async () => {
    const fake = await fakeScheduler();
    const options = { env: env(fake.address), dispatch: openDispatch };
    const { service, ask } = await serve([job({ timeout: '20s' })], options);
    await service.clock.advance(60_000);

    const tick = await going(service, ask('POST', '/triggers/tick'));

    expect(tick.body).toEqual({ started: 1 });
    expect(fake.calls).toEqual([]);
  });
});
