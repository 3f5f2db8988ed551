import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type * as CronParser from 'cron-parser';
import { remember } from './bounded.ts';
import type { NthWeekday, WallSchedule } from './calendar.ts';
import { cronFields, FIELD, type CronFields } from './cron-text.ts';

/*
 * What the fields of cron text name. cron-parser reads them and does nothing else: its own stepping
 * goes backwards, skips or throws where clocks change, and it counts a star with a step as
 * restricted.
 *
 * Days go by Vixie cron's rule. Where day of month and day of week are both restricted, either is
 * enough. A field that begins with a star, even one with a step, or that is `?`, does not count as
 * restricted: then both must hold.
 *
 * `H` is a number drawn from the job's name, here and not by cron-parser, so that it stays the same
 * for ever. As a day of the month it stays within 1–28, as in Jenkins: no month is left out.
 */

/** Cron text that was read. */
export interface CronSchedule {
  /** The fields, with H resolved. */
  readonly text: string;
  readonly wall: WallSchedule;
  /** Whether minute or hour begin with a star: then it follows real time where clocks change. */
  readonly realTime: boolean;
}

/** Reads cron text that has no problems. `name` is the job's, which H is drawn from. */
export function readCron(cron: string, name: string): CronSchedule {
  const fields = cronFields(cron);
  const read = (field: keyof CronFields): FieldValues => readField(field, fields[field], name);
  const [second, minute, hour] = [read('second'), read('minute'), read('hour')];
  const [date, month, weekday] = [read('dayOfMonth'), read('month'), read('dayOfWeek')];
  const shown = [minute, hour, date, month, weekday];
  return {
    text: (fields.second === null ? shown : [second, ...shown]).map(({ text }) => text).join(' '),
    wall: {
      days: {
        months: month.numbers,
        dates: date.numbers,
        lastDate: date.last,
        weekdays: weekday.numbers,
        nthWeekdays: weekday.nth,
        either: !/^[*?]/.test(fields.dayOfMonth) && !/^[*?]/.test(fields.dayOfWeek),
      },
      hours: hour.numbers,
      minutes: minute.numbers,
      seconds: second.numbers,
    },
    realTime: fields.minute.startsWith('*') || fields.hour.startsWith('*'),
  };
}

/** A field, or one item of its list: the numbers it names, and what takes a month to tell. */
interface FieldValues {
  readonly text: string;
  readonly numbers: readonly number[];
  readonly last: boolean;
  readonly nth: readonly NthWeekday[];
}

// By itself each item, since cron-parser refuses lists that name a number twice.
function readField(field: keyof CronFields, text: string | null, name: string): FieldValues {
  const items = (text ?? '0').split(',').map((item) => readItem(field, drawn(field, item, name)));
  return {
    text: [...new Set(items.map((item) => item.text))].join(','),
    numbers: [...new Set(items.flatMap((item) => item.numbers))].sort((a, b) => a - b),
    last: items.some((item) => item.last),
    nth: items.flatMap((item) => item.nth),
  };
}

const HASHED = {
  second: [0, 59],
  minute: [0, 59],
  hour: [0, 23],
  dayOfMonth: [1, 28],
  month: [1, 12],
  dayOfWeek: [0, 6],
} as const;

/** An item with its H as a number. Each field draws by itself, or minutes would go with hours. */
function drawn(field: keyof CronFields, item: string, name: string): string {
  const [whole, a, b, step] = /^H(?:\((\d+)-(\d+)\))?(?:\/(\d+))?$/.exec(item) ?? [];
  if (whole === undefined) return item;
  const [from, to] = [Number(a ?? HASHED[field][0]), Number(b ?? HASHED[field][1])];
  const hash = createHash('sha256').update(`${field} ${name}`).digest().readUInt32BE();
  if (step === undefined) return `${from + (hash % (to - from + 1))}`;
  return `${from + (hash % Math.min(Number(step), to - from + 1))}-${to}/${step}`;
}

const ORDER = ['second', 'minute', 'hour', 'dayOfMonth', 'month', 'dayOfWeek'] as const;
/** Jobs share most of their items: stars, steps and numbers. */
const ITEMS_KEPT = 2000;
const items = new Map<string, FieldValues>();

const readItem = (field: keyof CronFields, item: string): FieldValues =>
  remember(items, ITEMS_KEPT, `${field} ${item}`, () => parseItem(field, item));

const require = createRequire(import.meta.url);

/** Loaded when first needed: to load it and to have it read one item takes 100 ms of a start. */
const cronParser = (): typeof CronParser => require('cron-parser');

/** What most items are names its numbers itself: a number, or a star, with a step or without. */
function plainNumbers(field: keyof CronFields, text: string): number[] | undefined {
  if (/^\d+$/.test(text)) return [Number(text)];
  const [star, step = '1'] = /^[*?](?:\/(\d+))?$/.exec(text) ?? [];
  if (star === undefined) return undefined;
  const { min, max } = FIELD[field];
  const numbers: number[] = [];
  for (let number = min; number <= max; number += Number(step)) numbers.push(number);
  return numbers;
}

function parseItem(field: keyof CronFields, text: string): FieldValues {
  const known = plainNumbers(field, text);
  if (known !== undefined) {
    const numbers = field === 'dayOfWeek' ? known.map((number) => number % 7) : known;
    return { text, numbers, last: false, nth: [] };
  }
  // It takes 05, but no 05L.
  const plain = text.replace(/^0+(?=\d[L#])/, '');
  const { fields } = cronParser().CronExpressionParser.parse(
    ORDER.map((other) => (other === field ? plain : '*')).join(' '),
    { tz: 'UTC', currentDate: 0 }, // The date is not used; it saves reading a clock.
  );
  const values: readonly (number | string)[] = fields[field].values;
  const numbers = values.filter((value) => typeof value === 'number');
  if (field !== 'dayOfWeek') return { text, numbers, last: values.includes('L'), nth: [] };

  const weekdays = values.map((value) => parseInt(`${value}`, 10) % 7);
  const nth = numbers.length === 0 ? 'last' : fields.dayOfWeek.nthDay;
  if (nth === 0) return { text, numbers: weekdays, last: false, nth: [] };
  return { text, numbers: [], last: false, nth: weekdays.map((weekday) => ({ weekday, nth })) };
}
