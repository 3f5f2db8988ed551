import { expect, test } from 'vitest';
import type { Handler } from '../../server/core/job.ts';
import { openDispatch } from '../../server/triggers/open-dispatch.ts';
import { job, type TestService } from '../service.ts';
import { fakeScheduler } from '../triggers/fake-scheduler.ts';
import { serve, type Answer } from './client.ts';
// Loaded by the first trigger otherwise, for which a slow machine takes its time.
import '../../server/http/triggers.ts';

/** Instances that a platform starts and ends: what one does that can't go on, or that has to end. */

const CLOUD = {
  K_SERVICE: 'punctual',
  PUNCTUAL_STORE: 'sqlite',
  GOOGLE_CLOUD_PROJECT: 'shop',
  PUNCTUAL_LOCATION: 'europe-west1',
  PUNCTUAL_SERVICE_URL: 'https://punctual.example.com',
  PUNCTUAL_SCHEDULER_ACCOUNT: 'cron@shop.iam.gserviceaccount.com',
};

const deaf: Handler = () => new Promise(() => undefined);
const heeds: Handler = ({ signal }) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

async function turns(service: TestService): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) {
    await service.settle();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The answer, while all that needs no time goes on happening. */
async function going(service: TestService, asking: Promise<Answer>): Promise<Answer> {
  let done = false;
  void asking.then(() => (done = true));
  for (let turn = 0; turn < 40 && !done; turn += 1) await turns(service);
  return await asking;
}

const givenUp = async ({ givenUp: happens }: TestService): Promise<boolean> => {
  const soon = new Promise<boolean>((resolve) => setTimeout(resolve, 5, false));
  return await Promise.race([happens.then(() => true), soon]);
};

/** Sends a trigger whose answer never comes: its handler goes on for as long as the test. */
const unanswered = (asking: Promise<Answer>): void => void asking.catch(() => undefined);

/** Two jobs, one of which does not stop at its timeout of 20 s, and the other runs for longer. */
async function withOneDeaf(env: Record<string, string>) {
  let finish = (): void => undefined;
  const other = new Promise<void>((resolve) => (finish = resolve));
  const jobs = [
    job({ name: 'deaf', run: deaf, timeout: '20s', schedule: '1 0 * * *' }),
    job({ name: 'other', run: () => other, timeout: '2m', schedule: '1 0 * * *' }),
    job({ name: 'third', schedule: '* * * * *' }),
  ];
  const { service, ask } = await serve(jobs, { env });
  await service.clock.advance(60_000);
  unanswered(ask('POST', '/triggers/jobs/deaf'));
  const carrying = ask('POST', '/triggers/jobs/other');
  await turns(service);
  await service.clock.advance(20_000);
  await turns(service);
  return { service, ask, carrying, finish };
}

test('a handler that does not stop closes its instance, which ends after the other runs', async () => {
  const { service, ask, carrying, finish } = await withOneDeaf(CLOUD);
  const before = await ask('GET', '/healthz');

  await service.clock.advance(5000);
  const [trigger, tick, health] = [
    await ask('POST', '/triggers/jobs/third'),
    await ask('POST', '/triggers/tick'),
    await ask('GET', '/healthz'),
  ];
  const early = await givenUp(service);
  finish();
  const carried = await going(service, carrying);
  await turns(service);

  expect([before.status, health.status]).toEqual([200, 503]);
  expect(trigger).toMatchObject({ status: 503, body: { title: 'Unavailable' } });
  expect(trigger.headers.get('retry-after')).toBe('5');
  expect(trigger.body?.['detail']).toContain('a handler does not stop');
  expect(tick.status).toBe(503);
  expect(carried.body).toMatchObject({ outcome: 'started' });
  expect([early, await givenUp(service)]).toEqual([false, true]);
  expect(await service.runs('third')).toEqual([]);
  expect((await service.runs('other'))[0]?.state).toBe('succeeded');
  // Its lease is not released: what still runs may not overlap with what comes.
  expect((await service.runs('deaf'))[0]?.state).toBe('running');
});

test('one that stops after all opens its instance again', async () => {
  let settle = (): void => undefined;
  const slow: Handler = () => new Promise<void>((resolve) => (settle = resolve));
  const { service, ask } = await serve(
    [
      job({ name: 'slow', run: slow, timeout: '20s' }),
      job({ name: 'long', run: heeds, timeout: '4m' }),
    ],
    { env: CLOUD },
  );
  await service.clock.advance(60_000);
  unanswered(ask('POST', '/triggers/jobs/slow'));
  unanswered(ask('POST', '/triggers/jobs/long'));
  await turns(service);
  await service.clock.advance(25_000);
  await turns(service);

  const closed = await ask('POST', '/triggers/jobs/long');
  settle();
  await turns(service);
  const open = await going(service, ask('POST', '/triggers/jobs/long'));

  expect([closed.status, open.status]).toEqual([503, 200]);
  expect(await givenUp(service)).toBe(false);
});

test('on one machine it goes on with the other jobs', async () => {
  const { service } = await withOneDeaf({});

  await service.clock.advance(60_000);
  await service.wake('00:03:00');

  expect(await givenUp(service)).toBe(false);
  expect((await service.runs('third')).length).toBeGreaterThan(0);
});

test('what is handed back at the end of an instance is woken at once, by one tick', async () => {
  const fake = await fakeScheduler();
  fake.jobs.set('punctual-default-tick', { name: 'x' } as never);
  const env = { ...CLOUD, PUNCTUAL_SCHEDULER_ENDPOINT: fake.address };
  const jobs = ['a', 'b'].map((name) => job({ name, run: heeds, onLost: 'retry' }));
  const { service, ask } = await serve(jobs, { env, dispatch: openDispatch });
  await service.clock.advance(60_000);
  const carrying = ['a', 'b'].map((name) => ask('POST', `/triggers/jobs/${name}`));
  await turns(service);

  const stopping = service.stop();
  for (const asking of carrying) await going(service, asking);
  await turns(service);
  await stopping;

  expect(fake.calls).toEqual(['runJob punctual-default-tick']);
});

test('an instance that ends with nothing under way wakes nobody', async () => {
  const fake = await fakeScheduler();
  const env = { ...CLOUD, PUNCTUAL_SCHEDULER_ENDPOINT: fake.address };
  const { service } = await serve([job({})], { env, dispatch: openDispatch });

  const stopping = service.stop();
  await turns(service);
  await stopping;

  expect(fake.calls).toEqual([]);
});
