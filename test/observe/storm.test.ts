import { describe, expect, test } from 'vitest';
import type { Handler } from '../../server/core/job.ts';
import { wakeAll } from '../../server/core/wake.ts';
import { serve } from '../http/client.ts';
import { byHand, job, noon, openService } from '../service.ts';
import { alertEnv, alerting, while_ } from './alerting.ts';
import { receiver } from './receiver.ts';

/** Telling never gets in the way of running, and is bounded however much there is to tell. */

const failing: Handler = () => {
  throw new Error('the database is away');
};
const IN_REQUESTS = { PUNCTUAL_WAKE: 'tick', PUNCTUAL_REQUEST_DEADLINE_MS: '300000' };

describe('while a receiver does not answer', () => {
  async function hanging() {
    const site = await receiver();
    site.answers = [0];
    const jobs = [
      job({ name: 'bad', run: failing }),
      job({ name: 'good' }),
      byHand({ name: 'hand' }),
    ];
    const { service, ask } = await serve(jobs, { env: alertEnv(site) });
    await service.wake('00:01:00');
    await site.count(1);
    return { site, service, ask };
  }

  test('runs start and end on time, of the job that is told of too', async () => {
    const { service } = await hanging();

    await service.wake('00:02:00');
    await service.wake('00:03:00');

    for (const name of ['bad', 'good']) {
      const runs = await service.runs(name);
      expect(runs.map(({ startedAt }) => startedAt)).toEqual(
        [1, 2, 3].map((minute) => noon(`00:0${minute}:00`)),
      );
      expect(runs.every(({ endedAt, startedAt }) => endedAt === startedAt)).toBe(true);
    }
  });

  test('people are answered at once', async () => {
    const { ask } = await hanging();

    const asked = await ask('POST', '/api/v1/jobs/hand/runs');
    const tick = await ask('POST', '/triggers/tick');

    expect([asked, tick].map(({ status }) => status)).toEqual([202, 200]);
  });

  test('the service stops within two seconds more, and says what was not told', async () => {
    const { service } = await hanging();
    const before = service.clock.monotonic();

    await while_(service, 100, service.stop());

    expect(service.clock.monotonic() - before).toBeLessThan(3000);
    expect(service.logged.find((line) => line.includes('alert_not_sent'))).toContain(
      'the service is shutting down',
    );
  });
});

test('when all fails at once the first hundred are told, and how many were not is logged', async () => {
  const jobs = Array.from({ length: 130 }, (_, i) => job({ name: `job-${i}`, run: failing }));
  const { service, site, told } = await alerting(jobs, { env: { PUNCTUAL_MAX_RUNNING: '1000' } });
  let begin = (): void => undefined;
  site.answers = [(res) => (begin = () => res.writeHead(204).end()), 204];
  await service.clock.advance(60_000);
  await while_(service, 0, wakeAll(service.deps, { aheadMs: 0, thorough: true }));
  await site.count(1);
  await service.idle();
  begin();

  const alerts = await told();

  expect(new Set(alerts.map(({ id }) => id)).size).toBe(101);
  expect(service.logged.filter((line) => line.includes('alerts_dropped'))).toEqual([
    'warn alerts_dropped {"count":29}',
  ]);
});

test('alerts come in the order in which things happened', async () => {
  const jobs = Array.from({ length: 20 }, (_, i) => job({ name: `job-${i}`, run: failing }));
  const { service, told } = await alerting(jobs);
  await service.wake('00:01:00');

  const ended = service.logged.filter((line) => line.startsWith('warn attempt_ended'));

  expect((await told()).map(({ job: name }) => name)).toEqual(
    ended.map((line) => /"job":"(job-\d+)"/.exec(line)?.[1]),
  );
});

describe('where an instance may stand still after its answer', () => {
  test('a trigger is answered when its alerts are told', async () => {
    const site = await receiver();
    let take = (): void => undefined;
    site.answers = [(res) => (take = () => res.writeHead(204).end())];
    const { service, ask } = await serve([job({ run: failing })], {
      env: { ...alertEnv(site), ...IN_REQUESTS },
    });
    await service.clock.advance(60_000);
    let answered = false;
    const asking = ask('POST', '/triggers/tick').finally(() => (answered = true));
    await while_(service, 0, site.count(1));
    await service.settle();
    const early = answered;
    take();
    const answer = await while_(service, 0, asking);

    expect(early).toBe(false);
    expect(answer).toMatchObject({ status: 200, body: { started: 1 } });
    expect(service.logged.some((line) => line.startsWith('info alert_sent'))).toBe(true);
  });

  test('but no later than the request may take', async () => {
    const site = await receiver();
    site.answers = [0];
    const jobs = Array.from({ length: 4 }, (_, i) => job({ name: `job-${i}`, run: failing }));
    const { service, ask } = await serve(jobs, { env: { ...alertEnv(site), ...IN_REQUESTS } });
    await service.clock.advance(60_000);
    const before = service.clock.monotonic();

    const answer = await while_(service, 500, ask('POST', '/triggers/tick'));

    expect(answer.status).toBe(200);
    expect(service.clock.monotonic() - before).toBeLessThan(55_000);
    expect((await service.runs()).map(({ state }) => state)).toEqual(Array(4).fill('failed'));
  });
});

test('a stop tells what has just failed', async () => {
  const site = await receiver();
  const run: Handler = ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const service = await openService([job({ run })], { env: alertEnv(site) });
  await service.wake('00:01:00');

  await while_(service, 1, service.stop());

  expect(site.received.map(({ body }) => body)).toMatchObject([{ kind: 'lost' }]);
});
