import cronstrue from 'cronstrue';
import { parseSchedule, resolvedText } from '../server/core/schedule.ts';
import type { Days } from '../server/core/calendar.ts';
import type { Schedule } from '../server/core/schedule.ts';

/**
 * A schedule in words, such as "At 02:00, only on Monday", with H as the number it is for the job
 * `name`. The time zone is left to the caller to show. Never throws: what has no words, or has
 * problems, is given as the cron text.
 */
export function scheduleWords(text: string | null, timeZone: string, name: string): string {
  if (text === null) return 'only by hand';
  const parsed = parseSchedule({ schedule: text, timeZone }, name);
  if ('problems' in parsed) return text;
  try {
    return inWords(parsed.schedule);
  } catch {
    return resolvedText(parsed.schedule); // cronstrue throws at what it cannot word
  }
}

function inWords(schedule: Schedule): string {
  const [minute = '', hour = '', date = '', month = '', weekday = ''] = resolvedText(schedule)
    .split(' ')
    .map((field) => (field.split(',').includes('*') ? '*' : field));
  const time = [evenly(minute, 0, 59), evenly(hour, 0, 23)];
  const months = evenly(month, 1, 12);
  const weekdays = weekday.includes('/') ? weekdayList(schedule.days) : weekday;
  return schedule.days.either
    ? eitherWords(time, date, months, weekdays)
    : words([...time, date, months, weekdays]);
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

// "Every 45 minutes" would be wrong of */45, which starts anew each hour: 0 and 45 are named.
function evenly(field: string, min: number, max: number): string {
  const step = Number(/^\*\/(\d+)$/.exec(field)?.[1] ?? 1);
  const size = max - min + 1;
  if (size % step === 0) return field;
  return Array.from({ length: Math.ceil(size / step) }, (_, i) => min + i * step).join(',');
}

// "Every 2 days of the week" says nothing of which: Sunday, Tuesday, Thursday and Saturday.
function weekdayList({ weekdays, nthWeekdays }: Days): string {
  if (weekdays.length === 7) return '*';
  const nth = nthWeekdays.map(({ weekday, nth }) => weekday + (nth === 'last' ? 'L' : `#${nth}`));
  return [...weekdays, ...nth].join(',');
}
