import { CronExpressionParser } from 'cron-parser';
import { cronFields, cronProblems } from './cron-text.ts';
import type { CronFields } from './cron-text.ts';
import {
  findDay,
  findWall,
  MINUTE_MS,
  type Days,
  type NthWeekday,
  type WallSchedule,
} from './calendar.ts';
import type { Span } from './records.ts';
import type { Instant } from './time.ts';

/*
 * Which instants a schedule names. Everything else asks here; nothing else knows time zones.
 *
 * A schedule is a set of days times a set of times of day, and it is searched as such: the next
 * day that it names, then the next time in that day, never minute by minute. An answer depends on
 * the arguments alone. No clock is read, asking from any instant gives what stepping there would
 * have given, and looking back is the mirror of looking ahead.
 *
 * Days go by Vixie cron's rule. Where day of month and day of week are both restricted, either is
 * enough. A field that begins with a star, even one with a step, or that is `?`, does not count as
 * restricted: then both must hold.
 *
 * `H` is a number drawn from the job's name, the same for ever. As a day of the month it stays
 * within 1–28, as in Jenkins, so that no month is left out.
 *
 * cron-parser reads the fields and does nothing else: its own stepping goes backwards, skips or
 * throws where clocks change, and it counts a star with a step as restricted.
 *
 * So far every schedule is in UTC. Zones come next, and their place is kept: the search knows only
 * minutes on a wall clock (`findWall`), and only `nextAfter` and `previousBefore` turn those into
 * instants. The rule to come is Debian cron's: a fixed time that the clock jumps over runs at the
 * gap's end, one that the clock shows twice runs the first time, and a schedule whose minute or
 * hour begins with a star follows real time.
 */

/** A schedule that was read: plain data, made by `parseSchedule`. */
export interface Schedule extends WallSchedule {
  readonly timeZone: string;
  /** The five fields, with H resolved. */
  readonly text: string;
}

/** One thing wrong with a schedule, under the setting that has it. */
export interface ScheduleProblem {
  readonly field: 'schedule' | 'timeZone';
  readonly message: string;
}

/** What reading a schedule gives. */
export type ParsedSchedule =
  { readonly schedule: Schedule } | { readonly problems: ScheduleProblem[] };

/** More than a service has jobs; a full cache starts anew. */
const CACHE_LIMIT = 20_000;
const cache = new Map<string, ParsedSchedule>();

/**
 * Reads cron text in its time zone, or lists all that is wrong with it; never throws. `name` is
 * the job's, which H is drawn from. Refuses what never comes. Asking again is a look-up.
 */
export function parseSchedule(
  text: { readonly schedule: string; readonly timeZone: string },
  name: string,
): ParsedSchedule {
  // Only H (and THU, which looks like it) makes a job's schedule its own.
  const owner = /h/i.test(text.schedule) ? name : '';
  const key = `${text.schedule}\n${text.timeZone}\n${owner}`;
  const known = cache.get(key);
  if (known !== undefined) return known;

  const problems: ScheduleProblem[] = [
    ...cronProblems(text.schedule).map((message) => ({ field: 'schedule' as const, message })),
    ...zoneProblems(text.timeZone).map((message) => ({ field: 'timeZone' as const, message })),
  ];
  if (problems.length > 0) return { problems };

  const schedule = readSchedule(cronFields(text.schedule), text.timeZone, name);
  if (findDay(schedule.days, 0, 1) === undefined) {
    return { problems: [{ field: 'schedule', message: whyNever(schedule.days) }] };
  }
  if (cache.size >= CACHE_LIMIT) cache.clear();
  cache.set(key, { schedule });
  return { schedule };
}

/** The first occurrence strictly after `after`; undefined only where `Date` ends, in 275760. */
export function nextAfter(schedule: Schedule, after: Instant): Instant | undefined {
  const wall = findWall(schedule, Math.floor(after / MINUTE_MS) + 1, 1);
  return wall === undefined ? undefined : wall * MINUTE_MS;
}

/** The last occurrence strictly before `before`; undefined only where `Date` begins. */
export function previousBefore(schedule: Schedule, before: Instant): Instant | undefined {
  const wall = findWall(schedule, Math.ceil(before / MINUTE_MS) - 1, -1);
  return wall === undefined ? undefined : wall * MINUTE_MS;
}

/** The occurrences in (from, to], oldest first: the oldest `limit` of them. */
export function occurrencesBetween(schedule: Schedule, span: Span, limit: number): Instant[] {
  const found: Instant[] = [];
  let at = nextAfter(schedule, span.from);
  while (at !== undefined && at <= span.to && found.length < limit) {
    found.push(at);
    at = nextAfter(schedule, at);
  }
  return found;
}

/** The occurrences in (from, to], oldest first: the newest `limit` of them, found from `to`. */
export function newestBetween(schedule: Schedule, span: Span, limit: number): Instant[] {
  const found: Instant[] = [];
  let at = previousBefore(schedule, span.to + 1);
  while (at !== undefined && at > span.from && found.length < limit) {
    found.push(at);
    at = previousBefore(schedule, at);
  }
  return found.reverse();
}

/** How many occurrences (from, to] holds. Counts to `limit`; `atLeast` says that there are more. */
export function countBetween(
  schedule: Schedule,
  span: Span,
  limit: number,
): { readonly count: number; readonly atLeast: boolean } {
  let count = 0;
  let at = nextAfter(schedule, span.from);
  while (at !== undefined && at <= span.to) {
    if (count >= limit) return { count, atLeast: true };
    count += 1;
    at = nextAfter(schedule, at);
  }
  return { count, atLeast: false };
}

/** The five fields with H resolved to numbers: what a person is shown, and can paste elsewhere. */
export const resolvedText = (schedule: Schedule): string => schedule.text;

function zoneProblems(timeZone: string): string[] {
  if (timeZone === 'UTC' || timeZone === 'Etc/UTC') return [];
  return isZone(timeZone)
    ? [`time zone "${timeZone}": only UTC is supported so far`]
    : [`time zone "${timeZone}" is not an IANA name, such as "Europe/London"`];
}

function isZone(timeZone: string): boolean {
  if (!/^[a-z]/i.test(timeZone)) return false; // Intl takes offsets such as "+05:30", too
  try {
    Intl.DateTimeFormat('en', { timeZone });
    return true;
  } catch {
    return false;
  }
}

function readSchedule(fields: CronFields, timeZone: string, name: string): Schedule {
  const minute = readField('minute', fields[0], name);
  const hour = readField('hour', fields[1], name);
  const date = readField('dayOfMonth', fields[2], name);
  const month = readField('month', fields[3], name);
  const weekday = readField('dayOfWeek', fields[4], name);
  return {
    timeZone,
    text: [minute, hour, date, month, weekday].map(({ text }) => text).join(' '),
    days: {
      months: month.numbers,
      dates: date.numbers,
      lastDate: date.last,
      weekdays: weekday.numbers,
      nthWeekdays: weekday.nth,
      either: !/^[*?]/.test(fields[2]) && !/^[*?]/.test(fields[4]),
    },
    times: hour.numbers.flatMap((h) => minute.numbers.map((m) => h * 60 + m)),
  };
}

const CRON_FIELDS = ['minute', 'hour', 'dayOfMonth', 'month', 'dayOfWeek'] as const;
type CronField = (typeof CRON_FIELDS)[number];

/** A field, or one item of its list: the numbers it names, and what takes a month to tell. */
interface FieldValues {
  readonly text: string;
  readonly numbers: readonly number[];
  readonly last: boolean;
  readonly nth: readonly NthWeekday[];
}

// By itself each item, since cron-parser refuses lists that name a number twice.
function readField(field: CronField, text: string, name: string): FieldValues {
  const items = text.split(',').map((item) => readItem(field, item, name));
  return {
    text: [...new Set(items.flatMap((item) => item.text.split(',')))].join(','),
    numbers: [...new Set(items.flatMap((item) => item.numbers))].sort((a, b) => a - b),
    last: items.some((item) => item.last),
    nth: items.flatMap((item) => item.nth),
  };
}

const HASHED_DAYS = { dayOfMonth: 'H(1-28)', dayOfWeek: 'H(0-6)' } as const;

function readItem(field: CronField, item: string, name: string): FieldValues {
  const isDay = field === 'dayOfMonth' || field === 'dayOfWeek';
  const asked = isDay ? item.replace(/^H(?!\()/, HASHED_DAYS[field]) : item;
  const { fields } = CronExpressionParser.parse(
    CRON_FIELDS.map((other) => (other === field ? asked : '*')).join(' '),
    // An empty seed would be drawn anew each time. The date is not used; it saves reading a clock.
    { tz: 'UTC', hashSeed: name === '' ? 'unnamed' : name, currentDate: 0 },
  );
  const values: readonly (number | string)[] = fields[field].values;
  const numbers = values.filter((value) => typeof value === 'number');
  const text = item.startsWith('H') ? numbersText(numbers) : item;
  if (field !== 'dayOfWeek') return { text, numbers, last: values.includes('L'), nth: [] };

  const weekdays = values.map((value) => parseInt(`${value}`, 10) % 7);
  const nth = numbers.length === 0 ? 'last' : fields.dayOfWeek.nthDay;
  if (nth === 0) return { text, numbers: weekdays, last: false, nth: [] };
  return { text, numbers: [], last: false, nth: weekdays.map((weekday) => ({ weekday, nth })) };
}

/** Numbers as cron text: `7`, `7,37`, or `7-52/15` for more of them if they are evenly spaced. */
function numbersText(numbers: readonly number[]): string {
  const [first = 0, second = 0] = numbers;
  const step = second - first;
  const even = numbers.every((number, i) => number === first + i * step);
  return even && numbers.length > 3 ? `${first}-${numbers.at(-1)}/${step}` : numbers.join(',');
}

const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

function whyNever({ months, dates }: Days): string {
  const longest = Math.max(...months.map((month) => LONGEST_MONTHS[month - 1] ?? 31));
  return Math.min(...dates) > longest
    ? `never comes: no month named has a day ${dates.join(' or ')}`
    : 'never comes: no day named is both the day of month and the day of week';
}
