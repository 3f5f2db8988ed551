import type { Days } from '../core/calendar.ts';
import type { Rule } from '../core/schedule-text.ts';
import type { Schedule } from '../core/schedule.ts';
import { durationText } from '../core/time.ts';

/*
 * Our schedules as cron text for Cloud Scheduler. What its page "Cron job format and time zone"
 * promises is used, and nothing else: five fields of stars, numbers, ranges, steps of a star or a
 * range, and lists of these; a date or a weekday is enough where neither field is a star, and
 * nothing is said of one that is a star with a step. It has no L, no #, no H, no ?, no seconds.
 *
 * A trigger is a hint: one that comes more often than its job finds nothing to do, one that came
 * too seldom would leave a gap. So a text that can't be exact is wider, never narrower; where even
 * that would be far off, the tick is left to wake the job.
 */

/** One Cloud Scheduler job's worth of a schedule. */
export interface CronTrigger {
  readonly schedule: string;
  readonly timeZone: string;
}

export type Translation =
  | {
      readonly kind: 'triggers';
      readonly triggers: readonly CronTrigger[];
      /** Why it comes more often than the job; null where it comes exactly when the job does. */
      readonly wider: string | null;
    }
  /** The tick has to do; `why` is the end of a sentence. */
  | { readonly kind: 'tick'; readonly why: string };

/** Each is billed; a schedule in more pieces is woken by the tick just as well. */
const TRIGGERS_LIMIT = 5;

/** Writes a schedule for Cloud Scheduler, as one text or as several that together mean it. */
export function forCloudScheduler({ rules, timeZone }: Schedule): Translation {
  const parts = rules.map((rule) => ofRule(rule, timeZone));
  const triggers = new Map<string, CronTrigger>();
  const wider = new Set<string>();
  for (const part of parts) {
    if (part.kind === 'tick') return part;
    for (const one of part.triggers) triggers.set(`${one.schedule} ${one.timeZone}`, one);
    if (part.wider !== null) wider.add(part.wider);
  }
  if (triggers.size > TRIGGERS_LIMIT) {
    const why = `it would take ${triggers.size} triggers, more than the ${TRIGGERS_LIMIT} at most`;
    return { kind: 'tick', why };
  }
  const [first = null, ...others] = wider;
  const why = first === null ? null : [first, ...others].join('; ');
  return { kind: 'triggers', triggers: [...triggers.values()], wider: why };
}

function ofRule(rule: Rule, timeZone: string): Translation {
  switch (rule.kind) {
    case 'cron':
      return ofCron(rule, timeZone);
    case 'every':
      return ofEvery(rule.ms);
    case 'at':
      return ofInstant(rule.at);
  }
}

function ofCron({ text, wall }: Extract<Rule, { kind: 'cron' }>, timeZone: string): Translation {
  if (wall.seconds.some((second) => second !== 0)) {
    return { kind: 'tick', why: 'Cloud Scheduler knows no seconds' };
  }
  const [minute = '', hour = '', date = '', month = '', weekday = ''] = text.split(' ').slice(-5);
  const days = dayFields(wall.days, date, weekday);
  const fields = [
    written(minute, wall.minutes, 60),
    written(hour, wall.hours, 24),
    days.date,
    written(month, wall.days.months, 12),
    days.weekday,
  ];
  return {
    kind: 'triggers',
    triggers: [{ schedule: fields.join(' '), timeZone }],
    wider: days.wider,
  };
}

interface DayFields {
  readonly date: string;
  readonly weekday: string;
  readonly wider: string | null;
}

const NO_LAST = 'Cloud Scheduler has no L';
const NO_NTH = "Cloud Scheduler has no month's second Monday";
const NO_BOTH = 'Cloud Scheduler takes a date or a weekday, not both at once';

const DATES = 31;
const WEEKDAYS = 7;

function dayFields(days: Days, dateText: string, weekdayText: string): DayFields {
  const { either, nthWeekdays } = days;
  const anyDate = days.dates.length === DATES;
  const hasLast = days.lastDate && !anyDate;
  const hasNth = nthWeekdays.length > 0 && days.weekdays.length < WEEKDAYS;
  const lastDates = hasLast ? [28, 29, 30, 31] : [];
  const dates = sorted([...days.dates, ...lastDates]);
  const weekdays = sorted([...days.weekdays, ...nthWeekdays.map(({ weekday }) => weekday)]);
  const anyWeekday = weekdays.length === WEEKDAYS;
  const date = hasLast ? listed(dates) : written(dateText, dates, DATES);
  const weekday = hasNth ? listed(weekdays) : written(weekdayText, weekdays, WEEKDAYS);
  const lack = hasLast ? NO_LAST : hasNth ? NO_NTH : null;

  if (either && (anyDate || anyWeekday)) {
    const exact = anyDate || days.weekdays.length === WEEKDAYS;
    return { date: '*', weekday: '*', wider: exact ? null : lack };
  }
  if (either) return { date, weekday, wider: lack };
  if (anyDate) return { date: '*', weekday, wider: lack };
  if (anyWeekday) return { date, weekday: '*', wider: lack };
  // Both must hold, which it can't be told: the field that names fewer days is told alone.
  return dates.length / DATES < weekdays.length / WEEKDAYS
    ? { date, weekday: '*', wider: NO_BOTH }
    : { date: '*', weekday, wider: NO_BOTH };
}

const sorted = (values: readonly number[]): number[] => [...new Set(values)].sort((a, b) => a - b);

/** What Cloud Scheduler's page shows: no names, no number with a step, no star in a list. */
const PLAIN = /^(?:\*\/[1-9]\d?|ITEM(?:,ITEM)*)$/.source.replaceAll(
  'ITEM',
  String.raw`(?:\d|[1-9]\d)(?:-(?:\d|[1-9]\d)(?:\/[1-9]\d?)?)?`,
);

/** A field as a person wrote it, where that can stay; its numbers otherwise. */
function written(text: string, numbers: readonly number[], size: number): string {
  if (numbers.length === size) return '*';
  // 7 is Sunday, and a range up to it no range of what the numbers are.
  const stays = new RegExp(PLAIN).test(text) && !(size === WEEKDAYS && text.includes('7'));
  return stays ? text : listed(numbers);
}

/** `1,2,5-9`. */
function listed(numbers: readonly number[]): string {
  const runs: number[][] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last?.at(-1) === number - 1) last.push(number);
    else runs.push([number]);
  }
  return runs.map((run) => (run.length > 2 ? `${run[0]}-${run.at(-1)}` : run.join(','))).join(',');
}

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1440;

/** A period is counted from midnight in UTC on a Thursday, 1 January 1970. */
function ofEvery(ms: number): Translation {
  const minutes = ms / MINUTE_MS;
  if (minutes === WEEKDAYS * DAY_MINUTES) return inUtc(['0 0 * * 4']);
  if (!Number.isInteger(minutes)) {
    return { kind: 'tick', why: `${durationText(ms)} are no whole number of minutes` };
  }
  if (DAY_MINUTES % minutes !== 0) {
    const why = 'do not divide a day evenly, and cron text begins anew each day';
    return { kind: 'tick', why: `${durationText(ms)} ${why}` };
  }
  return inUtc(periods(minutes));
}

/** A period that divides the day: minutes that are named in the same hours share a text. */
function periods(every: number): string[] {
  const hoursOf = new Map<number, number[]>();
  for (let time = 0; time < DAY_MINUTES; time += every) {
    const hours = hoursOf.get(time % 60) ?? [];
    hours.push(Math.floor(time / 60));
    hoursOf.set(time % 60, hours);
  }
  const minutesOf = new Map<string, number[]>();
  for (const [minute, hours] of hoursOf) {
    const text = stepped(hours, 24);
    minutesOf.set(text, [...(minutesOf.get(text) ?? []), minute]);
  }
  return [...minutesOf].map(([hours, minutes]) => `${stepped(sorted(minutes), 60)} ${hours} * * *`);
}

/** Every 15th of 60 numbers from 0 on as a step; others one by one. */
function stepped(numbers: readonly number[], size: number): string {
  if (numbers.length === size) return '*';
  const step = (numbers[1] ?? NaN) - (numbers[0] ?? NaN);
  const even = numbers.length === size / step && numbers.every((n, i) => n === i * step);
  return even ? `*/${step}` : listed(numbers);
}

function ofInstant(at: number): Translation {
  const date = new Date(at);
  if (at % MINUTE_MS !== 0) return { kind: 'tick', why: 'Cloud Scheduler knows no seconds' };
  const day = `${date.getUTCDate()} ${date.getUTCMonth() + 1} *`;
  const schedule = `${date.getUTCMinutes()} ${date.getUTCHours()} ${day}`;
  return { ...inUtc([schedule]), wider: 'Cloud Scheduler has no year' };
}

const inUtc = (schedules: readonly string[]) => ({
  kind: 'triggers' as const,
  triggers: schedules.map((schedule) => ({ schedule, timeZone: 'UTC' })),
  wider: null,
});
