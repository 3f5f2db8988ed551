import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { readConfig } from '../../server/config.ts';
import { readRegistry } from '../../server/core/registry.ts';
import { wakeAll } from '../../server/core/wake.ts';
import { makeLog } from '../../server/observe/log.ts';
import { makeService, type Service } from '../../server/service.ts';
import { openStore } from '../../server/stores/open.ts';
import { median } from './figures.ts';
import { hold, type Holds } from './holds.ts';
import { fastClock, type FastClock } from './hour-clock.ts';
import { hourJobs } from './jobs/hour.ts';

/*
 * The real service over a real file, in a process of its own whose time passes as fast as the work
 * is done. Now and then it stands still, says what it holds, and waits until it is told to go on:
 * meanwhile it can be asked for pages.
 */

export interface HourAsked {
  readonly jobs: number;
  readonly minutes: number;
  readonly warmUpMinutes: number;
  readonly everyMinutes: number;
}

/** What it holds at one moment, when no time passes. */
export interface HourSample extends Holds {
  readonly minute: number;
  readonly url: string;
  /** Timers of the service, by its own clock. */
  readonly timers: number;
  readonly running: number;
  /** How long a wake-up takes that finds nothing due, in real ms. */
  readonly idleMs: number;
}

const START = Date.UTC(2026, 2, 1, 9, 0, 30);
const MINUTE_MS = 60_000;

process.once('message', (asked: HourAsked) => void live(asked));
process.on('disconnect', () => process.exit());

async function live({ jobs, minutes, warmUpMinutes, everyMinutes }: HourAsked): Promise<void> {
  const fast = fastClock(START);
  const { clock } = fast;
  const config = readConfig(process.env, process.cwd(), START);
  const write = (line: string): void => void process.stdout.write(line);
  const log = makeLog('warn', { person: false, write });
  const registry = readRegistry(hourJobs(jobs, clock), config.timing, config.pace);
  const store = await openStore(config, clock, log);
  const service = makeService(config, { registry, store, clock, log });
  const url = await service.listen();
  const last = warmUpMinutes + minutes;
  for (let minute = warmUpMinutes; minute <= last; minute += everyMinutes) {
    // Half a minute after the last were due: nothing is at work any more.
    await fast.driveTo(minute * MINUTE_MS);
    const sample = { minute, url, ...(await hold()), timers: fast.waiting };
    process.send?.({ ...sample, ...(await serviceHolds(service)) } satisfies HourSample);
    await once(process, 'message');
  }
  await end(service, fast);
  process.disconnect();
}

const IDLE_ROUNDS = 31;

async function serviceHolds({ deps }: Service): Promise<Pick<HourSample, 'running' | 'idleMs'>> {
  const took: number[] = [];
  for (let round = 0; round < IDLE_ROUNDS; round++) {
    const before = performance.now();
    await wakeAll(deps, { aheadMs: 0, thorough: true });
    took.push(performance.now() - before);
  }
  return { running: deps.runner.running, idleMs: median(took) };
}

/** Its time has to go on while it stops: a stop waits for whatever is at work. */
async function end(service: Service, fast: FastClock): Promise<void> {
  let stopped = false;
  const stopping = service.stop().then(() => (stopped = true));
  for (let ms = service.deps.clock.monotonic(); !stopped; ms += 100) {
    await fast.driveTo(ms);
    await pause(1);
  }
  await stopping;
}
