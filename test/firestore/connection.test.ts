import { describe, expect, onTestFinished, test } from 'vitest';
import { apply, newIntent } from '../../server/core/apply.ts';
import type { Cost } from '../../server/core/cost.ts';
import { defineJob } from '../../server/core/job.ts';
import { runNow } from '../../server/core/run-now.ts';
import { StoreUnavailable, UnknownOutcome } from '../../server/core/store.ts';
import { commit, jobRecord, runRequest } from '../builders.ts';
import { until } from '../process/server.ts';
import { freePort } from './emulator.ts';
import { emulator, newProject, openStore } from './fixture.ts';
import { startProxy, type Fate, type Proxy } from '../chaos/proxy.ts';
import { openService, register } from './service.ts';

/** What becomes of calls over a connection that fails in each way it can. */

const CALL_MS = 1000;
/** Less than a further try would take. */
const NOISE_MS = 900;
const NAME = 'nightly-report';
/** What is asked for by hand is run here, and waits for no tick. */
const AWAKE = { PUNCTUAL_WAKE: 'timer' };

/** A store behind a proxy, and one beside it that sees what really stands there. */
async function world() {
  const project = newProject();
  const proxy = await startProxy(emulator ?? '', { onEnd: onTestFinished });
  const store = openStore({ project, address: proxy.address, callMs: CALL_MS });
  const direct = openStore({ project });
  onTestFinished(async () => void (await Promise.all([store.close(), direct.close()])));
  // A first call takes longer: it waits for the client to be loaded, and for a connection.
  await direct.read(NAME);
  await until(() => store.read(NAME).catch(() => undefined), 20_000);
  return { project, proxy, store, direct };
}

/** The next calls of a method meet these fates, one after the other; all others pass. */
function next(proxy: Proxy, method: string, ...fates: Fate['kind'][]): void {
  proxy.setFates((called) => {
    const kind = called === method ? (fates.shift() ?? 'pass') : 'pass';
    return kind === 'late' || kind === 'delay' || kind === 'reply delayed'
      ? { kind, ms: kind === 'late' ? CALL_MS * 2 : CALL_MS / 4 }
      : { kind };
  });
}

const APPLIED = [
  'reply lost',
  'reply reset',
  'reply cut short',
  'connection cut',
  'applied, but unavailable',
] as const;
const NOT_APPLIED = ['unavailable', 'request lost'] as const;

describe.skipIf(emulator === null)('over a bad connection', () => {
  test.each(APPLIED)('a commit (%s) is unknown, and stands in the store', async (fate) => {
    const { proxy, store, direct } = await world();
    next(proxy, 'Commit', fate);

    const committed = store.commit(commit(jobRecord()));

    await expect(committed).rejects.toThrow(UnknownOutcome);
    expect((await direct.read(NAME)).record?.name).toBe(NAME);
    expect(proxy.calls.get('Commit')).toBe(1);
  });

  test.each(NOT_APPLIED)('a commit (%s) is unknown, and does not stand there', async (fate) => {
    const { proxy, store, direct } = await world();
    next(proxy, 'Commit', fate);

    const committed = store.commit(commit(jobRecord()));

    await expect(committed).rejects.toThrow(UnknownOutcome);
    expect((await direct.read(NAME)).record).toBeUndefined();
    expect(proxy.calls.get('Commit')).toBe(1);
  });

  test('a commit that is aborted is a conflict', async () => {
    const { proxy, store, direct } = await world();
    next(proxy, 'Commit', 'aborted');

    expect(await store.commit(commit(jobRecord()))).toEqual({ kind: 'conflict' });
    expect((await direct.read(NAME)).record).toBeUndefined();
    expect(proxy.calls.get('Commit')).toBe(1);
  });

  test('a commit that nobody could be sent to was surely not applied', async () => {
    const store = openStore({ project: newProject(), address: `127.0.0.1:${await freePort()}` });
    onTestFinished(() => store.close());

    await expect(store.commit(commit(jobRecord()))).rejects.toThrow(StoreUnavailable);
  });

  test('a commit that is late is unknown, and may be applied yet', async () => {
    const { proxy, store, direct } = await world();
    next(proxy, 'Commit', 'late');

    await expect(store.commit(commit(jobRecord()))).rejects.toThrow(UnknownOutcome);
    expect((await direct.read(NAME)).record).toBeUndefined();
    await until(async () => (await direct.read(NAME)).record, 20_000);
  });

  test('a read that fails twice is answered the third time, and not a fourth', async () => {
    const { proxy, store } = await world();

    next(proxy, 'BatchGetDocuments', 'unavailable', 'connection cut');
    expect((await store.read(NAME)).storeNow).toBeGreaterThan(0);
    next(proxy, 'BatchGetDocuments', 'unavailable', 'reply reset', 'aborted');
    await expect(store.read(NAME)).rejects.toThrow(StoreUnavailable);
  });

  test('of a list that is cut short no part is taken for the whole', async () => {
    const { proxy, store } = await world();
    const names = ['a', 'b', 'c', 'd', 'e'];
    await Promise.all(names.map((name) => store.commit(commit(jobRecord({ name })))));

    next(proxy, 'RunQuery', 'reply cut short');
    expect((await store.listJobs({ limit: 9 })).map(({ name }) => name)).toEqual(names);
    next(proxy, 'RunQuery', 'reply cut short', 'reply cut short', 'reply cut short');
    await expect(store.listJobs({ limit: 9 })).rejects.toThrow(StoreUnavailable);
  });

  test('no call takes longer than its tries may', async () => {
    const { proxy, store } = await world();
    proxy.setFates(() => ({ kind: 'request lost' }));
    const took = async (call: Promise<unknown>): Promise<number> => {
      const start = performance.now();
      await expect(call).rejects.toThrow(/Firestore/);
      return performance.now() - start;
    };

    const [write, read, query] = await Promise.all([
      took(store.commit(commit(jobRecord()))),
      took(store.read(NAME)),
      took(store.due({ limit: 1, aheadMs: 0 })),
    ]);

    // Three tries of a read, and the two pauses between them.
    expect(write).toBeLessThan(CALL_MS + NOISE_MS);
    expect(read).toBeLessThan(CALL_MS * 3 + 450 + NOISE_MS);
    expect(query).toBeLessThan(CALL_MS * 3 + 450 + NOISE_MS);
  });

  const FATES = [...APPLIED, ...NOT_APPLIED, 'aborted', 'late', 'delay'] as const;

  test.each(FATES)('a start and an end whose commits are %s are applied once', async (fate) => {
    const { proxy, project, direct } = await world();
    const reached = { project, address: proxy.address, callMs: CALL_MS, env: AWAKE };
    let starts = 0;
    const job = defineJob({ name: 'job', run: () => void (starts += 1) });
    const service = await openService([job], reached);
    await register(service);
    const request = runRequest({ key: 'key' });

    const applied = APPLIED.some((one) => one === fate) || fate === 'delay';
    next(proxy, 'Commit', ...(applied ? [fate, fate] : ([fate, 'pass', fate] as const)));
    const requested = await runNow(service.deps, service.deps.registry.get('job')!, request);
    await service.idle();

    expect(requested.kind).toBe('created');
    const { runs } = await direct.listRuns({ limit: 5 });
    expect(runs.map(({ state, lateResult }) => ({ state, lateResult }))).toEqual([
      { state: 'succeeded', lateResult: null },
    ]);
    expect(runs[0]?.attempts.map(({ outcome }) => outcome)).toEqual(['succeeded']);
    expect(starts).toBe(1);
  });

  test.each(FATES)('when a commit is %s, what is billed is counted', async (fate) => {
    const { proxy, project } = await world();
    const reached = { project, address: proxy.address, callMs: CALL_MS, env: AWAKE };
    const service = await openService([defineJob({ name: 'job', run: () => undefined })], reached);
    await register(service);
    const pause = { kind: 'pause', by: null, note: null, until: null } as const;
    const intent = { job: 'job', op: 'pause', event: pause };
    const countedFrom = () => [...service.store.costs()].filter(([op]) => op !== 'unsure');
    const sum = (costs: [string, Cost][]) => costs.reduce((all, [, { writes }]) => all + writes, 0);

    next(proxy, 'Commit', fate);
    await apply(service.deps, newIntent(service.deps, intent, 10_000));

    const known = sum(countedFrom());
    const unsure = service.store.costs().get('unsure')?.writes ?? 0;
    const applied = APPLIED.some((one) => one === fate);
    // Of an unknown outcome nobody can say whether it is billed, so it is counted apart.
    expect(unsure).toBe(['aborted', 'delay'].includes(fate) ? 0 : 2);
    expect(proxy.written()).toBe(known + (applied ? unsure : 0));
  });
});
