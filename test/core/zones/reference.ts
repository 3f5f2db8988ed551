/**
 * What a schedule means, told a second time and as plainly as possible, so that the product's own
 * account of it can be checked. It shares no code with the product. It is slow, and finds nothing
 * by thinking: it looks at the zone's wall clock at each minute (or second) of real time, and does
 * at each what the loop of Debian's cron does.
 *
 * - A schedule whose minute or hour field begins with `*` follows real time: it occurs whenever
 *   the clock shows a wall time that it names. So it occurs twice in an hour that is repeated.
 * - Any other occurs when the clock passes a wall time that it names, beyond all those that the
 *   clock has passed before. If it jumps forward, it passes many at once, and that is one
 *   occurrence, at the end of the jump. What it shows a second time, it has passed already.
 */

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Real instants in ms since 1970, half-open: (from, to]. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A time as it stands on the wall. Sunday is 0, January is 1. */
interface Wall {
  readonly second: number;
  readonly minute: number;
  readonly hour: number;
  readonly day: number;
  readonly lastDay: number;
  readonly month: number;
  readonly weekday: number;
}

/** One look at the clock: what it shows, and what it has passed since the look before. */
export interface Look {
  readonly at: number;
  readonly shows: Wall;
  readonly passes: readonly Wall[];
}

export interface Expression {
  readonly realTime: boolean;
  readonly names: (wall: Wall) => boolean;
}

/** The occurrences among these looks, oldest first. */
export function occurrencesAmong(looks: readonly Look[], { realTime, names }: Expression) {
  return looks
    .filter(({ shows, passes }) => (realTime ? names(shows) : passes.some(names)))
    .map(({ at }) => at);
}

/**
 * Since 1970 no clock was set back by more than 7 hours (Vostok, 1994). Whoever watches it for two
 * days knows how far it has got.
 */
const WATCHED_BEFORE = 2 * DAY;

/**
 * Looks at the zone's clock once in `every` ms during the span. By the minute is enough for five
 * fields, which name whole minutes, if the offset is of whole minutes too.
 */
export function watch(timeZone: string, { from, to }: Span, every: number): Look[] {
  const offsetAt = offsets(timeZone);
  const looks: Look[] = [];
  let furthest = -Infinity;
  for (let at = Math.floor((from - WATCHED_BEFORE) / every) * every; at <= to; at += every) {
    const wall = at + offsetAt(at);
    if (wall % every !== 0) throw new Error(`${timeZone} has to be watched more closely`);
    if (at > from) looks.push(look(at, wall, furthest, every));
    furthest = Math.max(furthest, wall);
  }
  return looks;
}

function look(at: number, wall: number, furthest: number, every: number): Look {
  const passes: Wall[] = [];
  for (let next = furthest + every; next <= wall; next += every) passes.push(readWall(next));
  return { at, shows: passes.at(-1) ?? readWall(wall), passes };
}

/** A wall time is counted as if it were UTC's, so that a step on the wall is a step in ms. */
function readWall(wall: number): Wall {
  const date = new Date(wall);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return {
    second: date.getUTCSeconds(),
    minute: date.getUTCMinutes(),
    hour: date.getUTCHours(),
    day: date.getUTCDate(),
    lastDay: new Date(Date.UTC(year, month + 1, 0)).getUTCDate(),
    month: month + 1,
    weekday: date.getUTCDay(),
  };
}

/** How far the zone's wall clock is ahead of UTC's at an instant, in ms, as `Intl` has it. */
export function readOffset(timeZone: string, at: number): number {
  return Date.parse(`${clockOf(timeZone).format(at).replace(' ', 'T')}Z`) - at;
}

/**
 * Reads the offset at an instant of whole seconds. What it is at both ends of a quarter of an hour
 * it is all the time between, as no clock is changed twice in one; else each instant is read.
 */
function offsets(timeZone: string): (at: number) => number {
  const quarter = 15 * MINUTE;
  let start = NaN;
  let throughout: number | undefined;
  return (at) => {
    if (!(start <= at && at < start + quarter)) {
      start = Math.floor(at / quarter) * quarter;
      const [first, last] = [readOffset(timeZone, start), readOffset(timeZone, start + quarter)];
      throughout = first === last ? first : undefined;
    }
    return throughout ?? readOffset(timeZone, at);
  };
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** In Swedish a time is written `2027-03-14 03:00:00`. */
function clockOf(timeZone: string): Intl.DateTimeFormat {
  let clock = clocks.get(timeZone);
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
    clocks.set(timeZone, clock);
  }
  return clock;
}

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
const WEEKDAYS = 'sun mon tue wed thu fri sat'.split(' ');
const MACROS = new Map([
  ['@hourly', '0 * * * *'],
  ['@daily', '0 0 * * *'],
  ['@weekly', '0 0 * * 0'],
  ['@monthly', '0 0 1 * *'],
  ['@yearly', '0 0 1 1 *'],
]);

/** Reads a valid cron expression; what it does with others doesn't matter. */
export function readExpression(text: string): Expression {
  const fields = (MACROS.get(text) ?? text).toLowerCase().split(' ');
  const [seconds = '', minutes = '', hours = '', days = '', months = '', weekdays = ''] =
    fields.length === 6 ? fields : ['0', ...fields];

  const second = numbers(seconds, 0, 59);
  const minute = numbers(minutes, 0, 59);
  const hour = numbers(hours, 0, 23);
  const month = numbers(months, 1, 12, (word) => MONTHS.indexOf(word) + 1);
  const day = anyOf(days.split(',').map(readDay));
  const weekday = anyOf(weekdays.split(',').map(readWeekday));
  const either = ![days, weekdays].some((field) => field.startsWith('*') || field === '?');

  return {
    realTime: minutes.startsWith('*') || hours.startsWith('*'),
    names: (wall) =>
      minute.has(wall.minute) &&
      hour.has(wall.hour) &&
      second.has(wall.second) &&
      month.has(wall.month) &&
      (either ? day(wall) || weekday(wall) : day(wall) && weekday(wall)),
  };
}

type Test = (wall: Wall) => boolean;

const anyOf =
  (tests: readonly Test[]): Test =>
  (wall) =>
    tests.some((test) => test(wall));

/** A part of the day-of-month field. `L` is the month's last day. */
function readDay(part: string): Test {
  if (part === 'l') return ({ day, lastDay }) => day === lastDay;
  const days = numbers(part, 1, 31);
  return ({ day }) => days.has(day);
}

/** A part of the day-of-week field. `5L` is the month's last Friday, `1#2` its second Monday. */
function readWeekday(part: string): Test {
  const [which = '', nth] = part.replace(/l$/, '').split('#');
  const among = numbers(which, 0, 7, (word) => WEEKDAYS.indexOf(word));
  if (among.has(7)) among.add(0);

  if (nth !== undefined)
    return ({ day, weekday }) => among.has(weekday) && Math.ceil(day / 7) === Number(nth);
  if (part.endsWith('l'))
    return ({ day, lastDay, weekday }) => among.has(weekday) && day + 7 > lastDay;
  return ({ weekday }) => among.has(weekday);
}

/** The numbers of a list such as `1,5-9,20/10,*` in a field that goes from `low` to `high`. */
function numbers(
  list: string,
  low: number,
  high: number,
  ofWord: (word: string) => number = Number,
): Set<number> {
  const found = new Set<number>();
  for (const part of list.split(',')) {
    const [range = '', step] = part.split('/');
    const [first, last] = range
      .split('-')
      .map((text) => (/^[a-z]/.test(text) ? ofWord(text) : Number(text)));
    const all = range === '*' || range === '?';
    const from = all ? low : (first ?? NaN);
    const to = all ? high : (last ?? (step === undefined ? from : high));
    for (let number = from; number <= to; number += Number(step ?? 1)) found.add(number);
  }
  return found;
}

/** What comes of asking again and again, each time from the last answer. */
export function steps(
  step: (from: number) => number | undefined,
  start: number,
  limit: number,
): number[] {
  const found: number[] = [];
  let at = step(start);
  while (at !== undefined && found.length < limit) {
    found.push(at);
    at = step(at);
  }
  return found;
}
