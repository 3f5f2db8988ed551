import { expect, test } from 'vitest';
import {
  backfillJob,
  cancelRun,
  freeRun,
  pauseJob,
  resumeJob,
  runNow,
  type Request,
} from '../../server/core/run-now.ts';
import { runRequest } from '../builders.ts';
import { byHand, job, noon, openService } from '../service.ts';

/** Whatever a person does to a job is on record: who, what, and what it changed. */

const hangs = { run: () => new Promise(() => undefined), overlap: 'queue' } as const;
const request = runRequest({ by: 'ann' });

async function setUp(made = byHand(hangs)) {
  const service = await openService([made]);
  const start = async (change: Partial<Request> = {}) => {
    const asked = await runNow(service.deps, made, { ...request, ...change });
    if (asked.kind !== 'created') throw new Error(asked.kind);
    await service.clock.advance(1);
    return asked.run.id;
  };
  const told = async () => {
    const { actions } = await service.store.listActions({ limit: 20, job: 'job' });
    return actions.toReversed().map(({ action, by, runId, detail, before, after }) => {
      return { action, by, runId, detail, change: `${before} → ${after}` };
    });
  };
  return { ...service, start, told };
}

test('a run by hand', async () => {
  const { start, told } = await setUp();
  const first = await start();
  const second = await start({ input: { a: 1 } });
  const third = await start({ beside: true });

  const common = { action: 'run-now', by: 'ann' };
  expect(await told()).toEqual([
    { ...common, runId: first, detail: 'no input', change: 'null → running' },
    { ...common, runId: second, detail: 'input given', change: 'null → waiting' },
    { ...common, runId: third, detail: 'no input, beside the others', change: 'null → running' },
  ]);
});

test('a pause, another one, and its end', async () => {
  const { deps, clock, told } = await setUp(job({}));
  const until = noon('08:00:00');

  await pauseJob(deps, 'job', { by: 'ann', note: 'maintenance', until });
  await clock.advance(1);
  await pauseJob(deps, 'job', { by: 'bob', note: null, until: null });
  await clock.advance(1);
  await resumeJob(deps, 'job', 'ann');

  const maintenance = 'paused until 2026-03-01T08:00:00.000Z: maintenance';
  expect((await told()).map(({ action, by, change }) => [action, by, change])).toEqual([
    ['pause', 'ann', `active → ${maintenance}`],
    ['pause', 'bob', `${maintenance} → paused until resumed`],
    ['resume', 'ann', 'paused since 2026-03-01T00:00:00.000Z → active'],
  ]);
});

test('a cancel of what runs and of what waits, and a slot that is freed', async () => {
  const { deps, clock, start, told } = await setUp();
  const running = await start();
  const waiting = await start();

  await cancelRun(deps, running, 'ann');
  await clock.advance(1);
  await cancelRun(deps, waiting, 'ann');
  await clock.advance(1);
  await freeRun(deps, running, 'bob');

  const changes = (await told()).map(({ action, runId, change }) => [action, runId, change]);
  expect(changes.slice(2)).toEqual([
    ['cancel', running, 'running → told to stop'],
    ['cancel', waiting, 'waiting → cancelled'],
    ['free', running, 'running → cancelled, and its slot free'],
  ]);
});

test('a rerun that a person cancels while it waits still names what it repeats', async () => {
  const { deps, start, store } = await setUp();
  const first = await start();
  const again = await start({ rerunOf: first });

  await cancelRun(deps, again, 'ann');

  expect(await store.getRun(again)).toMatchObject({ state: 'cancelled', cause: first });
});

test('a backfill', async () => {
  const { deps, clock, told } = await setUp(job({ schedule: '0 * * * *' }));
  await clock.advance(6 * 3_600_000);

  await backfillJob(deps, 'job', { from: noon('01:00:00'), to: noon('03:00:00'), by: 'ann' });

  const span = '2026-03-01T02:00:00.000Z to 2026-03-01T03:00:00.000Z';
  expect((await told())[0]).toMatchObject({ action: 'backfill', detail: span });
  expect((await told())[0]?.change).toBe(`null → backfill of ${span}`);
});
