import { occurrencesBetween, parseSchedule } from '../../server/core/schedule.ts';
import type { Random } from '../simulation/random.ts';

/** A Cloud Scheduler job: where it posts, and when. */
export interface Target {
  readonly path: string;
  readonly schedule: string;
  readonly timeZone: string;
}

/** One delivery of one trigger, as it was planned. */
export interface Delivery {
  readonly at: number;
  readonly path: string;
  /** What it says in `X-CloudScheduler-ScheduleTime`: evidence, never a key. */
  readonly scheduleTime: string;
  /** Which of the servers it reaches. */
  readonly server: number;
}

/** How much goes wrong; each a probability of a trigger's. */
export interface Weather {
  readonly lost: number;
  readonly doubled: number;
  readonly late: number;
  readonly early: number;
  readonly retried: number;
  readonly forced: number;
}

export interface Playing {
  readonly weather: Weather;
  readonly random: Random;
  readonly servers: number;
  /** Delays are so many times what Cloud Scheduler's may be; 1. */
  readonly scale?: number;
}

/**
 * What Cloud Scheduler does in a stretch of time, by its documented rules: it delivers at least
 * once, so now and then twice at once; late by up to 90 s, or a moment early by a clock that is
 * ahead; again with the same schedule time after an answer that it did not like; and when somebody
 * forces a run, with the time of the next one.
 */
export function deliveries(
  targets: readonly Target[],
  span: { readonly from: number; readonly to: number },
  { weather, random, servers, scale = 1 }: Playing,
): Delivery[] {
  const all: Delivery[] = [];
  for (const { path, schedule, timeZone } of targets) {
    const parsed = parseSchedule({ schedule, timeZone }, '');
    if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
    const times = occurrencesBetween(parsed.schedule, span, 100_000);
    for (const [i, due] of times.entries()) {
      const says = (at: number): string => new Date(at).toISOString();
      const send = (at: number, scheduleTime = says(due)): void =>
        void all.push({ at, path, scheduleTime, server: Math.floor(random.between(0, servers)) });
      if (!random.chance(weather.lost)) {
        const late = random.chance(weather.late) ? random.between(1000, 90_000) * scale : 0;
        const early = random.chance(weather.early) ? -random.between(1, 1500) * scale : 0;
        const at = due + Math.floor(late > 0 ? late : early);
        send(at);
        if (random.chance(weather.doubled)) send(at);
        if (random.chance(weather.retried))
          send(at + Math.floor(random.between(5000, 60_000) * scale));
      }
      const next = times[i + 1];
      if (next !== undefined && random.chance(weather.forced)) {
        send(due + Math.floor(random.between(0, next - due)), says(next));
      }
    }
  }
  return all.toSorted((a, b) => a.at - b.at);
}
