import { expect, test } from 'vitest';
import { runNow } from '../../server/core/run-now.ts';
import { wakeJob } from '../../server/core/wake.ts';
import { runRequest } from '../builders.ts';
import { byHand, job, noon, openService } from '../service.ts';

const request = runRequest();

test('a stop waits for a claim that is under way, and hands it back without starting it', async () => {
  let starts = 0;
  const service = await openService([job({ onLost: 'retry', run: () => void starts++ })]);
  await service.clock.advance(60_000);
  const commit = service.store.commit.bind(service.store);
  let arrive = (): void => undefined;
  const arriving = new Promise<void>((resolve) => (arrive = resolve));
  service.store.commit = async (order) => {
    if (order.op === 'claim') await arriving;
    return await commit(order);
  };

  const waking = wakeJob(service.deps, 'job');
  await service.settle();
  const draining = service.deps.runner.drain(service.deps, 4000);
  await service.settle();
  arrive();
  await service.settle();
  const left = await draining;
  await waking;

  expect([left, starts]).toEqual([0, 0]);
  expect(await service.lastRun()).toMatchObject({
    state: 'retry_wait',
    attempts: [{ outcome: 'interrupted' }],
  });
});

test('with room for one, a job turned away for nothing is looked at again at once', async () => {
  const started: string[] = [];
  const mark = (name: string) => () => void started.push(name);
  const only = { runs: 'none' } as const;
  const service = await openService(
    [
      job({ name: 'a', schedule: '1 0 * * *', catchUp: only, run: mark('a') }),
      job({ name: 'b', schedule: '10 0 * * *', run: mark('b') }),
    ],
    { env: { PUNCTUAL_MAX_RUNNING: '1' } },
  );
  await service.clock.advance(noon('00:10:00') - service.clock.wall());

  service.timer.start();
  await service.settle();
  await service.clock.advance(100);
  const stopping = service.timer.stop();
  await service.settle();
  await stopping;

  expect(started).toEqual(['b']);
});

test('a run that is replaced in this process is told at once', async () => {
  let aborted = false;
  const run = ({ signal }: { signal: AbortSignal }): Promise<never> =>
    new Promise((_, reject) =>
      signal.addEventListener('abort', () => {
        aborted = true;
        reject(signal.reason);
      }),
    );
  const replaced = byHand({ overlap: 'replace', run });
  const service = await openService([replaced]);
  await runNow(service.deps, replaced, request);

  await runNow(service.deps, replaced, request);
  await service.clock.advance(1000);

  expect(aborted).toBe(true);
  const states = (await service.runs()).map(({ state }) => state);
  expect(states.toSorted()).toEqual(['cancelled', 'running']);
});

test('duplicate triggers of a running job cost no write', async () => {
  const service = await openService([job({ run: () => new Promise(() => undefined) })]);
  await service.wake('00:01:00');
  const before = (await service.store.read('job')).version;

  for (let n = 0; n < 20; n++) await wakeJob(service.deps, 'job');

  expect((await service.store.read('job')).version).toBe(before);
});
