import { setTimeout as wait } from 'node:timers/promises';
import { readConfig } from '../server/config.ts';
import { readRegistry } from '../server/core/registry.ts';
import { pauseJob, runNow } from '../server/core/run-now.ts';
import type { RunState } from '../server/core/run.ts';
import type { Clock } from '../server/core/time.ts';
import { wakeAll } from '../server/core/wake.ts';
import { registerJobs } from '../server/core/register.ts';
import { systemClock } from '../server/process/clock.ts';
import { makeService } from '../server/service.ts';
import { openStore } from '../server/stores/open.ts';
import { runsUrl } from '../views/runs-page.ts';
import { demoJobs, type World } from './demo-jobs.ts';

/** Minutes of history that the demonstration lives through before it shows itself. */
const HISTORY_MINUTES = 25 * 60;
const MINUTE_MS = 60_000;

/** Time that goes on by itself only once it is told to: a day of history takes some seconds. */
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

  /** Once time goes by itself nobody moves it any more. */
  moveTo(now: number): void {
    if (this.#since === undefined) this.#now = Math.max(this.#now, now);
  }

  goLive(): void {
    this.#since = systemClock.monotonic();
  }
}

const worldOf = (clock: DemoClock): World => ({
  work: (ms) => clock.moveTo(clock.wall() + ms),
  now: () => clock.wall(),
});

/** Nobody was there to wake anything, for half an hour of last night. */
const isOutage = (minute: number): boolean => minute > 1030 && minute < 1060;

/** A service with a day of made-up history behind it, listening on a free port. */
export async function demoService(db: string) {
  const startedAt = Math.floor(Date.now() / MINUTE_MS - HISTORY_MINUTES) * MINUTE_MS;
  const clock = new DemoClock(startedAt);
  const config = readConfig({ PORT: '0', PUNCTUAL_DB: db, PUNCTUAL_BUILD: 'demo' }, '/', 0);
  const log = (): void => undefined;
  const registry = readRegistry(demoJobs(worldOf(clock)), config.timing);
  const store = await openStore(config, clock, log);
  const service = makeService(config, { registry, store, clock, log });
  await registerJobs(service.deps, { adopt: false, check: true });
  for (let minute = 1; minute <= HISTORY_MINUTES; minute++) {
    if (isOutage(minute)) continue;
    clock.moveTo(startedAt + minute * MINUTE_MS + 2);
    await wakeAll(service.deps, { aheadMs: 0, thorough: true });
    while (service.deps.runner.running > 0) await wait(1);
  }
  clock.goLive();
  const url = await service.listen();
  const note = 'their new price list is not there before Monday';
  await pauseJob(service.deps, 'import-prices', { by: 'ada', note, until: null });
  const start = async (name: string, input: unknown): Promise<void> => {
    const job = registry.get(name);
    const whole = { input, key: 'demo', beside: false, rerunOf: null } as const;
    const request = { ...whole, by: 'ada', traceparent: null };
    if (job !== undefined) await runNow(service.deps, job, request);
  };
  await start('send-newsletter', { subject: 'What is new in the shop', audience: 'staff' });
  await start('rebuild-search', undefined);
  await wait(1500);
  return {
    url,
    stop: () => service.stop(),
    /** Each page with something to see, by the name of its picture. */
    async pages(): Promise<Readonly<Record<string, string>>> {
      const newest = async (job: string, state: RunState): Promise<string> => {
        const { runs } = await store.listRuns({ limit: 1, states: [state], job });
        if (runs[0] === undefined) throw new Error(`no run of ${job} is ${state}`);
        return `/runs/${encodeURIComponent(runs[0].id)}`;
      };
      const zone = 'America/New_York';
      const night = new URLSearchParams({ schedule: '30 2 * * *', timeZone: zone });
      return {
        jobs: '/',
        job: '/jobs/sync-orders',
        'job-input': '/jobs/send-newsletter',
        'job-paused': '/jobs/import-prices',
        backfill: '/jobs/sync-orders/backfill',
        run: await newest('nightly-report', 'failed'),
        'run-live': await newest('rebuild-search', 'running'),
        'run-missed': await newest('canary', 'missed'),
        runs: runsUrl('state:problem since:1d'),
        'runs-refused': runsUrl('state:faild since:yesterday'),
        timeline: '/timeline',
        actions: '/actions',
        schedule: `/schedule?${night.toString()}`,
        system: '/system',
        api: '/api/v1/docs',
        'not-found': '/jobs/nobody',
      };
    },
  };
}
