import { findDay, type Days } from './calendar.ts';
import { remember } from './bounded.ts';
import type { Span } from './records.ts';
import { readRule, splitRules, textProblems, type Rule } from './schedule-text.ts';
import { LAST_INSTANT, type Instant } from './time.ts';
import { isZone, zoneOf, type Zone } from './zone.ts';
import { nextZoned, previousZoned } from './zoned.ts';

/*
 * Which instants a schedule names. Everything else asks here.
 *
 * A schedule is read once: its text into rules, the fields of cron text into the numbers that they
 * name. It is then searched as what it is, days times hours times minutes: the next day that it
 * names, then the next time in that day, never minute by minute (`calendar.ts`). That search knows
 * a wall clock only. What the wall clock shows when, also where it is put forward or back, is found
 * apart from it (`zoned.ts`, by the offsets of `zone.ts`).
 *
 * An answer depends on the arguments alone. No clock is read, asking from any instant gives what
 * stepping there would have given, and looking back is the mirror of looking ahead. Occurrences
 * strictly increase: two rules, or two times in a gap, that come to one instant are one occurrence.
 */

/** A schedule that was read: plain data, made by `parseSchedule`. */
export interface Schedule {
  readonly timeZone: string;
  readonly zone: Zone;
  /** The rules' text, with H resolved: what a person is shown, and can paste elsewhere. */
  readonly text: string;
  readonly rules: readonly Rule[];
}

/** One thing wrong with a schedule, under the setting that has it. */
export interface ScheduleProblem {
  readonly field: 'schedule' | 'timeZone';
  readonly message: string;
}

/** What reading a schedule gives. */
export type ParsedSchedule =
  { readonly schedule: Schedule } | { readonly problems: ScheduleProblem[] };

/** More than a service has jobs. */
const SCHEDULES_KEPT = 20_000;
const kept = new Map<string, ParsedSchedule>();

/**
 * Reads a schedule in its time zone, or lists all that is wrong with it; never throws. `name`
 * is the job's, which H is drawn from. Refuses what never comes. Asking again is a look-up.
 */
export function parseSchedule(
  text: { readonly schedule: string; readonly timeZone: string },
  name: string,
): ParsedSchedule {
  // Only H (and THU, which looks like it) makes a job's schedule its own.
  const owner = /h/i.test(text.schedule) ? name : '';
  const key = `${text.schedule}\n${text.timeZone}\n${owner}`;
  return kept.get(key) ?? remember(kept, SCHEDULES_KEPT, key, () => readSchedule(text, name));
}

/** A job's schedule; undefined where it runs only by hand, or its text can't be read. */
export function scheduleOfJob(job: {
  readonly name: string;
  readonly schedule: string | null;
  readonly timeZone: string;
}): Schedule | undefined {
  const { name, schedule, timeZone } = job;
  if (schedule === null) return undefined;
  const parsed = parseSchedule({ schedule, timeZone }, name);
  return 'schedule' in parsed ? parsed.schedule : undefined;
}

/** As `parseSchedule`, for a text that will hardly be asked for again: one that is being typed. */
export function readSchedule(
  { schedule, timeZone }: { readonly schedule: string; readonly timeZone: string },
  name: string,
): ParsedSchedule {
  const zoneProblem = `time zone "${timeZone}" is not an IANA name, such as "Europe/London"`;
  const problems: ScheduleProblem[] = [
    ...textProblems(schedule).map((message) => ({ field: 'schedule' as const, message })),
    ...(isZone(timeZone) ? [] : [{ field: 'timeZone' as const, message: zoneProblem }]),
  ];
  if (problems.length > 0) return { problems };

  const zone = zoneOf(timeZone);
  const rules = [...new Set(splitRules(schedule))].map((rule) => readRule(rule, zone, name));
  const never = rules.map((rule) => whyNever(rule, timeZone)).filter((why) => why !== undefined);
  if (never.length > 0) {
    return { problems: never.map((message) => ({ field: 'schedule', message })) };
  }
  return { schedule: { timeZone, zone, rules, text: rules.map(({ text }) => text).join('; ') } };
}

/** The last answer for each schedule: one decision asks the same two or three times. */
const answered = new WeakMap<Schedule, { after: Instant; at: Instant | undefined }>();

/** The first occurrence strictly after `after`; undefined where none comes, or `Date` ends. */
export function nextAfter(schedule: Schedule, after: Instant): Instant | undefined {
  const last = answered.get(schedule);
  if (last === undefined) {
    const at = findNext(schedule, after);
    answered.set(schedule, { after, at });
    return at;
  }
  // In place: to keep each answer anew makes a decision slower by a twelfth.
  if (last.after !== after) {
    last.at = findNext(schedule, after);
    last.after = after;
  }
  return last.at;
}

function findNext({ rules, zone }: Schedule, after: Instant): Instant | undefined {
  if (!(Math.abs(after) <= LAST_INSTANT)) return undefined;
  let first: Instant | undefined;
  for (const rule of rules) {
    const at = nextOf(rule, zone, Math.floor(after));
    if (at !== undefined && at <= LAST_INSTANT && (first === undefined || at < first)) first = at;
  }
  return first;
}

/** The last occurrence strictly before `before`; undefined where none came, or `Date` begins. */
export function previousBefore({ rules, zone }: Schedule, before: Instant): Instant | undefined {
  if (!(Math.abs(before) <= LAST_INSTANT)) return undefined;
  let last: Instant | undefined;
  for (const rule of rules) {
    const at = previousOf(rule, zone, Math.ceil(before));
    if (at !== undefined && at >= -LAST_INSTANT && (last === undefined || at > last)) last = at;
  }
  return last;
}

function nextOf(rule: Rule, zone: Zone, after: Instant): Instant | undefined {
  switch (rule.kind) {
    case 'cron':
      return nextZoned(rule, zone, after);
    case 'every':
      return (Math.floor(after / rule.ms) + 1) * rule.ms;
    case 'at':
      return rule.at > after ? rule.at : undefined;
  }
}

function previousOf(rule: Rule, zone: Zone, before: Instant): Instant | undefined {
  switch (rule.kind) {
    case 'cron':
      return previousZoned(rule, zone, before);
    case 'every':
      return (Math.ceil(before / rule.ms) - 1) * rule.ms;
    case 'at':
      return rule.at < before ? rule.at : undefined;
  }
}

/** What the wall clock of a zone shows at an instant, counted as if that clock were in UTC. */
export const shownAt = (timeZone: string, at: Instant): number =>
  at + zoneOf(timeZone).offsetAt(at);

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

/** The rules of all zones that are known ahead hold from then on. */
const LASTING_FROM: Instant = Date.UTC(2040, 0);

/** Undefined if a rule comes at all. */
function whyNever(rule: Rule, timeZone: string): string | undefined {
  if (rule.kind !== 'cron') return undefined;
  const { days } = rule.wall;
  if (findDay(days, 0, 1) === undefined) return whyNoDay(days);
  if (!rule.realTime || nextZoned(rule, zoneOf(timeZone), LASTING_FROM) !== undefined) {
    return undefined;
  }
  return `never comes: on those days clocks in ${timeZone} are put forward over those times`;
}

const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

function whyNoDay({ months, dates }: Days): string {
  const longest = Math.max(...months.map((month) => LONGEST_MONTHS[month - 1] ?? 31));
  return Math.min(...dates) > longest
    ? `never comes: no month named has a day ${dates.join(' or ')}`
    : 'never comes: no day named is both the day of month and the day of week';
}
