/** Finds the days and seconds that a schedule names, on a wall clock: no zone, no instant. */

/** Which days a schedule names. */
export interface Days {
  readonly months: readonly number[];
  readonly dates: readonly number[];
  /** Whether a month's last date is named too, whatever its number. */
  readonly lastDate: boolean;
  /** 0 is Sunday. */
  readonly weekdays: readonly number[];
  readonly nthWeekdays: readonly NthWeekday[];
  /** Whether a date or a weekday is enough; otherwise both must hold. */
  readonly either: boolean;
}

/** A month's second Monday, say, or its last. */
export interface NthWeekday {
  readonly weekday: number;
  readonly nth: number | 'last';
}

/** Days times hours times minutes times seconds; each ascending, none empty but `days`' own. */
export interface WallSchedule {
  readonly days: Days;
  readonly hours: readonly number[];
  readonly minutes: readonly number[];
  readonly seconds: readonly number[];
}

const DAY_SECONDS = 86_400;
/** After 400 years the calendar repeats, weekdays and all: what has not come by then never does. */
const CALENDAR_MONTHS = 400 * 12;

/**
 * The nearest second of a wall clock that the schedule names, from `from` on (`from` included) and
 * onwards (1) or backwards (-1). Counted from midnight on 1 January 1970 on that clock.
 */
export function findWall(schedule: WallSchedule, from: number, way: 1 | -1): number | undefined {
  const { days, hours, minutes, seconds } = schedule;
  const today = Math.floor(from / DAY_SECONDS);
  let day = findDay(days, today, way);
  if (day === today) {
    const time = findTime(schedule, from - today * DAY_SECONDS, way);
    if (time !== undefined) return day * DAY_SECONDS + time;
    day = findDay(days, today + way, way);
  }
  if (day === undefined) return undefined;
  return day * DAY_SECONDS + timeOf(edge(hours, way), edge(minutes, way), edge(seconds, way));
}

/** The nearest second of a day, `from` included: in its minute, its hour, or a later hour. */
function findTime(schedule: WallSchedule, from: number, way: 1 | -1): number | undefined {
  const { hours, minutes, seconds } = schedule;
  const [hour, minute] = [Math.floor(from / 3600), Math.floor(from / 60) % 60];
  if (hours.includes(hour)) {
    const second = minutes.includes(minute) ? nearest(seconds, from % 60, way) : undefined;
    if (second !== undefined) return timeOf(hour, minute, second);
    const other = nearest(minutes, minute + way, way);
    if (other !== undefined) return timeOf(hour, other, edge(seconds, way));
  }
  const other = nearest(hours, hour + way, way);
  if (other === undefined) return undefined;
  return timeOf(other, edge(minutes, way), edge(seconds, way));
}

const timeOf = (hour: number, minute: number, second: number): number =>
  (hour * 60 + minute) * 60 + second;

const nearest = (values: readonly number[], from: number, way: 1 | -1): number | undefined =>
  way === 1 ? values.find((value) => value >= from) : values.findLast((value) => value <= from);

const edge = (values: readonly number[], way: 1 | -1): number => values.at(way === 1 ? 0 : -1) ?? 0;

/** The nearest day, `from` included. Days and months are counted from January 1970. */
export function findDay(days: Days, from: number, way: 1 | -1): number | undefined {
  let month = monthOf(from);
  let date = from - firstDay(month) + 1;
  for (let searched = 0; searched <= CALENDAR_MONTHS; searched += 1) {
    if (days.months.includes(modulo(month, 12) + 1)) {
      const first = firstDay(month);
      const named = datesOf(days, modulo(first + 4, 7), firstDay(month + 1) - first);
      const left = named & (way === 1 ? -1 << date : ~(-2 << date));
      if (left !== 0) return first - 1 + (way === 1 ? lowestBit(left) : highestBit(left));
    }
    month += way;
    date = way === 1 ? 1 : 31;
  }
  return undefined;
}

const EVERY_SEVENTH = 0b1_0000001_0000001_0000001_0000001;

/** The dates named in a month that begins on a weekday, one bit each. */
function datesOf(days: Days, beginsOn: number, length: number): number {
  const all = ~(-2 << length);
  // A star names each of them, and most schedules have one or two.
  let byDate = days.dates.length === 31 ? all : days.lastDate ? 1 << length : 0;
  if (byDate !== all) for (const date of days.dates) byDate |= 1 << date;
  let byWeekday = days.weekdays.length === 7 ? all : 0;
  if (byWeekday !== all) {
    for (const weekday of days.weekdays) {
      byWeekday |= EVERY_SEVENTH << (1 + modulo(weekday - beginsOn, 7));
    }
  }
  for (const { weekday, nth } of days.nthWeekdays) {
    const first = 1 + modulo(weekday - beginsOn, 7);
    const date = first + 7 * ((nth === 'last' ? Math.floor((length - first) / 7) + 1 : nth) - 1);
    if (date <= length) byWeekday |= 1 << date;
  }
  return all & (days.either ? byDate | byWeekday : byDate & byWeekday);
}

const highestBit = (bits: number): number => 31 - Math.clz32(bits);
const lowestBit = (bits: number): number => highestBit(bits & -bits);

/** The month of a day. Dividing by the mean length of a month errs by one at most. */
function monthOf(day: number): number {
  const guess = Math.floor(day / 30.436875);
  if (firstDay(guess) > day) return guess - 1;
  return firstDay(guess + 1) <= day ? guess + 1 : guess;
}

/** The years counted from March, so that their last day is the one that comes and goes. */
function firstDay(month: number): number {
  const [year, since] = [1970 + Math.floor((month - 2) / 12), modulo(month - 2, 12)];
  const leapDays = Math.floor(year / 4) - Math.floor(year / 100) + Math.floor(year / 400);
  return 365 * year + leapDays + Math.floor((153 * since + 2) / 5) - 719_468;
}

const modulo = (value: number, by: number): number => ((value % by) + by) % by;
