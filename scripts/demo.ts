import { setTimeout as wait } from 'node:timers/promises';
import { readConfig } from '../server/config.ts';
import { defineJob, type Job } from '../server/core/job.ts';
import { readRegistry } from '../server/core/registry.ts';
import { runNow } from '../server/core/run-now.ts';
import type { RunState } from '../server/core/run.ts';
import type { Clock } from '../server/core/time.ts';
import { wakeAll } from '../server/core/wake.ts';
import { registerJobs } from '../server/core/register.ts';
import { systemClock } from '../server/process/clock.ts';
import { makeService } from '../server/service.ts';
import { openStore } from '../server/stores/open.ts';

/** Minutes of history that the demonstration lives through before it shows itself. */
const HISTORY_MINUTES = 75;
const MINUTE_MS = 60_000;

/** Time that goes on by itself only once it is told to: an hour of history takes a second. */
class DemoClock implements Clock {
  #now: number;
  #since: number | undefined;

  constructor(start: number) {
    this.#now = start;
  }

  wall(): number {
    const live = this.#since === undefined ? 0 : systemClock.monotonic() - this.#since;
    return this.#now + live;
  }

  monotonic(): number {
    return this.wall();
  }

  after(ms: number, call: () => void): () => void {
    // While time stands still, nothing that has to wait for it ever comes.
    if (this.#since === undefined && ms > 0) return () => undefined;
    return systemClock.after(ms, call);
  }

  moveTo(now: number): void {
    this.#now = Math.max(this.#now, now);
  }

  goLive(): void {
    this.#since = systemClock.monotonic();
  }
}

/** The jobs of a small company, some of which go wrong now and then. */
function demoJobs(clock: DemoClock): Job[] {
  let syncs = 0;
  const work = (ms: number): void => clock.moveTo(clock.wall() + ms);
  return [
    defineJob({
      name: 'nightly-report',
      description: 'Mails yesterday’s figures to the board.',
      tags: ['finance'],
      schedule: '0 2 * * *',
      run: () => work(900),
    }),
    defineJob({
      name: 'sync-orders',
      description: 'Brings new orders over from the shop.',
      tags: ['shop'],
      schedule: '*/5 * * * *',
      run: ({ log, progress }) => {
        log('asked the shop for new orders');
        work(300 + ((++syncs * 631) % 700));
        if (syncs !== 9) return { orders: 10 + ((syncs * 7) % 23) };
        progress(12, 40);
        log.error('the shop answered 503', { page: 12 });
        const error = new Error('the shop did not answer: 503 Service Unavailable');
        // The pictures are for everybody; the paths of the machine that took them are not.
        error.stack = '';
        throw error;
      },
    }),
    defineJob({
      name: 'canary',
      description: 'Proves the whole path and measures lateness.',
      tags: ['punctual'],
      schedule: '* * * * *',
      run: () => work(3),
    }),
    defineJob({
      name: 'rebuild-search',
      description: 'Indexes the catalogue anew; only when asked to.',
      tags: ['shop', 'slow'],
      run: ({ signal, progress, log }) => {
        log('reading the catalogue');
        progress(1300, 4200);
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        });
      },
    }),
  ];
}

/** A service with an hour of made-up history behind it, listening on a free port. */
export async function demoService(db: string) {
  const start = Math.floor(Date.now() / MINUTE_MS - HISTORY_MINUTES) * MINUTE_MS;
  const clock = new DemoClock(start);
  const config = readConfig({ PORT: '0', PUNCTUAL_DB: db, PUNCTUAL_BUILD: 'demo' }, '/', 0);
  const log = (): void => undefined;
  const registry = readRegistry(demoJobs(clock), config.timing);
  const store = await openStore(config, clock, log);
  const service = makeService(config, { registry, store, clock, log });
  await registerJobs(service.deps, { adopt: false, check: true });
  for (let minute = 1; minute <= HISTORY_MINUTES; minute++) {
    // Half an hour in which nobody was there to wake anything.
    if (minute > 20 && minute < 50) continue;
    clock.moveTo(start + minute * MINUTE_MS + 2);
    await wakeAll(service.deps, { aheadMs: 0, thorough: true });
    while (service.deps.runner.running > 0) await wait(1);
  }
  clock.goLive();
  const url = await service.listen();
  const slow = registry.get('rebuild-search');
  const request = { input: undefined, key: 'demo', beside: false, by: null, traceparent: null };
  if (slow !== undefined) await runNow(service.deps, slow, request);
  await wait(1500);
  return {
    url,
    stop: () => service.stop(),
    async newest(state: RunState): Promise<string> {
      const { runs } = await store.listRuns({ limit: 1, state });
      if (runs[0] === undefined) throw new Error(`no run is ${state}`);
      return runs[0].id;
    },
  };
}
