import { describe, expect, test } from 'vitest';
import { auditStore } from '../../server/core/audit.ts';
import { cancelRun, runNow } from '../../server/core/run-now.ts';
import {
  StoreUnavailable,
  UnknownOutcome,
  type Commit,
  type Committed,
} from '../../server/core/store.ts';
import { wakeAll, wakeJob } from '../../server/core/wake.ts';
import { byHand, job, noon, openService, tempDb, type TestService } from '../service.ts';

/** What becomes of each commit in turn: applied with its reply lost, or never arrived, or fine. */
type Fate = 'reply-lost' | 'never-arrived' | 'unavailable' | 'fine';

/** The real store behind a line that loses things. */
function unreliable(service: TestService, fates: Fate[]): readonly string[] {
  const { store } = service;
  const commit = store.commit.bind(store);
  const seen: string[] = [];
  store.commit = async (order: Commit): Promise<Committed> => {
    const fate = fates.shift() ?? 'fine';
    seen.push(`${order.op} ${fate}`);
    if (fate === 'unavailable') throw new StoreUnavailable('locked');
    if (fate === 'never-arrived') throw new UnknownOutcome('timed out');
    const committed = await commit(order);
    if (fate === 'reply-lost') throw new UnknownOutcome('the reply was lost');
    return committed;
  };
  return seen;
}

/** Lets everything go on that waits a moment before it tries again. */
async function patience(service: TestService): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await service.clock.advance(50);
}

describe('a commit whose reply is lost', () => {
  test('of a claim is found again by its own ids: the run starts once', async () => {
    let starts = 0;
    const service = await openService([job({ run: () => void starts++ })]);
    const seen = unreliable(service, ['reply-lost']);
    await service.clock.advance(60_000);

    const waking = wakeJob(service.deps, 'job');
    await patience(service);
    const woken = await waking;

    expect([woken.outcome, starts]).toEqual(['started', 1]);
    expect(seen[0]).toBe('claim reply-lost');
    expect((await service.lastRun()).attempts).toHaveLength(1);
  });

  test('of a finish is found again: the run ended once, as it did', async () => {
    const service = await openService([job({ run: () => 'done' })]);
    const seen = unreliable(service, ['fine', 'reply-lost']);
    await service.wake('00:01:00');

    await patience(service);

    expect(seen).toEqual(['claim fine', 'finish reply-lost']);
    expect(await service.lastRun()).toMatchObject({ state: 'succeeded', output: '"done"' });
    expect((await service.lastRun()).lateResult).toBeNull();
  });

  test('of a run by hand is found again: it is created once, and starts', async () => {
    let starts = 0;
    const service = await openService([byHand({ run: () => void starts++ })]);
    unreliable(service, ['reply-lost']);

    const asking = runNow(service.deps, byHand({}), {
      input: undefined,
      key: 'k',
      beside: false,
      by: null,
      traceparent: null,
    });
    await patience(service);
    const requested = await asking;

    expect(requested.kind).toMatch(/created|replayed/);
    expect([starts, (await service.runs()).length]).toEqual([1, 1]);
  });
});

describe('a commit that never arrived', () => {
  test.each(['never-arrived', 'unavailable'] as const)('(%s) is tried again', async (fate) => {
    const service = await openService([job({ run: () => 'done' })]);
    unreliable(service, [fate, fate, 'fine', fate]);
    await service.clock.advance(60_000);

    const waking = wakeJob(service.deps, 'job');
    await patience(service);
    await waking;
    await patience(service);

    expect(await service.lastRun()).toMatchObject({ state: 'succeeded', output: '"done"' });
  });
});

test('of two that wake one job at once, one wins, and the loser finds it decided', async () => {
  let starts = 0;
  const service = await openService([job({ run: () => void starts++ })]);
  await service.clock.advance(60_000);

  const waking = Promise.all([wakeJob(service.deps, 'job'), wakeJob(service.deps, 'job')]);
  await patience(service);
  const woken = await waking;

  expect(starts).toBe(1);
  expect(woken.flatMap(({ started }) => started)).toHaveLength(1);
});

test('a cancel that was applied although its reply was lost is told so', async () => {
  const slow = byHand({ overlap: 'queue', run: () => new Promise(() => undefined) });
  const service = await openService([slow]);
  const request = { input: undefined, beside: false, by: null, traceparent: null };
  await runNow(service.deps, slow, { ...request, key: 'first' });
  const waiting = await runNow(service.deps, slow, { ...request, key: 'second' });
  if (waiting.kind !== 'created') throw new Error(waiting.kind);
  unreliable(service, ['reply-lost']);

  const asking = cancelRun(service.deps, waiting.run.id, 'ann');
  await patience(service);

  expect((await asking).kind).toBe('unchanged');
  expect((await service.store.getRun(waiting.run.id))?.state).toBe('cancelled');
});

test('one job that can never be decided keeps no other from being woken', async () => {
  const jobs = ['aa', 'bb', 'cc'].map((name) => job({ name }));
  const service = await openService(jobs);
  const commit = service.store.commit.bind(service.store);
  service.store.commit = (order) =>
    order.name === 'aa' ? Promise.resolve({ kind: 'conflict' }) : commit(order);
  await service.clock.advance(60_000);

  const waking = wakeAll(service.deps, { aheadMs: 0, thorough: true });
  for (let turn = 0; turn < 300; turn++) await service.clock.advance(50);
  await waking;

  expect((await service.runs()).map((run) => run.job).toSorted()).toEqual(['bb', 'cc']);
  expect((await service.store.read('aa')).setAside).toMatch(/could not wake job "aa"/);
});

test('what is on record although the watermark was set back is neither run nor recorded again', async () => {
  const path = tempDb();
  const service = await openService([job({})], { path });
  await service.wake('00:01:00');
  await service.wake('00:30:00');
  await service.wake('00:31:00');
  const { DatabaseSync } = await import('node:sqlite');
  const db = new DatabaseSync(path);
  // As a restored backup of the one table would leave it.
  db.exec(
    `UPDATE jobs SET rev = rev + 1, next_action_at = ${noon('00:01:00')},
       doc = json_set(doc, '$.watermark', ${noon('00:00:30')}, '$.freeAt', ${noon('00:00:30')})`,
  );
  db.close();

  await service.clock.advance(noon('00:40:00') - service.clock.wall());
  const waking = wakeAll(service.deps, { aheadMs: 0, thorough: true });
  await patience(service);
  await waking;

  const { gaps, occurrences } = await auditStore(service.store);
  expect([gaps, occurrences]).toEqual([[], 40]);
  const actions = await service.store.listActions(50);
  expect(actions.map(({ action }) => action)).toContain('anomaly');
});

test('a finish that comes after the run was judged lost is kept beside it', async () => {
  let finish = (_value: string): void => undefined;
  const run = (): Promise<string> => new Promise((resolve) => (finish = resolve));
  const service = await openService([job({ run, timeout: '1h' })]);
  await service.wake('00:01:00');
  // Its beats do not get through, as if the process had been stopped; another one judges it.
  const commit = service.store.commit.bind(service.store);
  service.store.commit = (order) =>
    order.op === 'renew' ? Promise.reject(new StoreUnavailable('cut off')) : commit(order);
  await service.wake('00:02:40');

  finish('too late');
  await patience(service);

  const stored = (await service.runs()).find(({ id }) => id === 'job@20260301T000100Z');
  expect(stored?.state).toBe('lost');
  expect(stored?.lateResult).toMatchObject({ outcome: 'succeeded', output: '"too late"' });
});
