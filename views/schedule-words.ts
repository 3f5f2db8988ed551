import cronstrue from 'cronstrue';
import type { Days, WallSchedule } from '../server/core/calendar.ts';
import { parseSchedule, shownAt } from '../server/core/schedule.ts';
import type { Schedule } from '../server/core/schedule.ts';
import type { Rule } from '../server/core/schedule-text.ts';
import { count, longDate, wallTime } from './time.ts';

/**
 * The words of a job's schedule, whose H is drawn from the job's `name`. Never throws: text with
 * problems is given as it is.
 */
export function scheduleWords(text: string | null, timeZone: string, name: string): string {
  if (text === null) return 'only by hand';
  const parsed = parseSchedule({ schedule: text, timeZone }, name);
  return 'schedule' in parsed ? describe(parsed.schedule) : text;
}

/**
 * A schedule in words, such as "At 02:00, only on Monday", with H as the number it is. The time
 * zone is left to the caller to show.
 */
export function describe({ rules, timeZone }: Schedule): string {
  const [first = '', ...others] = rules.map((rule) => ruleWords(rule, timeZone));
  return [first, ...others.map((other) => other.replace(/^./, (letter) => letter.toLowerCase()))]
    .join('; ')
    .trim();
}

function ruleWords(rule: Rule, timeZone: string): string {
  switch (rule.kind) {
    case 'every':
      return everyWords(rule.ms);
    case 'at': {
      const shown = shownAt(timeZone, rule.at);
      return `Once, on ${longDate(shown)} at ${wallTime(shown)}`;
    }
    case 'cron':
      try {
        return cronWords(rule);
      } catch {
        return rule.text; // cronstrue throws at what it cannot word
      }
  }
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;

/** Counted from midnight on 1 January 1970 in UTC, so whole days begin at midnight there. */
function everyWords(ms: number): string {
  let left = ms;
  const parts: string[] = [];
  for (const [unit, length] of UNITS) {
    const n = Math.floor(left / length);
    left -= n * length;
    if (n > 0) parts.push(n === 1 && left === 0 && parts.length === 0 ? unit : count(n, unit));
  }
  return `Every ${parts.join(' ')}${ms % UNITS[0][1] === 0 ? ', at 00:00 UTC' : ''}`;
}

function cronWords({ text, wall }: Extract<Rule, { kind: 'cron' }>): string {
  const fields = text.split(' ');
  const [minute = '', hour = '', date = '', month = '', weekday = ''] = fields.slice(-5);
  const second = fields.length === 6 ? [evenly(fields[0] ?? '', wall.seconds, 60)] : [];
  const time = [...second, evenly(minute, wall.minutes, 60), evenly(hour, wall.hours, 24)];
  const months = evenly(month, wall.days.months, 12);
  const dates = evenly(date, [], 31);
  const weekdays = weekdayField(weekday, wall.days);
  const [short, list] = listed(wall, time);
  const whole = wall.days.either
    ? eitherWords(short, dates, months, weekdays)
    : words([...short, dates, months, weekdays]);
  return list === undefined ? whole : whole.replace(MIDNIGHT, `At ${list}`);
}

const MIDNIGHT = 'At 00:00';

/**
 * A few times of day are told one by one, where cronstrue would say "At 15 and 45 minutes past the
 * hour, at 01:00": it is given one time, and the list is put in that one's place.
 */
function listed(wall: WallSchedule, time: string[]): readonly [string[], string | undefined] {
  const { hours, minutes, seconds } = wall;
  const many = hours.length * minutes.length * seconds.length;
  if (minutes.length * seconds.length === 1 || many > TIMES_LISTED) return [time, undefined];
  const exact = seconds.some((second) => second > 0);
  const times = hours.flatMap((hour) =>
    minutes.flatMap((minute) =>
      seconds.map((second) => wallTime(((hour * 60 + minute) * 60 + second) * 1000, exact)),
    ),
  );
  const last = times.pop() ?? '';
  return [['0', '0'], `${times.join(', ')} and ${last}`];
}

// cronstrue says "and" of the two day fields where cron means "or", so each is worded by itself.
function eitherWords(time: string[], date: string, months: string, weekdays: string): string {
  const start = words([...time, '*', '*', '*']);
  const rest = (...days: string[]): string => {
    const whole = words([...time, ...days]);
    if (!whole.startsWith(start)) throw new Error(`"${whole}" does not begin with "${start}"`);
    return whole.slice(start.length);
  };
  const onWeekdays = rest('*', '*', weekdays).replace(/^, (only )?/, '');
  return `${start}${rest(date, '*', '*')} or ${onWeekdays}${rest('*', months, '*')}`;
}

const words = (fields: readonly string[]): string =>
  cronstrue.toString(fields.join(' '), { use24HourTimeFormat: true, logicalAndDayFields: true });

const TIMES_LISTED = 6;
/** Up to so many numbers are easier read than a range with a step. */
const LISTED = 12;

// "Every 45 minutes" would be wrong of */45, which starts anew each hour: 0 and 45 are named.
function evenly(field: string, named: readonly number[], size: number): string {
  if (named.length === size || field.split(',').includes('*')) return '*';
  const step = Number(/^\*\/(\d+)$/.exec(field)?.[1] ?? NaN);
  if (size % step === 0 || !field.includes('/')) return field;
  return named.length > 0 && (named.length <= LISTED || step > 1) ? named.join(',') : field;
}

// "Every 2 days of the week" says nothing of which: Sunday, Tuesday, Thursday and Saturday.
function weekdayField(field: string, { weekdays, nthWeekdays }: Days): string {
  if (weekdays.length === 7 || field.split(',').includes('*')) return '*';
  if (!field.includes('/')) return field;
  const nth = nthWeekdays.map(({ weekday, nth }) => weekday + (nth === 'last' ? 'L' : `#${nth}`));
  return [...weekdays, ...nth].join(',');
}
