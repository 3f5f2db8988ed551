import { remember } from './bounded.ts';
import { readCron, type CronSchedule } from './cron-fields.ts';
import { cronProblems } from './cron-text.ts';
import { parseDuration, type Instant } from './time.ts';
import { firstShown } from './zoned.ts';
import type { Zone } from './zone.ts';

/*
 * The text of a schedule, as it stands on record and as a person may write it: one rule or several,
 * with semicolons between. A rule is cron text, `every 15m` or `at 2027-03-01T18:00`.
 */

/** Cron text that was read; a period in milliseconds, counted from the epoch; or one instant. */
export type Rule =
  | ({ readonly kind: 'cron' } & CronSchedule)
  | { readonly kind: 'every'; readonly text: string; readonly ms: number }
  | {
      readonly kind: 'at';
      readonly text: string;
      readonly at: Instant;
      /** What the wall clock is to show then; null where an offset was given. */
      readonly shown: number | null;
    };

const RULES_LIMIT = 20;
const TEXT_LIMIT = 8000;
const SHORTEST_MS = 1000;
const LONGEST_MS = 366 * 86_400_000;

/** The rules of a text, each trimmed. An empty text is one empty rule. */
export const splitRules = (text: string): string[] => text.split(';').map((rule) => rule.trim());

/** Jobs share many of their texts. */
const TEXTS_KEPT = 500;
const judged = new Map<string, readonly string[]>();

/** All that is wrong with a schedule's text; empty when it can be read. Knows no calendar. */
export const textProblems = (text: string): readonly string[] =>
  remember(judged, TEXTS_KEPT, text, judge);

function judge(text: string): readonly string[] {
  if (text.length > TEXT_LIMIT) {
    return [`${text.length} characters are too many: at most ${TEXT_LIMIT} make a schedule`];
  }
  const rules = splitRules(text);
  if (rules.length > RULES_LIMIT) {
    return [`${rules.length} rules are too many: at most ${RULES_LIMIT} make a schedule`];
  }
  const alone = rules.find((rule) => /^(every|at)\b/i.test(rule));
  if (alone !== undefined && rules.length > 1) {
    return [`"${quoted(alone)}" stands alone: only cron text can be combined`];
  }
  return rules.flatMap((rule, i) =>
    ruleProblems(rule).map((problem) =>
      rules.length === 1
        ? problem
        : `rule ${i + 1} of ${rules.length}, "${quoted(rule)}": ${problem}`,
    ),
  );
}

const quoted = (text: string): string => (text.length <= 60 ? text : `${text.slice(0, 60)}…`);

function ruleProblems(rule: string): string[] {
  const [, word = '', rest = ''] = /^(every|at)\b(.*)$/i.exec(rule) ?? [];
  if (word === '') return cronProblems(rule);
  return word.toLowerCase() === 'every' ? everyProblems(rest.trim()) : atProblems(rest.trim());
}

/** Reads a rule that has no problems. `name` is the job's, for H. */
export function readRule(rule: string, zone: Zone, name: string): Rule {
  const [, word = '', rest = ''] = /^(every|at)\b(.*)$/i.exec(rule) ?? [];
  switch (word.toLowerCase()) {
    case 'every':
      return { kind: 'every', text: `every ${rest.trim()}`, ms: parseDuration(rest.trim()) ?? NaN };
    case 'at':
      return { kind: 'at', text: `at ${rest.trim().toUpperCase()}`, ...readAt(rest.trim(), zone) };
    default:
      return { kind: 'cron', ...readCron(rule, name) };
  }
}

function everyProblems(text: string): string[] {
  const ms = parseDuration(text);
  if (ms === undefined) return [`"${text}" is not a duration such as "15m", in s, m, h or d`];
  if (ms < SHORTEST_MS) return [`"${text}" is too short: at least 1s`];
  if (ms > LONGEST_MS) return [`"${text}" is too long: at most 366d`];
  return ms % 1000 === 0 ? [] : [`"${text}" is not a whole number of seconds`];
}

const AT =
  /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::(\d\d)(?:\.0+)?)?(Z|[+-](?:0\d|1[0-4]):?[0-5]\d)?$/i;

function atProblems(text: string): string[] {
  const [whole, date = '', time = '', seconds = '00'] = AT.exec(text) ?? [];
  if (whole === undefined) {
    const right = '"2027-03-01T18:00" on the clock of the time zone, or "2027-03-01T18:00:00Z"';
    return [`"${text}" is not a date and time to the second, such as ${right}`];
  }
  const wall = wallOf(date, time, seconds);
  // Date.parse takes 30 February for 2 March, and 24:00 for midnight.
  const is = Number.isNaN(wall) || new Date(wall).toISOString().slice(0, 10) !== date;
  return is ? [`"${text}" names a day or a time of day that does not exist`] : [];
}

const wallOf = (date: string, time: string, seconds: string): number =>
  Date.parse(`${date}T${time}:${seconds}Z`);

function readAt(text: string, zone: Zone): { at: Instant; shown: number | null } {
  const [, date = '', time = '', seconds = '00', offset] = AT.exec(text) ?? [];
  const wall = wallOf(date, time, seconds);
  if (offset === undefined) return { at: firstShown(zone, wall), shown: wall };
  if (offset.toUpperCase() === 'Z') return { at: wall, shown: null };
  const [hours, minutes] = [Number(offset.slice(1, 3)), Number(offset.slice(-2))];
  const ahead = (hours * 60 + minutes) * 60_000;
  return { at: offset.startsWith('-') ? wall + ahead : wall - ahead, shown: null };
}
