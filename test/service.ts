import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { readConfig } from '../server/config.ts';
import type { Log } from '../server/core/deps.ts';
import { defineJob, type Handler, type Job, type JobDefinition } from '../server/core/job.ts';
import type { Run } from '../server/core/records.ts';
import { registerJobs } from '../server/core/register.ts';
import { readRegistry } from '../server/core/registry.ts';
import { wakeAll } from '../server/core/wake.ts';
import { makeService, type Service } from '../server/service.ts';
import type { openDispatch } from '../server/triggers/open-dispatch.ts';
import { openSqliteStore, type SqliteStore } from '../server/stores/sqlite.ts';
import { TEST_START, testClock, type TestClock } from './test-clock.ts';

/**
 * The whole service but for its port: real core, real SQLite in memory, a clock that tests move.
 */
export interface TestService extends Service {
  readonly clock: TestClock;
  readonly store: SqliteStore;
  readonly logged: string[];
  /** Moves the clock to an instant of 1 March 2026, wakes all that is due, and lets runs end. */
  wake(at: string): Promise<void>;
  /** Lets everything happen that needs no time. */
  settle(): Promise<void>;
  /** Lets all handlers end that need nothing but real time. */
  idle(): Promise<void>;
  runs(job?: string): Promise<Run[]>;
  /** The only run on record, or the newest. */
  lastRun(): Promise<Run>;
}

export const noon = (text: string): number => Date.parse(`2026-03-01T${text}Z`);

/** A job with a schedule of every minute and a handler that does nothing, unless told otherwise. */
export function job(definition: Partial<JobDefinition>): Job {
  const { schedule = '* * * * *', ...rest } = definition;
  const run: Handler = () => undefined;
  const made = defineJob({ name: 'job', schedule, run, ...rest } as never);
  if (made.problems.length > 0) throw new Error(JSON.stringify(made.problems));
  return made;
}

export const byHand = (definition: Partial<JobDefinition>): Job => {
  const { schedule: _none, ...rest } = definition;
  return defineJob({ name: 'job', run: () => undefined, ...rest } as never);
};

export async function openService(
  jobs: readonly Job[],
  {
    clock = testClock(TEST_START),
    env = {},
    path = ':memory:',
    dispatch = () => null,
  }: {
    clock?: TestClock;
    env?: Record<string, string>;
    path?: string;
    dispatch?: typeof openDispatch;
  } = {},
): Promise<TestService> {
  const config = readConfig({ PUNCTUAL_BUILD: 'test', PORT: '0', ...env }, '/', 0);
  const logged: string[] = [];
  const log: Log = (level, event, fields) =>
    logged.push(`${level} ${event} ${JSON.stringify(fields)}`);
  const { leaseMs, regressionMs } = config.timing;
  const store = openSqliteStore({ path, clock, leaseMs, regressionMs, identity: 'boot', log });
  const registry = readRegistry(jobs, config.timing, config.pace);
  const asks = dispatch(config, registry, log);
  const service = makeService(config, { registry, store, clock, log, dispatch: asks });
  await registerJobs(service.deps, { adopt: false, check: true });
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await clock.advance(0);
  };
  const idle = async (): Promise<void> => {
    for (let turn = 0; turn < 1000 && service.deps.runner.running > 0; turn++) {
      await clock.advance(0);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  const runs = async (name?: string): Promise<Run[]> => {
    const page = await store.listRuns({ limit: 500, ...(name !== undefined && { job: name }) });
    return page.runs.toReversed();
  };
  return {
    ...service,
    clock,
    store,
    logged,
    settle,
    idle,
    runs,
    async wake(at) {
      await clock.advance(noon(at) - clock.wall());
      await wakeAll(service.deps, { aheadMs: 0, thorough: true });
      await settle();
    },
    async lastRun() {
      const run = (await runs()).at(-1);
      if (run === undefined) throw new Error('no run is on record');
      return run;
    },
  };
}

/** A database file in a folder of its own, gone when the test is over. */
export function tempDb(): string {
  const folder = mkdtempSync(join(tmpdir(), 'punctual-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'punctual.db');
}
