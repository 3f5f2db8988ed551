/** Finds the days and minutes that a schedule names, on a wall clock: no zone, no instant. */

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

/** What the search needs of a schedule. */
export interface WallSchedule {
  readonly days: Days;
  /** Minutes of the day, ascending. */
  readonly times: readonly number[];
}

export const MINUTE_MS = 60_000;
const DAY_MINUTES = 1440;
/** After 400 years the calendar repeats, weekdays and all: what has not come by then never does. */
const CALENDAR_MONTHS = 400 * 12;

/**
 * The nearest minute of a wall clock that the schedule names, from `from` on (`from` included) and
 * onwards (1) or backwards (-1). Counted from midnight on 1 January 1970 on that clock.
 */
export function findWall(schedule: WallSchedule, from: number, way: 1 | -1): number | undefined {
  const { days, times } = schedule;
  const today = Math.floor(from / DAY_MINUTES);
  let day = findDay(days, today, way);
  if (day === today) {
    const time = findTime(times, from - today * DAY_MINUTES, way);
    if (time !== undefined) return day * DAY_MINUTES + time;
    day = findDay(days, today + way, way);
  }
  const time = way === 1 ? times[0] : times.at(-1);
  return day === undefined || time === undefined ? undefined : day * DAY_MINUTES + time;
}

/** The nearest time of day, `from` included, by halving. */
function findTime(times: readonly number[], from: number, way: 1 | -1): number | undefined {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  return way === 1 || times[low] === from ? times[low] : times[low - 1];
}

/** The nearest day, `from` included. Days and months are counted from January 1970. */
export function findDay(days: Days, from: number, way: 1 | -1): number | undefined {
  let month = monthOf(from);
  for (let searched = 0; searched <= CALENDAR_MONTHS; searched += 1) {
    if (days.months.includes(modulo(month, 12) + 1)) {
      const first = firstDay(month);
      const length = firstDay(month + 1) - first;
      const edge = way === 1 ? 1 : length;
      let date = searched === 0 ? from - first + 1 : edge;
      for (; date >= 1 && date <= length; date += way) {
        if (isNamed(days, date, modulo(first + date + 3, 7), length)) return first + date - 1;
      }
    }
    month += way;
  }
  return undefined;
}

function isNamed(days: Days, date: number, weekday: number, length: number): boolean {
  const byDate = days.dates.includes(date) || (days.lastDate && date === length);
  const byWeekday =
    days.weekdays.includes(weekday) ||
    days.nthWeekdays.some(
      (named) =>
        named.weekday === weekday &&
        (named.nth === 'last' ? date + 7 > length : named.nth === Math.ceil(date / 7)),
    );
  return days.either ? byDate || byWeekday : byDate && byWeekday;
}

/** The month of a day. Dividing by the mean length of a month errs by one at most. */
function monthOf(day: number): number {
  const guess = Math.floor(day / 30.436875);
  if (firstDay(guess) > day) return guess - 1;
  return firstDay(guess + 1) <= day ? guess + 1 : guess;
}

// Months since 1970, not a year and a month: `Date.UTC` takes the years 0–99 for 1900–1999.
const firstDay = (month: number): number => Date.UTC(1970, month, 1) / (DAY_MINUTES * MINUTE_MS);

const modulo = (value: number, by: number): number => ((value % by) + by) % by;
