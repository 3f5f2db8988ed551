import { RECENT_LIMIT } from './draft.ts';
import type { DayTally, Outcome } from './records.ts';
import { isFailure, type RunState } from './run.ts';
import { nextAfter, type Schedule } from './schedule.ts';
import type { Instant } from './time.ts';

/** What a job's last outcomes come to, in numbers. */

export interface Figures {
  /** How many succeeded. */
  readonly good: number;
  /** How many failed, timed out, were lost or missed; what was skipped or cancelled counts not. */
  readonly bad: number;
  /** Half of the runs took no longer than this; null where none has been timed. */
  readonly p50Ms: number | null;
  /** 95 of 100 took no longer than this. */
  readonly p95Ms: number | null;
}

/**
 * States whose length tells how long the job takes. A cancelled run was cut short, and when a lost
 * one ended nobody knows.
 */
const TIMED: ReadonlySet<RunState> = new Set(['succeeded', 'failed', 'timed_out']);

export function figuresOf(recent: readonly Outcome[]): Figures {
  const lengths = recent
    .flatMap(({ state, ms }) => (ms !== null && TIMED.has(state) ? [Math.max(0, ms)] : []))
    .toSorted((a, b) => a - b);
  return {
    good: recent.filter(({ state }) => state === 'succeeded').length,
    bad: recent.filter(({ state }) => isFailure(state)).length,
    p50Ms: percentile(lengths, 50),
    p95Ms: percentile(lengths, 95),
  };
}

/**
 * The least of the values that `percent` of 100 of them do not exceed (nearest rank); null of none.
 * They come in ascending order.
 */
export const percentile = (ascending: readonly number[], percent: number): number | null =>
  ascending[Math.max(0, Math.ceil((ascending.length * percent) / 100) - 1)] ?? null;

/** How many occurrences are looked at: enough for the closest of several times a day. */
const OCCURRENCES = 10;

/** The shortest time between two of the next occurrences; null where there are no two. */
export function intervalOf(schedule: Schedule, after: Instant): number | null {
  let least: number | null = null;
  let before = nextAfter(schedule, after);
  for (let n = 1; n < OCCURRENCES && before !== undefined; n += 1) {
    const at = nextAfter(schedule, before);
    if (at !== undefined) least = Math.min(least ?? Infinity, at - before);
    before = at;
  }
  return least;
}

/** How much of the time that a job has for a run its long ones take. */
export interface Headroom {
  readonly intervalMs: number;
  /** How many runs may be at work at once: each then has as many intervals. */
  readonly atOnce: number;
  /** Share of that time that the 95th percentile takes; 1 is all of it. */
  readonly used: number;
  /** Whether that is so much that a slower day could make runs overlap. */
  readonly tight: boolean;
}

const TIGHT = 0.7;

/** Null where no run was timed, or nothing comes again. */
export function headroomOf(
  { p95Ms }: Pick<Figures, 'p95Ms'>,
  intervalMs: number | null,
  atOnce: number,
): Headroom | null {
  if (p95Ms === null || intervalMs === null) return null;
  const used = p95Ms / (intervalMs * atOnce);
  return { intervalMs, atOnce, used, tight: used >= TIGHT };
}

/** What is known of a job's failures, in little. */
export interface Failures {
  /** When they were, of those among the last outcomes. */
  readonly at: readonly Instant[];
  /** Since when the last outcomes are known without a gap. */
  readonly knownFrom: Instant;
  /** Days that had any, and how many; undefined where nobody counted. */
  readonly days: readonly Pick<DayTally, 'day' | 'bad'>[] | undefined;
}

const DAY_MS = 86_400_000;

export function failuresOf(record: {
  readonly recent: readonly Outcome[];
  readonly days?: readonly DayTally[];
}): Failures {
  const { recent, days } = record;
  const [oldest] = recent;
  return {
    at: recent.filter(({ state }) => isFailure(state)).map(({ at }) => at),
    knownFrom: oldest === undefined || recent.length < RECENT_LIMIT ? -Infinity : oldest.at,
    days: days?.filter(({ bad }) => bad > 0).map(({ day, bad }) => ({ day, bad })),
  };
}

/** How many failures there were after `since`; `atLeast` where more may be forgotten already. */
export function failuresSince(
  jobs: Iterable<Failures>,
  since: Instant,
): { readonly count: number; readonly atLeast: boolean } {
  let count = 0;
  let atLeast = false;
  const firstDay = Math.floor(since / DAY_MS);
  for (const { at, knownFrom, days } of jobs) {
    for (const one of at) if (one > since) count += 1;
    if (knownFrom <= since) continue;
    // The days begin before `since`: what they count beyond what is known may lie after it.
    const known = at.filter((one) => one >= firstDay * DAY_MS).length;
    const counted = days?.reduce((sum, { day, bad }) => sum + (day >= firstDay ? bad : 0), 0);
    if (counted === undefined || counted > known) atLeast = true;
  }
  return { count, atLeast };
}
