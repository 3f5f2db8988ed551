import { findWall } from './calendar.ts';
import { nextAfter, previousBefore, type Schedule } from './schedule.ts';
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
  /** One for each rule that names times which are left out, or shown twice. */
  readonly effects: readonly Effect[];
}

/** What becomes of the times that a rule names and that a clock change leaves out or repeats. */
export interface Effect {
  /**
   * `moved` to the end of the gap, `left-out`, run `once` though shown twice, run `twice`, or
   * `steady`: the times follow each other in real time as they do on any other day.
   */
  readonly kind: 'moved' | 'left-out' | 'once' | 'twice' | 'steady';
  /** The wall times, ascending. */
  readonly times: readonly number[];
  /** Whether what is moved falls together with an occurrence that is there anyhow. */
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

function clockChange(schedule: Schedule, { at, before, after }: Transition): ClockChange {
  const [from, to] = [at + before, at + after];
  const effects = schedule.rules.flatMap((rule): Effect[] => {
    const times = timesIn(rule, Math.min(from, to), Math.max(from, to));
    if (times.length === 0) return [];
    const kind = kindOf(schedule, rule, { at, before, after });
    const together = kind === 'moved' && schedule.rules.some((other) => names(other, to));
    return [{ kind, times, together }];
  });
  return { at, from, to, effects };
}

function kindOf(schedule: Schedule, rule: Rule, transition: Transition): Effect['kind'] {
  const forward = transition.after > transition.before;
  if (rule.kind !== 'cron' || !rule.realTime) return forward ? 'moved' : 'once';
  if (isSteady({ ...schedule, rules: [rule] }, transition)) return 'steady';
  return forward ? 'left-out' : 'twice';
}

/** Whether all occurrences from well before the change until after it are equally far apart. */
function isSteady(schedule: Schedule, { at, before, after }: Transition): boolean {
  const shift = Math.abs(after - before);
  const [near, far = NaN] = lastOccurrences(schedule, at - shift, 2);
  let last = near;
  while (last !== undefined && last <= at + shift) {
    const next = nextAfter(schedule, last);
    if (next === undefined || next - last !== (near ?? NaN) - far) return false;
    last = next;
  }
  return true;
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
