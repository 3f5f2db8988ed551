import { findWall, type WallSchedule } from './calendar.ts';
import { LAST_INSTANT, type Instant } from './time.ts';
import { FURTHEST_OFFSET_MS, type Zone } from './zone.ts';

/*
 * From the wall clock to instants, where clocks are changed. The rule is Debian cron's, cron(8).
 *
 * A fixed time occurs at the first instant at which the wall clock shows it or a later time. In an
 * ordinary hour that is when the clock shows it; in an hour that is left out, the moment the clock
 * has jumped over it; in an hour that is shown twice, the first time. That instant never goes back
 * as the wall time goes on, so the next occurrence is that of the next wall time which has not been
 * reached yet, and the previous one that of the last which has.
 *
 * A schedule that follows real time (its minute or hour begins with a star) occurs whenever the
 * clock shows one of its times: not in an hour that is left out, and twice in one shown twice.
 *
 * Debian takes a change of more than three hours for a correction of the clock, and skips what it
 * left out. Zones have done so to move across the date line; here one rule holds for all changes.
 */

/** A schedule on the wall clock of a zone. */
export interface ZonedSchedule {
  readonly wall: WallSchedule;
  /** Whether it follows real time through clock changes; otherwise its times are fixed. */
  readonly realTime: boolean;
}

const DAY_MS = 86_400_000;
/** Two offsets of a zone never lie further apart, so no clock change reaches further. */
const REACH_MS = 2 * DAY_MS;
/** In 400 years the calendar repeats; what has not come by then falls into gaps only. */
const HORIZON_MS = 400 * 366 * DAY_MS;

/** The first occurrence strictly after an instant. */
export function nextZoned(
  schedule: ZonedSchedule,
  zone: Zone,
  after: Instant,
): Instant | undefined {
  if (schedule.realTime) return nextShown(schedule.wall, zone, after + 1);
  const wall = wallFrom(schedule.wall, furthestShown(zone, after) + 1);
  return wall === undefined ? undefined : firstShown(zone, wall);
}

/** The last occurrence strictly before an instant. */
export function previousZoned(
  schedule: ZonedSchedule,
  zone: Zone,
  before: Instant,
): Instant | undefined {
  if (schedule.realTime) return lastShown(schedule.wall, zone, before - 1);
  const wall = wallTo(schedule.wall, furthestShown(zone, before - 1));
  return wall === undefined ? undefined : firstShown(zone, wall);
}

/** The first instant at which the wall clock shows `wall` or a later time. */
export function firstShown(zone: Zone, wall: number): Instant {
  let from = wall - FURTHEST_OFFSET_MS;
  let offset = zone.offsetAt(from);
  while (from + offset < wall) {
    const transition = zone.nextTransition(from, wall - offset);
    if (transition === undefined) return wall - offset;
    from = transition.at;
    offset = transition.after;
  }
  return from;
}

/** The latest time that the wall clock has shown up to an instant. */
function furthestShown(zone: Zone, upTo: Instant): number {
  let furthest = upTo + zone.offsetAt(upTo);
  let at = upTo;
  for (;;) {
    const transition = zone.lastTransition(upTo - REACH_MS, at);
    if (transition === undefined) return furthest;
    furthest = Math.max(furthest, transition.at - 1 + transition.before);
    at = transition.at - 1;
  }
}

/** The first instant from `from` on whose wall time is named. */
function nextShown(wall: WallSchedule, zone: Zone, from: Instant): Instant | undefined {
  let at = from;
  while (at <= from + HORIZON_MS) {
    const offset = zone.offsetAt(at);
    const named = wallFrom(wall, at + offset);
    if (named === undefined) return undefined;
    const found = named - offset;
    // No time between is named, so what the clock does between matters only close to either end.
    const near = found - at <= 2 * REACH_MS;
    const transition = zone.nextTransition(at, near ? found : at + REACH_MS);
    if (transition !== undefined) at = transition.at;
    else if (near) return found;
    else at = found - REACH_MS;
  }
  return undefined;
}

/** The last instant up to `from` whose wall time is named: `nextShown`, mirrored. */
function lastShown(wall: WallSchedule, zone: Zone, from: Instant): Instant | undefined {
  let at = from;
  while (at >= from - HORIZON_MS) {
    const offset = zone.offsetAt(at);
    const named = wallTo(wall, at + offset);
    if (named === undefined) return undefined;
    const found = named - offset;
    const near = at - found <= 2 * REACH_MS;
    const transition = zone.lastTransition(near ? found : at - REACH_MS, at);
    if (transition !== undefined) at = transition.at - 1;
    else if (near) return found;
    else at = found + REACH_MS;
  }
  return undefined;
}

// The calendar counts seconds; a wall time is in milliseconds, as an instant is.
function wallFrom(schedule: WallSchedule, from: number): number | undefined {
  const found = findWall(schedule, Math.ceil(from / 1000), 1);
  return found === undefined || found * 1000 > LAST_INSTANT ? undefined : found * 1000;
}

function wallTo(schedule: WallSchedule, to: number): number | undefined {
  const found = findWall(schedule, Math.floor(to / 1000), -1);
  return found === undefined || found * 1000 < -LAST_INSTANT ? undefined : found * 1000;
}
