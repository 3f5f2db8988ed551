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

/** Longer than a busy machine holds anybody up: what comes through is answered in time. */
const CALL_MS = 5000;
/** Where nothing is to come through: it is waited for to the end. */
const SHORT_MS = 1000;
const BETWEEN_MS = 3000;
const DELAY_MS = 250;
/** How long a busy machine may hold everybody up. */
const NOISE_MS = 20_000;
const NAME = 'nightly-report';
/** What is asked for by hand is run here, and waits for no tick. */
const AWAKE = { PUNCTUAL_WAKE: 'timer' };

/** A store behind a proxy, and one beside it that sees what really stands there. */
async function world(callMs = CALL_MS) {
  const project = newProject();
  const proxy = await startProxy(emulator ?? '', { onEnd: onTestFinished });
  const store = openStore({ project, address: proxy.address, callMs });
  const direct = openStore({ project });
  onTestFinished(async () => void (await Promise.all([store.close(), direct.close()])));
  // A first call takes longer: it waits for the client to be loaded, and for a connection.
  await direct.read(NAME);
  await until(() => store.read(NAME).catch(() => undefined), 20_000);
  return { project, proxy, store, direct, callMs, lateMs: callMs * 2 };
}

/** The next calls of a method meet these fates, one after the other; all others pass. */
function next(
  { proxy, lateMs }: { readonly proxy: Proxy; readonly lateMs: number },
  method: string,
  ...fates: Fate['kind'][]
): void {
  proxy.setFates((called) => {
    const kind = called === method ? (fates.shift() ?? 'pass') : 'pass';
    return kind === 'late' || kind === 'delay' || kind === 'reply delayed'
      ? { kind, ms: kind === 'late' ? lateMs : DELAY_MS }
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
/** Never answered, so that each call takes as long as it may. */
const isInVain = (fate: Fate['kind']): boolean =>
  ['reply lost', 'request lost', 'late'].includes(fate);

describe.skipIf(emulator === null)('over a bad connection', () => {
  test.each(APPLIED)('a commit (%s) is unknown, and stands in the store', async (fate) => {
    const here = await world(SHORT_MS);
    const { proxy, store, direct } = here;
    next(here, 'Commit', fate);

    const committed = store.commit(commit(jobRecord()));

    await expect(committed).rejects.toThrow(UnknownOutcome);
    // A busy emulator may take longer than the call was waited for.
    expect((await until(async () => (await direct.read(NAME)).record, 20_000)).name).toBe(NAME);
    expect(proxy.calls.get('Commit')).toBe(1);
  });

  test.each(NOT_APPLIED)('a commit (%s) is unknown, and does not stand there', async (fate) => {
    const here = await world(SHORT_MS);
    const { proxy, store, direct } = here;
    next(here, 'Commit', fate);

    const committed = store.commit(commit(jobRecord()));

    await expect(committed).rejects.toThrow(UnknownOutcome);
    expect((await direct.read(NAME)).record).toBeUndefined();
    expect(proxy.calls.get('Commit')).toBe(1);
  });

  test('a commit that is aborted is a conflict', async () => {
    const here = await world();
    const { proxy, store, direct } = here;
    next(here, 'Commit', 'aborted');

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
    const here = await world(SHORT_MS);
    const { store, direct } = here;
    // So late that there is time to look before, also on a busy machine.
    next({ ...here, lateMs: SHORT_MS + 6000 }, 'Commit', 'late');

    await expect(store.commit(commit(jobRecord()))).rejects.toThrow(UnknownOutcome);
    expect((await direct.read(NAME)).record).toBeUndefined();
    await until(async () => (await direct.read(NAME)).record, 20_000);
  });

  test('a read that fails twice is answered the third time, and not a fourth', async () => {
    const here = await world();
    const { store } = here;

    next(here, 'BatchGetDocuments', 'unavailable', 'connection cut');
    expect((await store.read(NAME)).storeNow).toBeGreaterThan(0);
    next(here, 'BatchGetDocuments', 'unavailable', 'reply reset', 'aborted');
    await expect(store.read(NAME)).rejects.toThrow(StoreUnavailable);
  });

  test('of a list that is cut short no part is taken for the whole', async () => {
    const here = await world();
    const { store } = here;
    const names = ['a', 'b', 'c', 'd', 'e'];
    await Promise.all(names.map((name) => store.commit(commit(jobRecord({ name })))));

    next(here, 'RunQuery', 'reply cut short');
    expect((await store.listJobs({ limit: 9 })).map(({ name }) => name)).toEqual(names);
    next(here, 'RunQuery', 'reply cut short', 'reply cut short', 'reply cut short');
    await expect(store.listJobs({ limit: 9 })).rejects.toThrow(StoreUnavailable);
  });

  test('no call takes longer than its tries may', async () => {
    const { proxy, store } = await world(SHORT_MS);
    proxy.setFates(() => ({ kind: 'request lost' }));
    const before = new Map(proxy.calls);
    const triesOf = (method: string): number =>
      (proxy.calls.get(method) ?? 0) - (before.get(method) ?? 0);
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
    expect(['Commit', 'BatchGetDocuments', 'RunQuery'].map(triesOf)).toEqual([1, 3, 3]);
    expect(write).toBeLessThan(SHORT_MS + NOISE_MS);
    expect(read).toBeLessThan(SHORT_MS * 3 + 450 + NOISE_MS);
    expect(query).toBeLessThan(SHORT_MS * 3 + 450 + NOISE_MS);
  });

  const FATES = [...APPLIED, ...NOT_APPLIED, 'aborted', 'late', 'delay'] as const;

  test.each(FATES)('a start and an end whose commits are %s are applied once', async (fate) => {
    const here = await world(isInVain(fate) ? BETWEEN_MS : CALL_MS);
    const { proxy, project, direct, callMs } = here;
    const reached = { project, address: proxy.address, callMs, env: AWAKE };
    let starts = 0;
    const job = defineJob({ name: 'job', run: () => void (starts += 1) });
    const service = await openService([job], reached);
    await register(service);
    const request = runRequest({ key: 'key' });

    const applied = APPLIED.some((one) => one === fate) || fate === 'delay';
    next(here, 'Commit', ...(applied ? [fate, fate] : ([fate, 'pass', fate] as const)));
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
    const here = await world();
    const { proxy, project, callMs } = here;
    const reached = { project, address: proxy.address, callMs, env: AWAKE };
    const service = await openService([defineJob({ name: 'job', run: () => undefined })], reached);
    await register(service);
    const pause = { kind: 'pause', by: null, note: null, until: null } as const;
    const intent = { job: 'job', op: 'pause', event: pause };
    const countedFrom = () => [...service.store.costs()].filter(([op]) => op !== 'unsure');
    const sum = (costs: [string, Cost][]) => costs.reduce((all, [, { writes }]) => all + writes, 0);

    next(here, 'Commit', fate);
    await apply(service.deps, newIntent(service.deps, intent, 40_000));

    const known = sum(countedFrom());
    const unsure = service.store.costs().get('unsure')?.writes ?? 0;
    const applied = APPLIED.some((one) => one === fate);
    // Of an unknown outcome nobody can say whether it is billed, so it is counted apart.
    expect(unsure).toBe(['aborted', 'delay'].includes(fate) ? 0 : 2);
    expect(proxy.written()).toBe(known + (applied ? unsure : 0));
  });
});
