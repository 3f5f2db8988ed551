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
export function describe(schedule: Schedule): string {
  const known = worded.get(schedule);
  if (known !== undefined) return known;
  const made = wordsOf(schedule);
  worded.set(schedule, made);
  return made;
}

/** Wording takes as long as all the rest of a job's row, and a list of jobs is read all day. */
const worded = new WeakMap<Schedule, string>();

function wordsOf({ rules, timeZone }: Schedule): string {
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
  const fields = text.replace(/\b0+(?=\d)/g, '').split(' ');
  const [minute = '', hour = '', date = '', month = '', weekday = ''] = fields.slice(-5);
  const second = fields.length === 6 ? [evenly(fields[0] ?? '', wall.seconds, 60)] : [];
  const time = [...second, evenly(minute, wall.minutes, 60), evenly(hour, wall.hours, 24)];
  const [short, list] = listed(wall, time);
  const { days } = wall;
  const start = words([...short, '*', '*', '*']);
  const ending: Ending = (...dayFields) => {
    const whole = words([...short, ...dayFields]);
    if (!whole.startsWith(start)) throw new Error(`"${whole}" does not begin with "${start}"`);
    return whole.slice(start.length);
  };
  const months = ending('*', evenly(month, days.months, 12), '*');
  const whole = start + dayWords(ending, date, weekday, days) + months;
  return list === undefined ? whole : whole.replace(MIDNIGHT, `At ${list}`);
}

/** What cronstrue says of three day fields, after what it says of the time of day. */
type Ending = (date: string, month: string, weekday: string) => string;

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

// cronstrue says "and" of the two day fields where cron means "or", "the second Monday and Friday"
// where every Friday is meant, and nothing at all of a field that names each day.
function dayWords(ending: Ending, date: string, weekday: string, days: Days): string {
  const dates = ending(dateField(date, days), '*', '*');
  const parts = weekdayFields(weekday, days).map((field) => ending('*', '*', field));
  const weekdays = parts.map((part, i) => (i === 0 ? part : ` and ${bare(part)}`)).join('');
  if (!days.either) return dates + weekdays;
  return dates === '' || weekdays === '' ? '' : `${dates} or ${bare(weekdays)}`;
}

const bare = (part: string): string => part.replace(/^, (only )?/, '');

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
  const short = named.length <= LISTED;
  return short || step > 1 || field.includes(',') ? named.join(',') : field;
}

// "Every 10 days in a month" is wrong of */10, too: the 31st is followed by the 1st.
function dateField(field: string, { dates, lastDate }: Days): string {
  if (dates.length === 31) return '*';
  if (field === '*/2') return field;
  const ranges = field.includes('-') && !field.includes('/');
  const numbers = ranges ? field.split(',').filter((item) => item !== 'L') : dates;
  return [...numbers, ...(lastDate ? ['L'] : [])].join(',');
}

// "Every 2 days of the week" says nothing of which: Sunday, Tuesday, Thursday and Saturday.
function weekdayFields(field: string, { weekdays, nthWeekdays }: Days): string[] {
  if (weekdays.length === 7) return ['*'];
  const plain = field.split(',').filter((item) => !/#|L$/.test(item));
  const ranges = plain.some((item) => item.includes('-')) && !field.includes('/');
  const nths = [...new Set(nthWeekdays.map(({ weekday, nth }) => `${weekday}#${nth}`))];
  const lasts = nths.filter((nth) => nth.endsWith('last')).map((nth) => `${nth.charAt(0)}L`);
  const others = nths.filter((nth) => !nth.endsWith('last'));
  return [ranges ? plain : weekdays, others, lasts].map(String).filter((part) => part !== '');
}
