import type { JobRecord, Reason, ScheduleInForce, Span } from './records.ts';
import type { Schedule } from './schedule.ts';
import {
  countBetween,
  newestBetween,
  nextAfter,
  occurrencesBetween,
  parseSchedule,
  previousBefore,
} from './schedule.ts';
import type { Instant } from './time.ts';

/** How many occurrences are judged one by one; older ones become one range. */
export const UNDECIDED_LIMIT = 10_000;

/** Why an occurrence does not run. */
export interface Verdict {
  readonly state: 'skipped' | 'missed';
  readonly reason: Reason;
  /** The run that caused it. */
  readonly cause: string | null;
}

/** One occurrence still to be judged (`from` = `to`), or a stretch that is judged already. */
export interface Entry extends Span {
  readonly count: number;
  readonly atLeast: boolean;
  readonly verdict: Verdict | undefined;
}

/** On record already, though the watermark says otherwise: it is covered by what stands there. */
export const ON_RECORD: Verdict = { state: 'skipped', reason: 'superseded', cause: 'on record' };

/**
 * What the store holds beyond a watermark that was set back: instants, and spans, both included.
 */
export interface Covered {
  readonly instants: ReadonlySet<Instant>;
  readonly spans: readonly Span[];
}

/** Marks what is on record already, so that it neither runs nor is recorded again. */
export const markCovered = (
  entries: readonly Entry[],
  covered: Covered | undefined,
): readonly Entry[] =>
  covered === undefined
    ? entries
    : entries.map((entry) => (holds(covered, entry) ? { ...entry, verdict: ON_RECORD } : entry));

const holds = (covered: Covered, { from, to }: Entry): boolean =>
  (from === to && covered.instants.has(to)) ||
  covered.spans.some((span) => span.from <= from && to <= span.to);

const PAUSED: Verdict = { state: 'skipped', reason: 'paused', cause: null };
const TOO_MANY: Verdict = { state: 'missed', reason: 'too-many', cause: null };

/**
 * All occurrences in (watermark, now], oldest first, each stretch of time by the schedule then in
 * force. Those inside an ended pause come as judged stretches; of the others the newest
 * UNDECIDED_LIMIT come one by one, so that an outage of years costs no more than one of a week.
 */
export function undecided(record: JobRecord, now: Instant): Entry[] {
  let budget = UNDECIDED_LIMIT;
  const newestFirst: Entry[] = [];
  for (const stretch of stretches(record, now).reverse()) {
    if (stretch.paused) {
      newestFirst.push(...summary(stretch, PAUSED));
      continue;
    }
    const found = fewBetween(stretch) ?? newestBetween(stretch.schedule, stretch, budget);
    budget -= found.length;
    for (const at of found.toReversed()) newestFirst.push(single(at));
    const [oldest] = found;
    if (budget === 0) {
      const rest = { ...stretch, to: oldest === undefined ? stretch.to : oldest - 1 };
      newestFirst.push(...summary(rest, TOO_MANY));
    }
  }
  return newestFirst.reverse();
}

/**
 * The occurrences of a stretch that holds one at most, as nearly all do; undefined for any other.
 * Looks ahead, since whoever decides asks for the next ones, too.
 */
function fewBetween({ schedule, from, to }: Stretch): Instant[] | undefined {
  const first = nextAfter(schedule, from);
  if (first === undefined || first > to) return [];
  const second = nextAfter(schedule, first);
  return second === undefined || second > to ? [first] : undefined;
}

const single = (at: Instant): Entry => ({
  from: at,
  to: at,
  count: 1,
  atLeast: false,
  verdict: undefined,
});

interface Stretch extends Span {
  readonly schedule: Schedule;
  readonly paused: boolean;
}

function summary(stretch: Stretch, verdict: Verdict): Entry[] {
  const first = nextAfter(stretch.schedule, stretch.from);
  const last = previousBefore(stretch.schedule, stretch.to + 1);
  if (first === undefined || last === undefined || first > stretch.to) return [];
  return [
    { from: first, to: last, ...countBetween(stretch.schedule, stretch, UNDECIDED_LIMIT), verdict },
  ];
}

/** (watermark, now] cut where the schedule changes and where a pause begins or ends. */
function stretches(record: JobRecord, now: Instant): Stretch[] {
  const found: Stretch[] = [];
  for (const { schedule, span } of schedulesIn(record, { from: record.watermark, to: now })) {
    let from = span.from;
    for (const pause of record.pauses) {
      if (pause.to <= from || pause.from >= span.to) continue;
      if (pause.from > from) found.push({ schedule, from, to: pause.from, paused: false });
      const to = Math.min(pause.to, span.to);
      found.push({ schedule, from: Math.max(pause.from, from), to, paused: true });
      from = to;
    }
    if (from < span.to) found.push({ schedule, from, to: span.to, paused: false });
  }
  return found;
}

interface ScheduleSpan {
  readonly schedule: Schedule;
  readonly span: Span;
}

/** Which schedule names the occurrences of which part of a span, oldest first. */
export function schedulesIn(
  job: { readonly name: string; readonly schedules: readonly ScheduleInForce[] },
  span: Span,
): ScheduleSpan[] {
  const found: ScheduleSpan[] = [];
  for (const [index, entry] of job.schedules.entries()) {
    const from = Math.max(span.from, entry.from);
    const to = Math.min(span.to, job.schedules[index + 1]?.from ?? Infinity);
    const schedule = from < to ? scheduleOf(entry, job.name) : undefined;
    if (schedule !== undefined) found.push({ schedule, span: { from, to } });
  }
  return found;
}

/** One decision asks for the same entry some three times. */
let last: { entry: ScheduleInForce; name: string; schedule: Schedule } | undefined;

/**
 * Undefined for a job that runs only by hand. A stored text that this build can't read is an error.
 */
function scheduleOf(entry: ScheduleInForce, name: string): Schedule | undefined {
  if (entry.schedule === null) return undefined;
  if (last?.entry === entry && last.name === name) return last.schedule;
  const parsed = parseSchedule({ schedule: entry.schedule, timeZone: entry.timeZone }, name);
  if ('schedule' in parsed) {
    last = { entry, name, schedule: parsed.schedule };
    return parsed.schedule;
  }
  const why = parsed.problems.map((problem) => problem.message).join('; ');
  throw new Error(`job "${name}": its recorded schedule "${entry.schedule}" can't be used: ${why}`);
}

/** The first occurrence after `after` that no ended pause covers; undefined when none comes. */
export function nextOpen(record: JobRecord, after: Instant): Instant | undefined {
  let from = after;
  // Each turn leaves one pause behind, so it ends after as many turns as there are pauses.
  for (let turn = 0; turn <= record.pauses.length; turn++) {
    const next = nextOccurrence(record, from);
    if (next === undefined) return undefined;
    const pause = record.pauses.find((span) => next > span.from && next <= span.to);
    if (pause === undefined) return next;
    from = pause.to;
  }
  return undefined;
}

/** The first occurrence after `after` by the schedules on record, pauses or not. */
export function nextOccurrence(
  job: { readonly name: string; readonly schedules: readonly ScheduleInForce[] },
  after: Instant,
): Instant | undefined {
  for (const [index, entry] of job.schedules.entries()) {
    const to = job.schedules[index + 1]?.from ?? Infinity;
    const from = Math.max(after, entry.from);
    const schedule = from < to ? scheduleOf(entry, job.name) : undefined;
    const next = schedule && nextAfter(schedule, from);
    if (next !== undefined && next <= to) return next;
  }
  return undefined;
}

/**
 * The occurrences around `at` by the schedule then in force, however long ago it came into force.
 */
export function neighbours(
  record: JobRecord,
  at: Instant,
): { readonly previous: Instant | undefined; readonly next: Instant | undefined } {
  const entry = record.schedules.findLast(({ from }) => from < at) ?? record.schedules[0];
  const schedule = entry && scheduleOf(entry, record.name);
  if (schedule === undefined) return { previous: undefined, next: undefined };
  return { previous: previousBefore(schedule, at), next: nextAfter(schedule, at) };
}

/** The occurrences of a span by the schedules on record, oldest first, at most `limit`. */
export function occurrencesOf(
  job: { readonly name: string; readonly schedules: readonly ScheduleInForce[] },
  span: Span,
  limit: number,
): Instant[] {
  const found: Instant[] = [];
  for (const part of schedulesIn(job, span)) {
    // Not all as arguments of one call: of these the stack has room for some ten thousands only.
    for (const at of occurrencesBetween(part.schedule, part.span, limit - found.length)) {
      found.push(at);
    }
    if (found.length >= limit) break;
  }
  return found;
}

/** How long ago `at` was, leaving out time inside pauses. */
export function ageOf(record: JobRecord, at: Instant, now: Instant): number {
  let age = now - at;
  for (const { from, to } of record.pauses) {
    age -= Math.max(0, Math.min(to, now) - Math.max(from, at));
  }
  return age;
}
