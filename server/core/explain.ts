import { findWall } from './calendar.ts';
import { nextAfter, occurrencesBetween, previousBefore, type Schedule } from './schedule.ts';
import type { Rule } from './schedule-text.ts';
import type { Instant } from './time.ts';
import { zoneOf, type Transition } from './zone.ts';

/** What a schedule comes to: its next occurrences, and what it does when clocks are changed. */
export interface Explained {
  readonly occurrences: readonly Instant[];
  readonly clockChanges: readonly ClockChange[];
}

/** The clocks of the zone are put forward or back. Wall times count as if the clock were in UTC. */
export interface ClockChange {
  readonly at: Instant;
  /** What the wall clock would show at that instant, and what it shows instead. */
  readonly from: number;
  readonly to: number;
  /** One for each rule that names times which are left out, or shown twice, and for a period. */
  readonly effects: readonly Effect[];
}

/** What becomes of the times that a rule names and that a clock change leaves out or repeats. */
export interface Effect {
  /**
   * `moved` to the end of the gap, `left-out`, run `once` though shown twice, run `twice`, or
   * `steady`: the times follow each other in real time as they do on any other day.
   */
  readonly kind: 'moved' | 'left-out' | 'once' | 'twice' | 'steady';
  /** The wall times, ascending; none of a period, which knows no wall clock. */
  readonly times: readonly number[];
  /** Whether what is moved falls together with what another rule, or a later time, names. */
  readonly together: boolean;
}

const CHANGES = 2;
/** A zone that has not changed its clocks for as long is taken to have done with it. */
const AHEAD_MS = 3 * 366 * 86_400_000;

/** The next `count` occurrences after an instant, and the zone's next two clock changes. */
export function explain(schedule: Schedule, after: Instant, count: number): Explained {
  const occurrences: Instant[] = [];
  for (let at = nextAfter(schedule, after); at !== undefined; at = nextAfter(schedule, at)) {
    if (occurrences.length >= count) break;
    occurrences.push(at);
  }
  return { occurrences, clockChanges: clockChanges(schedule, after) };
}

/** The last `count` occurrences before an instant, the latest first. */
export function lastOccurrences(schedule: Schedule, before: Instant, count: number): Instant[] {
  const found: Instant[] = [];
  for (let at = previousBefore(schedule, before); at !== undefined && found.length < count;) {
    found.push(at);
    at = previousBefore(schedule, at);
  }
  return found;
}

function clockChanges(schedule: Schedule, after: Instant): ClockChange[] {
  const zone = zoneOf(schedule.timeZone);
  const found: ClockChange[] = [];
  let from = after;
  while (found.length < CHANGES) {
    const transition = zone.nextTransition(from, from + AHEAD_MS);
    if (transition === undefined) break;
    found.push(clockChange(schedule, transition));
    from = transition.at;
  }
  return found;
}

function clockChange(schedule: Schedule, transition: Transition): ClockChange {
  const { at, before, after } = transition;
  const [from, to] = [at + before, at + after];
  const found = schedule.rules.flatMap((rule): Omit<Effect, 'together'>[] => {
    if (rule.kind === 'every') return [{ kind: 'steady', times: [] }];
    const times = timesIn(rule, Math.min(from, to), Math.max(from, to));
    return times.length === 0 ? [] : [{ kind: kindOf(schedule, rule, transition), times }];
  });
  const atEnd = found.filter(({ kind }) => kind === 'moved').length;
  const shared = atEnd > 1 || schedule.rules.some((rule) => names(rule, to));
  const effects = found.map((one) => ({ ...one, together: one.kind === 'moved' && shared }));
  return { at, from, to, effects };
}

function kindOf(schedule: Schedule, rule: Rule, transition: Transition): Effect['kind'] {
  const forward = transition.after > transition.before;
  if (rule.kind !== 'cron' || !rule.realTime) return forward ? 'moved' : 'once';
  if (isSteady({ ...schedule, rules: [rule] }, transition)) return 'steady';
  return forward ? 'left-out' : 'twice';
}

const HOUR_MS = 3_600_000;

/**
 * Whether all that comes comes again an hour later, from well before the change until after it. A
 * change of half an hour disturbs what a change of an hour does not.
 */
function isSteady(schedule: Schedule, { at, before, after }: Transition): boolean {
  const around = Math.abs(after - before) + HOUR_MS;
  const span = { from: at - around, to: at + around };
  // No change is of more than a day, so a span holds no more than the seconds of two.
  const all = new Set(occurrencesBetween(schedule, span, Infinity));
  for (const instant of all) {
    const [earlier, later] = [instant - HOUR_MS, instant + HOUR_MS];
    if (earlier > span.from && !all.has(earlier)) return false;
    if (later <= span.to && !all.has(later)) return false;
  }
  return all.size > 0;
}

/** The wall times in [from, to) that a rule names. */
function timesIn(rule: Rule, from: number, to: number): number[] {
  if (rule.kind === 'every') return [];
  if (rule.kind === 'at') {
    const { shown } = rule;
    return shown !== null && shown >= from && shown < to ? [shown] : [];
  }
  const found: number[] = [];
  for (let second = from / 1000; ; second += 1) {
    const next = findWall(rule.wall, second, 1);
    if (next === undefined || next * 1000 >= to) return found;
    found.push(next * 1000);
    second = next;
  }
}

const names = (rule: Rule, wall: number): boolean => timesIn(rule, wall, wall + 1000).length > 0;
