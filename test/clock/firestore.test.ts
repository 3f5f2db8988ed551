import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../server/config.ts';
import { auditStore } from '../../server/core/audit.ts';
import type { Handler } from '../../server/core/job.ts';
import { readRegistry } from '../../server/core/registry.ts';
import type { Clock } from '../../server/core/time.ts';
import { systemClock } from '../../server/process/clock.ts';
import { makeService, type Service } from '../../server/service.ts';
import type { FirestoreStore } from '../../server/stores/firestore.ts';
import { emulator, newProject, openStore } from '../firestore/fixture.ts';
import { until } from '../process/server.ts';
import { byHand } from '../service.ts';

/* On Firestore no machine's own clock decides anything, however wrong it is. Real time. */

const HOUR = 3_600_000;
const PERIOD_MS = 10_000;
const JOBS = 6;
const ENV = {
  PUNCTUAL_STORE: 'firestore',
  PUNCTUAL_WAKE: 'timer',
  PUNCTUAL_BUILD: 'test',
  PORT: '0',
} as const;

/** The first occurrence after `after` that all jobs have run. */
const wholeAfter = (store: FirestoreStore, after: number): Promise<number> =>
  until(async () => {
    const { runs } = await store.listRuns({ limit: 100, since: after, states: ['succeeded'] });
    const instants = runs.map(({ at }) => at).toReversed();
    return instants.find((at) => instants.filter((other) => other === at).length === JOBS);
  }, 60_000);

/** A server whose machine's clock is wrong, and may be set. */
interface Wrong {
  readonly service: Service;
  readonly store: FirestoreStore;
  readonly url: string;
  offMs: number;
}

async function start(project: string, offMs: number, run: Handler): Promise<Wrong> {
  const state = { offMs };
  const clock: Clock = { ...systemClock, wall: () => systemClock.wall() + state.offMs };
  const config = readConfig(ENV, '/', clock.wall());
  const jobs = Array.from({ length: JOBS }, (_, n) =>
    byHand({ name: `job-${n}`, every: PERIOD_MS, run } as never),
  );
  const registry = readRegistry(jobs, config.timing, config.pace);
  const store = openStore({ project, clock });
  const service = makeService(config, { registry, store, clock, log: () => undefined });
  const url = await service.listen();
  onTestFinished(async () => void (await service.stop()));
  return Object.assign(state, { service, store, url });
}

describe.skipIf(emulator === null)('two servers whose clocks are hours apart', () => {
  test('start each occurrence once and on time, also while one is set', async () => {
    const begun: string[] = [];
    const run: Handler = async ({ runId, attempt }) => {
      begun.push(`${runId} ${attempt}`);
      await wait(300);
    };
    const project = newProject();
    const [early, late] = await Promise.all([
      start(project, 7 * HOUR, run),
      start(project, -5 * HOUR, run),
    ]);
    const page = await (await fetch(`${late.url}/system`)).text();
    const first = await wholeAfter(late.store, 0);
    // Just after all have run, for a step looks like sleep to what is at work.
    early.offMs = -3 * HOUR;
    late.offMs = 25 * HOUR;
    const last = await wholeAfter(late.store, first);

    const { runs } = await late.store.listRuns({ limit: 100, until: last });
    const { gaps } = await auditStore(late.store);
    expect(gaps).toEqual([]);
    expect(new Set(begun).size).toBe(begun.length);
    expect(begun).toEqual(expect.arrayContaining(runs.map(({ id }) => `${id} 1`)));
    expect(runs.map(({ state }) => state)).toEqual(runs.map(() => 'succeeded'));
    for (const { startedAt, scheduledAt } of runs) {
      const lateMs = (startedAt ?? Infinity) - (scheduledAt ?? 0);
      expect(lateMs).toBeGreaterThanOrEqual(0);
      expect(lateMs).toBeLessThan(HOUR);
    }
    expect(page).toContain('This process’s clock is 5 h behind the store’s');
  }, 120_000);
});
