import { onTestFinished } from 'vitest';
import { readConfig } from '../../server/config.ts';
import type { Log } from '../../server/core/deps.ts';
import type { Job } from '../../server/core/job.ts';
import type { Run } from '../../server/core/records.ts';
import { readRegistry } from '../../server/core/registry.ts';
import { makeService, type Service } from '../../server/service.ts';
import { openSqliteStore, type SqliteStore } from '../../server/stores/sqlite.ts';
import type { Employer } from './journal.ts';
import type { Machine, ProcessClock } from './machine.ts';

/** One line of the log. */
export interface Said {
  readonly level: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The whole service on a machine in virtual time, with a real port and a real database file. */
export interface Process {
  readonly name: string;
  readonly service: Service;
  readonly store: SqliteStore;
  readonly clock: ProcessClock;
  readonly url: string;
  readonly log: readonly Said[];
  readonly alive: boolean;
  /** A page as text. */
  page(path: string): Promise<string>;
  post(path: string, body?: unknown): Promise<{ status: number; body: any }>;
  /** Ends without another word, as by SIGKILL. */
  kill(): void;
  /** Ends as by SIGTERM: its handlers are told to stop, and have their time for it. */
  stop(): Promise<void>;
}

export interface Starting {
  readonly machine: Machine;
  readonly path: string;
  readonly jobs: (employer: Employer) => readonly Job[];
  readonly build?: string;
  /** How far its wall clock is off its machine's. */
  readonly offMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly onKilled?: (name: string) => void;
}

let names = 0;

export async function start(starting: Starting): Promise<Process> {
  const { machine, path, build = 'test', offMs = 0, env } = starting;
  const clock = machine.clock({ offMs });
  const state = { name: `p${++names}`, clock, alive: true };
  const config = readConfig({ PUNCTUAL_BUILD: build, PORT: '0', ...env }, '/', 0);
  const said: Said[] = [];
  const log: Log = (level, event, fields = {}) => said.push({ level, event, fields });
  const { leaseMs, regressionMs } = config.timing;
  const identity = machine.boot;
  const store = openSqliteStore({ path, clock, leaseMs, regressionMs, identity, log });
  const registry = readRegistry(starting.jobs(state), config.timing, config.pace);
  const service = makeService(config, { registry, store, clock, log });
  const url = await service.listen();
  const end = (): void => {
    if (!state.alive) return;
    state.alive = false;
    clock.kill();
    starting.onKilled?.(state.name);
    void store.close();
    // Its port is given back; all else waits for a clock that stands still.
    void service.stop();
  };
  onTestFinished(end);
  await machine.pass(0);
  return {
    ...state,
    url,
    get alive() {
      return state.alive;
    },
    service,
    store,
    log: said,
    page: async (at) => await (await fetch(url + at)).text(),
    async post(at, body) {
      const headers = { 'Content-Type': 'application/json' };
      const init = body === undefined ? {} : { headers, body: JSON.stringify(body) };
      const answer = await fetch(url + at, { method: 'POST', ...init });
      return { status: answer.status, body: await answer.json() };
    },
    kill: end,
    async stop() {
      const stopping = service.stop();
      await machine.pass(10_000);
      await stopping;
      state.alive = false;
      clock.kill();
    },
  };
}

/** All that is on record, oldest first. */
export async function allRuns(store: SqliteStore, job?: string): Promise<Run[]> {
  const runs: Run[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.listRuns({
      limit: 500,
      ...(job !== undefined && { job }),
      ...(cursor !== undefined && { cursor }),
    });
    runs.push(...page.runs);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return runs.toReversed();
}
