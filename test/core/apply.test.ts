import { describe, expect, test } from 'vitest';
import { apply, newIntent } from '../../server/core/apply.ts';
import { momentOf } from '../../server/core/held.ts';
import { cancelRun, runNow } from '../../server/core/run-now.ts';
import {
  StoreUnavailable,
  UnknownOutcome,
  type Commit,
  type Committed,
} from '../../server/core/store.ts';
import { wakeAll, wakeJob } from '../../server/core/wake.ts';
import { runRequest } from '../builders.ts';
import { byHand, job, noon, openService, tempDb, type TestService } from '../service.ts';
import { holdUp, testClock } from '../test-clock.ts';

/**
 * What becomes of each commit in turn: applied with its reply lost, or sent twice by a client that
 * tells of the second only; or never arrived; or fine.
 */
type Fate = 'reply-lost' | 'sent-twice' | 'never-arrived' | 'unavailable' | 'fine';

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
    return fate === 'sent-twice' ? await commit(order) : committed;
  };
  return seen;
}

/** Lets everything go on that waits a moment before it tries again. */
async function patience(service: TestService): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await service.clock.advance(50);
}

describe.each(['reply-lost', 'sent-twice'] as const)('a commit that was applied (%s)', (fate) => {
  test('of a claim is found again by its own ids: the run starts once', async () => {
    let starts = 0;
    const service = await openService([job({ run: () => void starts++ })]);
    const seen = unreliable(service, [fate]);
    await service.clock.advance(60_000);

    const waking = wakeJob(service.deps, 'job');
    await patience(service);
    const woken = await waking;

    expect([woken.outcome, starts]).toEqual(['started', 1]);
    expect(seen[0]).toBe(`claim ${fate}`);
    expect((await service.lastRun()).attempts).toHaveLength(1);
  });

  test('of a finish is found again: the run ended once, as it did', async () => {
    const service = await openService([job({ run: () => 'done' })]);
    const seen = unreliable(service, ['fine', fate]);
    await service.wake('00:01:00');

    await patience(service);

    expect(seen).toEqual(['claim fine', `finish ${fate}`]);
    expect(await service.lastRun()).toMatchObject({ state: 'succeeded', output: '"done"' });
    expect((await service.lastRun()).lateResult).toBeNull();
    expect(service.logged.join('\n')).not.toContain('late_result');
  });

  test('of a run by hand is found again: it is created once, and starts', async () => {
    let starts = 0;
    const service = await openService([byHand({ run: () => void starts++ })]);
    unreliable(service, [fate]);

    const asking = runNow(service.deps, byHand({}), runRequest({ key: 'k' }));
    await patience(service);
    const requested = await asking;

    expect(requested.kind).toMatch(/created|replayed/);
    expect([starts, (await service.runs()).length]).toEqual([1, 1]);
  });

  test('of a cancel is told so', async () => {
    const slow = byHand({ overlap: 'queue', run: () => new Promise(() => undefined) });
    const service = await openService([slow]);
    const request = { input: undefined, beside: false, rerunOf: null, by: null, traceparent: null };
    await runNow(service.deps, slow, { ...request, key: 'first' });
    const waiting = await runNow(service.deps, slow, { ...request, key: 'second' });
    if (waiting.kind !== 'created') throw new Error(waiting.kind);
    unreliable(service, [fate]);

    const asking = cancelRun(service.deps, waiting.run.id, 'ann');
    await patience(service);

    expect((await asking).kind).toBe('unchanged');
    expect((await service.store.getRun(waiting.run.id))?.state).toBe('cancelled');
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

test('who stood still until its time was up, and finds all done by another, takes it for done', async () => {
  const [clock, path] = [testClock(), tempDb()];
  const service = await openService([job({})], { clock, path });
  const other = await openService([job({})], { clock, path });
  await clock.advance(60_000);
  const commit = service.store.commit.bind(service.store);
  service.store.commit = async (order) => {
    service.store.commit = commit;
    await wakeJob(other.deps, 'job');
    holdUp(clock, 0, 15_000);
    return await commit(order);
  };

  const waking = wakeJob(service.deps, 'job');
  await patience(service);

  expect((await waking).started).toEqual([]);
  expect(await service.runs()).toHaveLength(1);
});

describe('a job of which no claim comes to anything', () => {
  async function claimless(reply: Exclude<Committed, { kind: 'ok' }>): Promise<TestService> {
    const service = await openService(['aa', 'bb', 'cc'].map((name) => job({ name })));
    const commit = service.store.commit.bind(service.store);
    service.store.commit = (order) =>
      order.name === 'aa' ? Promise.resolve(reply) : commit(order);
    await service.clock.advance(60_000);
    const waking = wakeAll(service.deps, { aheadMs: 0, thorough: true });
    for (let turn = 0; turn < 300; turn++) await service.clock.advance(50);
    await waking;
    service.store.commit = commit;
    return service;
  }

  test('keeps no other from being woken', async () => {
    const service = await claimless({ kind: 'conflict' });

    expect((await service.runs()).map((run) => run.job).toSorted()).toEqual(['bb', 'cc']);
    expect((await service.store.read('aa')).setAside).toMatch(/could not wake job "aa"/);
  });

  test('since others change it all the time is set aside for one tick only', async () => {
    const service = await claimless({ kind: 'conflict' });

    await service.clock.advance(service.deps.timing.tickMs);
    await wakeAll(service.deps, { aheadMs: 0, thorough: true });
    await service.settle();

    const [first] = await service.runs('aa');
    expect(first?.scheduledAt).toBe(noon('00:01:00'));
    expect(service.logged.join('\n')).toContain('warn job_contended');
    expect(service.logged.join('\n')).not.toContain('job_quarantined');
  });

  test.each([
    { kind: 'missing', runIds: ['aa@x'] },
    { kind: 'exists', runIds: ['aa@x'] },
  ] as const)('since its history contradicts it ($kind) is called broken', async (reply) => {
    const service = await claimless(reply);

    expect(service.logged.join('\n')).toContain('error job_quarantined');
    expect(service.logged.join('\n')).not.toContain('job_contended');
  });
});

describe('a run that contradicts its job', () => {
  /** Works for ever, and its beats do not get through: the next wake-up judges it. */
  async function givenUp(path: string) {
    let finish = (): void => undefined;
    const run = (): Promise<void> => new Promise((resolve) => (finish = resolve));
    const service = await openService([job({ run, timeout: '1h' })], { path });
    await service.wake('00:01:00');
    const commit = service.store.commit.bind(service.store);
    service.store.commit = (order) =>
      order.op === 'renew' ? Promise.reject(new StoreUnavailable('cut off')) : commit(order);
    await service.clock.advance(noon('00:02:36') - service.clock.wall());
    return { service, finish: () => finish() };
  }

  test('since it was ended while it was being read is a lost race, and no broken record', async () => {
    const { service, finish } = await givenUp(':memory:');
    const { store } = service;
    const getRun = store.getRun.bind(store);
    let reads = 0;
    store.getRun = async (id) => {
      // Whoever judges the lease has read the job; now its owner ends the run after all.
      if (reads++ === 0) {
        finish();
        await service.settle();
      }
      return await getRun(id);
    };

    const waking = wakeAll(service.deps, { aheadMs: 0, thorough: true });
    await patience(service);
    await waking;

    const ended = await getRun('job@20260301T000100Z');
    expect([reads > 0, ended?.state, ended?.attempts.length]).toEqual([true, 'succeeded', 1]);
    expect((await store.read('job')).setAside).toBeUndefined();
    expect(service.logged.join('\n')).not.toContain('job_quarantined');
  });

  test('although nobody wrote to it is a broken record at once', async () => {
    const path = tempDb();
    const { service } = await givenUp(path);
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(path);
    db.exec("UPDATE runs SET doc = json_set(doc, '$.attempts[0].endedAt', 1)");
    db.close();

    await wakeAll(service.deps, { aheadMs: 0, thorough: true });

    expect((await service.store.read('job')).setAside).toMatch(/ended twice/);
  });
});

test('a wake-up with nothing to do hands back the record that it was given', async () => {
  const service = await openService([job({})]);
  const askedAt = momentOf(service.clock);
  const { record, version, ...rest } = await service.store.read('job');
  if (record === undefined || version === undefined) throw new Error('the job has no record');
  const held = { ...rest, record, version, askedAt, at: momentOf(service.clock) };
  await service.clock.advance(2000);

  const wish = { job: 'job', op: 'claim', event: { kind: 'wake' }, held } as const;
  const applied = await apply(service.deps, newIntent(service.deps, wish, 1000));

  // A time that was reckoned rounds down: reckoning from it again and again would fall behind.
  expect(applied.kind === 'nothing' && applied.held).toBe(held);
});
