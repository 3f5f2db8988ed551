/**
 * Which cron text we accept. cron-parser is lenient where a person would want to be told (`5 *`
 * means "May" to it, and six fields start with seconds), so all text is checked here first.
 */

/** The fields of cron text, in upper case. */
export interface CronFields {
  /** Null where the text has five fields: then the second is 0. */
  readonly second: string | null;
  readonly minute: string;
  readonly hour: string;
  readonly dayOfMonth: string;
  readonly month: string;
  readonly dayOfWeek: string;
}

/** What can stand in a field. */
interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Names for `min`, `min + 1` and so on. */
  readonly names: readonly string[];
}

const MONTHS = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ');
const WEEKDAYS = 'SUN MON TUE WED THU FRI SAT'.split(' ');

export const FIELD: Readonly<Record<keyof CronFields, Field>> = {
  second: { name: 'second', min: 0, max: 59, names: [] },
  minute: { name: 'minute', min: 0, max: 59, names: [] },
  hour: { name: 'hour', min: 0, max: 23, names: [] },
  dayOfMonth: { name: 'day-of-month', min: 1, max: 31, names: [] },
  month: { name: 'month', min: 1, max: 12, names: MONTHS },
  dayOfWeek: { name: 'day-of-week', min: 0, max: 7, names: WEEKDAYS },
};
const { second: SECOND, ...OTHERS } = FIELD;
const FIELDS = Object.values(OTHERS);

const MACROS: ReadonlyMap<string, string> = new Map([
  ['@hourly', '0 * * * *'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@weekly', '0 0 * * 0'],
  ['@monthly', '0 0 1 * *'],
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
]);

const MACRO_HINTS: ReadonlyMap<string, string> = new Map([
  ['@reboot', 'a schedule names instants, and a start is not one'],
  ['@every', "give the job every: '10m' in place of a schedule, or write a step such as */10"],
  ['@secondly', 'write * * * * * *'],
  ['@minutely', 'write * * * * *'],
  ['@weekdays', 'write 0 0 * * 1-5'],
  ['@weekends', 'write 0 0 * * 0,6'],
]);

const FIVE_FIELDS = `five fields (${FIELDS.map(({ name }) => name).join(' ')})`;

/** Every value of every field written out takes about 350 characters. */
const TEXT_LIMIT = 500;

/** What people leave behind the five fields: a time zone, or a line's command. */
const OTHER_THINGS = /^(?:[a-z]+\/[a-z]|UTC$|GMT$|[./~]+\w)/i;

/**
 * Everything that is wrong with cron text, each in one line with what would be right; empty when
 * it can be read. Does not tell whether its dates ever come: that takes a calendar.
 */
export function cronProblems(text: string): string[] {
  if (text.length > TEXT_LIMIT) {
    return [`${text.length} characters are too many: at most ${TEXT_LIMIT} are read`];
  }
  const words = text.trim().split(/\s+/);
  const [first = ''] = words;
  if (first === '') return [`the text is empty: expected ${FIVE_FIELDS}`];
  if (first.startsWith('@')) return macroProblems(first, words.length);
  if (/^(CRON_)?TZ=/.test(first)) {
    return [`"${first}" cannot stand in cron text: the time zone has a setting of its own`];
  }
  const [after = ''] = words.slice(5);
  if (OTHER_THINGS.test(after)) {
    return [`"${after}" is not cron text: time zone and command have settings of their own`];
  }
  const fields = words.length === 6 ? [SECOND, ...FIELDS] : FIELDS;
  if (words.length !== fields.length) return [wrongCount(words)];
  const problems = fields.flatMap((field, i) => fieldProblems(field, words[i] ?? ''));
  return [...new Set(problems)];
}

function wrongCount(words: readonly string[]): string {
  const expected = `expected ${FIVE_FIELDS}, or six with the second first, got ${words.length}`;
  const missing = FIELDS.slice(words.length).map(({ name }) => name);
  if (missing.length === 0) return expected;
  const [last = ''] = missing.slice(-1);
  const others = missing.slice(0, -1).join(', ');
  return `${expected}: ${others === '' ? `${last} is` : `${others} and ${last} are`} missing`;
}

/** The fields of cron text that has no problems, macros written out. */
export function cronFields(text: string): CronFields {
  const written = MACROS.get(text.trim().toLowerCase()) ?? text;
  const words = written.trim().toUpperCase().split(/\s+/);
  const second = words.length === 6 ? (words.shift() ?? null) : null;
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = words;
  return { second, minute, hour, dayOfMonth, month, dayOfWeek };
}

function macroProblems(macro: string, words: number): string[] {
  const name = macro.toLowerCase();
  const known = [...MACROS.keys()];
  if (MACROS.has(name)) return words === 1 ? [] : [`"${macro}" stands alone, without fields`];
  const hint = MACRO_HINTS.get(name) ?? `expected ${FIVE_FIELDS} or one of ${known.join(', ')}`;
  return [`"${macro}" is not supported: ${hint}`];
}

const isDay = (field: Field): boolean => field.name.startsWith('day-');

function fieldProblems(field: Field, text: string): string[] {
  if (text === '?' && isDay(field)) return [];
  if (text.includes('?')) {
    return [`${field.name} "${text}": ? can only be the whole of a day field; write *`];
  }
  return text.split(',').flatMap((item) => {
    if (item === '') return [`${field.name} "${text}" has an empty place in its list`];
    return specialProblems(field, item.toUpperCase()) ?? itemProblems(field, item);
  });
}

/** Problems of an item with L, W or #, which only days have; undefined for any other item. */
function specialProblems(field: Field, item: string): string[] | undefined {
  if (!isDay(field) || !/^L|\wL($|\/)|^(\d+|L)W$|#/.test(item)) return undefined;
  const of = `${field.name} "${item}"`;
  if (field.name === 'day-of-month') {
    if (item === 'L') return [];
    if (item.includes('#')) return [`${of}: # is for the day of week, such as 1#2`];
    return [`${of} is not supported: write a day 1–31, or L for the last day of the month`];
  }
  if (item === 'L') return [`${of}: L needs a day, such as 5L for the last Friday; Saturday is 6`];
  const [, day = '', last, nth] = /^(\w+?)(?:(L)|#(\d*))$/.exec(item) ?? [];
  if (last === undefined && nth === undefined) {
    return [`${of} is not supported: expected a form such as 5L (last) or 1#2 (second)`];
  }
  const outside = nth !== undefined && !/^[1-5]$/.test(nth);
  return [
    ...valueProblems(field, day),
    ...(outside ? [`${of}: the number after # is outside 1–5`] : []),
  ];
}

/** Problems of `*`, a value, a range or H, each with or without a step. */
function itemProblems(field: Field, item: string): string[] {
  const [base = '', step, ...more] = item.split('/');
  if (more.length > 0) return [`${field.name} "${item}" has more than one step`];
  if (base === '') return [`${field.name} "${item}" has nothing before its step: write *${item}`];
  return [...baseProblems(field, base), ...stepProblems(field, step)];
}

function stepProblems(field: Field, step: string | undefined): string[] {
  if (step === undefined) return [];
  const most = field.max;
  if (!/^\d+$/.test(step)) return [`${field.name} step "${step}" is not a number 1–${most}`];
  const inside = Number(step) >= 1 && Number(step) <= most;
  return inside ? [] : [`${field.name} step ${step} is outside 1–${most}`];
}

function baseProblems(field: Field, base: string): string[] {
  if (base === '*' || base.toUpperCase() === 'H') return [];
  const hashed = /^h\((\d+)-(\d+)\)$/i.exec(base);
  const [from = '', to, ...more] = hashed?.slice(1) ?? base.split('-');
  if (more.length > 0 || from === '' || to === '') {
    return [`${field.name} "${base}" is not a number or a range such as 1-5`];
  }
  if (to === undefined) return valueProblems(field, from);
  const outside = [...valueProblems(field, from), ...valueProblems(field, to)];
  if (outside.length > 0) return outside;
  return rangeProblems(field, from, to, hashed === null);
}

function rangeProblems(field: Field, from: string, to: string, canSplit: boolean): string[] {
  const [low, high] = [valueOf(field, from) ?? field.min, valueOf(field, to) ?? field.max];
  if (low <= high) return [];
  const backwards = `${field.name} range ${from}-${to} runs backwards`;
  if (!canSplit) return [backwards];
  const max = field.name === 'day-of-week' ? 6 : field.max;
  const halves = [range(low, Math.max(low, max)), range(field.min, high)];
  return [`${backwards}: write ${halves.join(',')}`];
}

const range = (from: number, to: number): string => (from === to ? `${from}` : `${from}-${to}`);

function valueProblems(field: Field, text: string): string[] {
  if (valueOf(field, text) !== undefined) return [];
  const { name, min, max, names } = field;
  if (/^\d+$/.test(text)) return [`${name} ${text} is outside ${min}–${max}`];
  const named = names.length > 0 ? ` or a name ${names[0]}–${names.at(-1)}` : '';
  return [`${name} "${text}" is not a number ${min}–${max}${named}`];
}

/** The number that a text of digits or a name stands for, if the field has it. */
function valueOf(field: Field, text: string): number | undefined {
  const named = field.names.indexOf(text.toUpperCase());
  if (named >= 0) return field.min + named;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  return value >= field.min && value <= field.max ? value : undefined;
}
