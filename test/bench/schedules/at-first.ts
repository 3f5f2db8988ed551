/**
 * What the one thing that it is told to do takes in a process that has not read anything yet: time
 * and memory, printed as JSON. Started by `starting.ts`.
 */
import { nextAfter } from '../../../server/core/schedule.ts';
import { step } from '../../../server/core/step.ts';
import { ALL_ZONES, contextOf, JOBS, recordOf, REGISTERED, scheduleOf, zoneOfJob } from './jobs.ts';
import { FROM, TO } from './expressions.ts';
import { read } from './libraries.ts';

const MINUTE_MS = 60_000;
const MIB = 2 ** 20;

function searchZones(): void {
  for (const timeZone of ALL_ZONES) {
    const schedule = read('0 3 * * 1', timeZone);
    for (let at = nextAfter(schedule, FROM); at !== undefined && at < TO;) {
      at = nextAfter(schedule, at);
    }
  }
}

function readSchedules(): void {
  for (let i = 0; i < JOBS; i += 1) read(scheduleOf(i), zoneOfJob(i), `job-${i}`);
}

function wakeJobs(): void {
  for (let i = 0; i < JOBS; i += 1) {
    step(recordOf(i), { kind: 'wake' }, contextOf(i, REGISTERED + MINUTE_MS));
  }
}

const WORK = new Map([
  ['zones', searchZones],
  ['schedules', readSchedules],
  ['wake', wakeJobs],
]);

const work = WORK.get(process.argv[2] ?? '');
if (work === undefined) throw new Error(`expected one of ${[...WORK.keys()].join(', ')}`);
const before = memory();
const started = performance.now();
work();
const ms = performance.now() - started;
const after = memory();
process.stdout.write(
  JSON.stringify({ ms, heapMib: after.heap - before.heap, rssMib: after.rss - before.rss }),
);

function memory(): { readonly heap: number; readonly rss: number } {
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed / MIB, rss: rss / MIB };
}
