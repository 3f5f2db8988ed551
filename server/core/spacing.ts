import { findDay, type Days, type WallSchedule } from './calendar.ts';
import type { Schedule } from './schedule.ts';
import { durationText } from './time.ts';

/** What the store and the wake-ups of a service allow of its jobs. */
export interface Pace {
  readonly closestMs: number;
  /** Whether cron text may have a field of seconds. */
  readonly seconds: boolean;
  /** How many runs of a job may be at work at once: each renews its lease in one record. */
  readonly allow: number;
  /** Where that holds, as the end of a sentence. */
  readonly where: string;
  /** How long a run may take, and why, as a part of a sentence; null where nothing limits it. */
  readonly carries: { readonly ms: number; readonly why: string } | null;
}

/** Firestore takes about one write a second to a document, and a run makes two. */
const CLOSEST_ON_FIRESTORE_MS = 10_000;

/** What a store allows, and a service that nothing but a tick wakes (`null`: it wakes itself). */
export function paceOf(store: 'sqlite' | 'firestore', tickOnlyMs: number | null): Pace {
  const pace: Pace =
    store === 'sqlite'
      ? { closestMs: 1000, seconds: true, allow: 100, where: 'in SQLite', carries: null }
      : {
          closestMs: CLOSEST_ON_FIRESTORE_MS,
          seconds: false,
          allow: 20,
          where: 'on Firestore',
          carries: null,
        };
  if (tickOnlyMs === null || tickOnlyMs <= pace.closestMs) return pace;
  return { ...pace, closestMs: tickOnlyMs, where: 'where only the tick wakes' };
}

/** Why a schedule is too fast; undefined if it is not. */
export function spacingProblem(schedule: Schedule, pace: Pace): string | undefined {
  const rules = schedule.rules.filter((rule) => rule.kind === 'cron');
  const exact = rules.find(({ text }) => text.split(' ').length === 6);
  if (exact !== undefined && !pace.seconds) {
    return `"${exact.text}" has a field of seconds, which are not kept on Firestore: write five`;
  }
  const closest = closestOf(schedule, pace.closestMs);
  if (closest >= pace.closestMs) return undefined;
  const least = `${pace.where} it must be at least ${durationText(pace.closestMs)}`;
  return `comes again after ${durationText(closest)}; ${least}`;
}

/**
 * The shortest time between two occurrences by the wall clock, in ms, if it is less than `limit`.
 */
function closestOf({ rules }: Schedule, limit: number): number {
  const gaps = rules.flatMap((rule) => (rule.kind === 'every' ? [rule.ms] : []));
  const walls = rules.flatMap((rule) => (rule.kind === 'cron' ? [rule.wall] : []));
  // Cron text never comes more often than each second.
  if (limit > 1000) {
    const timed = walls.map((wall) => ({ days: wall.days, times: timesOf(wall) }));
    for (const one of timed) for (const other of timed) gaps.push(gapBetween(one, other) * 1000);
  }
  return Math.min(Infinity, ...gaps);
}

const DAY_SECONDS = 86_400;

/** The seconds of a day that a schedule names, and the days. */
interface Timed {
  readonly days: Days;
  readonly times: readonly number[];
}

/** The least seconds from an occurrence of one to a later one of the other, up to the next day. */
function gapBetween(one: Timed, other: Timed): number {
  const [times, others] = [one.times, other.times];
  let least = Infinity;
  if (meet(one.days, other.days, 0)) {
    let i = 0;
    for (const time of times) {
      while ((others[i] ?? Infinity) <= time) i += 1;
      least = Math.min(least, (others[i] ?? Infinity) - time);
    }
  }
  const overnight = DAY_SECONDS + (others[0] ?? 0) - (times.at(-1) ?? 0);
  return overnight < least && meet(one.days, other.days, 1) ? overnight : least;
}

const timesOf = ({ hours, minutes, seconds }: WallSchedule): number[] =>
  hours.flatMap((hour) =>
    minutes.flatMap((minute) => seconds.map((second) => (hour * 60 + minute) * 60 + second)),
  );

/** After so many days the calendar repeats. */
const CALENDAR_DAYS = 146_097;

/** Whether the other ever names the day `later` days after one that the first names. */
function meet(one: Days, other: Days, later: number): boolean {
  let from = 0;
  while (from <= CALENDAR_DAYS) {
    const day = findDay(one, from, 1);
    const match = day === undefined ? undefined : findDay(other, day + later, 1);
    if (day === undefined || match === undefined) return false;
    if (match === day + later) return true;
    from = Math.max(day + 1, match - later);
  }
  return false;
}
