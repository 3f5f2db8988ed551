import { describe, expect, test } from 'vitest';
import { readConfig } from '../../server/config.ts';
import type { Handler } from '../../server/core/job.ts';
import { readRegistry, RegistryProblems } from '../../server/core/registry.ts';
import { byHand, job, type TestService } from '../service.ts';
import { serve, type Answer } from './client.ts';
// Loaded by the first trigger otherwise, for which a slow machine takes its time.
import '../../server/http/triggers.ts';

/** Where an instance has CPU during requests only: runs are carried by the triggers' own. */

const IN_REQUESTS = { PUNCTUAL_WAKE: 'tick', PUNCTUAL_REQUEST_DEADLINE_MS: '300000' };
const WITH_TRIGGERS = {
  ...IN_REQUESTS,
  PUNCTUAL_SCHEDULER_ACCOUNT: 'cron@p.iam.gserviceaccount.com',
  PUNCTUAL_SERVICE_URL: 'https://p.example.com',
};

/** A handler that ends when it is told to, and counts how many were at work at once. */
function gates() {
  const open: (() => void)[] = [];
  let atOnce = 0;
  let most = 0;
  const run: Handler = async ({ signal }) => {
    atOnce += 1;
    most = Math.max(most, atOnce);
    await new Promise<void>((resolve, reject) => {
      open.push(resolve);
      signal.addEventListener('abort', () => reject(signal.reason));
    });
    atOnce -= 1;
  };
  return { run, open, most: () => most };
}

/** Whether an answer has come, after all that needs no time has happened. */
async function answered(service: TestService, asking: Promise<Answer>): Promise<boolean> {
  let done = false;
  void asking.then(() => (done = true));
  for (let turn = 0; turn < 20 && !done; turn += 1) {
    await service.settle();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return done;
}

/** The answer, while all that needs no time goes on happening. */
async function answerOf(service: TestService, asking: Promise<Answer>): Promise<Answer> {
  for (let turn = 0; turn < 100; turn += 1)
    if (await answered(service, asking)) return await asking;
  throw new Error('no answer');
}

describe('a trigger is answered when its runs are over', () => {
  test('a tick waits for what it started, and says 200 whatever becomes of it', async () => {
    const { run, open } = gates();
    const failing = (): never => {
      throw new Error('no');
    };
    const jobs = [job({ name: 'a', run }), job({ name: 'b', run: failing })];
    const { service, ask } = await serve(jobs, { env: IN_REQUESTS });
    await service.clock.advance(60_000);

    const asking = ask('POST', '/triggers/tick');
    const early = await answered(service, asking);
    open[0]?.();
    const answer = await answerOf(service, asking);

    expect(early).toBe(false);
    expect(answer).toMatchObject({ status: 200, body: { started: 2 } });
    expect((await service.runs()).map(({ state }) => state).toSorted()).toEqual([
      'failed',
      'succeeded',
    ]);
  });

  test('two deliveries at once: one carries the run, the other is answered at once', async () => {
    const { run, open } = gates();
    const { service, ask } = await serve([job({ run })], { env: WITH_TRIGGERS });
    await service.clock.advance(60_000);

    const first = ask('POST', '/triggers/jobs/job');
    await answered(service, first);
    const second = await answerOf(service, ask('POST', '/triggers/jobs/job'));
    open[0]?.();

    expect(second.body).toMatchObject({ outcome: 'busy', started: [] });
    expect((await answerOf(service, first)).body).toMatchObject({ outcome: 'started' });
    expect(await service.runs()).toHaveLength(1);
  });

  test('Cloud Tasks may name a run: its job is brought up to date', async () => {
    const { service, ask } = await serve([job({})], { env: WITH_TRIGGERS });
    await service.clock.advance(60_000);

    const answer = await answerOf(service, ask('POST', '/triggers/runs/job%4020260301T000100Z'));
    const unknown = await ask('POST', '/triggers/runs/nobody%4020260301T000100Z');

    expect(answer.body).toMatchObject({ job: 'job', outcome: 'started' });
    expect(unknown.status).toBe(404);
    expect((await service.lastRun()).state).toBe('succeeded');
  });
});

describe('a tick carries a few short runs', () => {
  test('at most four at once; the next starts when one is over', async () => {
    const { run, open, most } = gates();
    const jobs = Array.from({ length: 6 }, (_, i) =>
      job({ name: `job-${i}`, run, timeout: '20s' }),
    );
    const { service, ask } = await serve(jobs, { env: IN_REQUESTS });
    await service.clock.advance(60_000);

    const asking = ask('POST', '/triggers/tick');
    for (let done = 0; done < 6; done += 1) {
      expect(await answered(service, asking)).toBe(false);
      expect(open.length).toBe(Math.min(6, 4 + done));
      open[done]?.();
    }
    const answer = await answerOf(service, asking);

    expect(answer.body).toEqual({ started: 6 });
    expect(most()).toBe(4);
  });

  test('one that might outlive it is left to its own trigger', async () => {
    const jobs = [job({ name: 'long', timeout: '2m' }), job({ name: 'short', timeout: '30s' })];
    const { service, ask } = await serve(jobs, { env: WITH_TRIGGERS });
    await service.clock.advance(60_000);

    const tick = await answerOf(service, ask('POST', '/triggers/tick'));
    const own = await answerOf(service, ask('POST', '/triggers/jobs/long'));

    expect(tick.body).toEqual({ started: 1 });
    expect(own.body).toMatchObject({ job: 'long', outcome: 'started' });
    expect(await service.runs('long')).toMatchObject([{ state: 'succeeded' }]);
  });

  test('none starts that has no more time, and a later tick starts it', async () => {
    const { run, open } = gates();
    const jobs = Array.from({ length: 5 }, (_, i) =>
      job({ name: `job-${i}`, run, timeout: '35s' }),
    );
    const { service, ask } = await serve(jobs, { env: IN_REQUESTS });
    await service.clock.advance(60_000);

    const asking = ask('POST', '/triggers/tick');
    await answered(service, asking);
    await service.clock.advance(20_000);
    for (const end of open) end();
    const answer = await answerOf(service, asking);
    const again = ask('POST', '/triggers/tick');
    await answered(service, again);
    open[4]?.();

    expect([answer.body, (await answerOf(service, again)).body]).toEqual([
      { started: 4 },
      { started: 1 },
    ]);
  });
});

describe('what comes near the end of its request', () => {
  test('is asked to stop in time to be recorded', async () => {
    const { run } = gates();
    const definition = job({ run, timeout: '280s' });
    const { service, ask } = await serve([definition], { env: WITH_TRIGGERS });
    await service.clock.advance(60_000);

    const asking = ask('POST', '/triggers/jobs/job');
    await answered(service, asking);
    await service.clock.advance(280_000);
    const answer = await answerOf(service, asking);

    expect(answer).toMatchObject({ status: 200, body: { outcome: 'started' } });
    expect(await service.lastRun()).toMatchObject({ state: 'timed_out' });
  });

  test('if it does not stop the request is answered all the same, and its slot stays held', async () => {
    const deaf: Handler = () => new Promise(() => undefined);
    const { service, ask } = await serve([job({ run: deaf, timeout: '30s' })], {
      env: IN_REQUESTS,
    });
    await service.clock.advance(60_000);

    const asking = ask('POST', '/triggers/tick');
    await answered(service, asking);
    await service.clock.advance(50_000);
    const answer = await answerOf(service, asking);
    const next = await answerOf(service, ask('POST', '/triggers/jobs/job'));

    expect(answer.body).toEqual({ started: 1, unfinished: 1 });
    expect(next.body).toMatchObject({ outcome: 'busy' });
  });
});

describe('what people start', () => {
  test('waits for the next wake-up, which carries it', async () => {
    const { service, ask } = await serve([byHand({ timeout: '20s' })], { env: IN_REQUESTS });

    const asked = await ask('POST', '/api/v1/jobs/job/runs');
    const tick = await answerOf(service, ask('POST', '/triggers/tick'));

    expect(asked).toMatchObject({ status: 202, body: { state: 'queued' } });
    expect(tick.body).toEqual({ started: 1 });
    expect((await service.lastRun()).state).toBe('succeeded');
  });
});

describe('a timeout that no request could see out is refused at the start', () => {
  const problems = (timeout: string | undefined, env: Record<string, string>) => {
    const config = readConfig(env, '/', 0);
    const definition = job(timeout === undefined ? {} : ({ timeout } as never));
    try {
      return readRegistry([definition], config.timing, config.pace).get('job')?.spec.timeoutMs;
    } catch (error) {
      if (error instanceof RegistryProblems) return error.problems;
      throw error;
    }
  };

  test.each([
    ['40s', IN_REQUESTS, 40_000],
    [undefined, IN_REQUESTS, 40_000],
    [undefined, WITH_TRIGGERS, 290_000],
    ['290s', WITH_TRIGGERS, 290_000],
    [undefined, {}, 600_000],
    ['3h', {}, 10_800_000],
    [
      '41s',
      IN_REQUESTS,
      [
        'job "job": timeout: is 41s; only the tick carries runs here (set ' +
          'PUNCTUAL_SCHEDULER_ACCOUNT or PUNCTUAL_TASKS_QUEUE for longer ones), 40s at most',
      ],
    ],
    [
      '5m',
      WITH_TRIGGERS,
      [
        'job "job": timeout: is 5m; a run must be over before its request is ended here, 290s at most',
      ],
    ],
  ])('%s under %j: %j', (timeout, env, expected) => {
    expect(problems(timeout, env)).toEqual(expected);
  });
});
