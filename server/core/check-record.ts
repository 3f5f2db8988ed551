import type {
  Backfill,
  Backoff,
  CancelMark,
  CatchUp,
  DayTally,
  JobRecord,
  LastRun,
  Lease,
  Outcome,
  Pause,
  Queued,
  Retry,
  RetryPolicy,
  ScheduleInForce,
  Span,
  Spec,
} from './records.ts';
import { RUN_STATES } from './run.ts';

/**
 * Tells whether a stored value is a job record. A record that somebody edited by hand gives a
 * problem in words that name the field, and never a crash further on. Structure only: whether the
 * record makes sense is for the decision function to say. Fields that are not known pass.
 */
export function checkJobRecord(value: unknown): { record: JobRecord } | { problem: string } {
  const fault = jobRecord(value);
  if (isJobRecord(value, fault)) return { record: value };
  const { path, what } = fault ?? NOT_THERE;
  if (path === '') return { problem: `the record ${what}` };
  return { problem: what === NOT_THERE.what ? `field ${path} ${what}` : `${path} ${what}` };
}

const isJobRecord = (_: unknown, fault: Fault | undefined): _ is JobRecord => fault === undefined;

/** What is wrong, and where: path "active.abc.fence", what `is "7", not a number`. */
interface Fault {
  readonly path: string;
  readonly what: string;
}

/** Undefined where the value is right; a check makes no objects then, for it runs on every read. */
type Check = (value: unknown) => Fault | undefined;
/** Names every field of a type, so that a field added to the type and not here fails to compile. */
type Fields<Type> = { readonly [Field in keyof Type]-?: Check };

const NOT_THERE: Fault = { path: '', what: 'is missing' };
/** The last instant that `Date` knows; beyond it formatting throws. */
const LAST_INSTANT = 8.64e15;

const text: Check = (value) => (typeof value === 'string' ? undefined : wrong(value, 'a text'));
const flag: Check = (value) => (typeof value === 'boolean' ? undefined : wrong(value, 'a boolean'));
const number =
  (least: number, most: number): Check =>
  (value) => {
    if (typeof value !== 'number') return wrong(value, 'a number');
    return value >= least && value <= most ? undefined : wrong(value, `${least} to ${most}`);
  };

const integer =
  (least: number, most: number, expected: string): Check =>
  (value) => {
    if (typeof value !== 'number') return wrong(value, 'a number');
    if (value >= least && value <= most && Number.isInteger(value)) return undefined;
    return wrong(value, expected);
  };

const MOST = Number.MAX_SAFE_INTEGER;
const count = integer(0, MOST, 'a whole number from 0');
const fromOne = integer(1, MOST, 'a whole number from 1');
const whole = integer(-MOST, MOST, 'a whole number');
const instant = integer(-LAST_INSTANT, LAST_INSTANT, 'an instant in ms since 1970');
const length = number(0, MOST);

function oneOf(options: readonly string[]): Check {
  const known = new Set<unknown>(options);
  const expected = `one of ${options.join(', ')}`;
  return (value) => (known.has(value) ? undefined : wrong(value, expected));
}

/** For a field that records of earlier versions lack. */
const absentOr =
  (check: Check): Check =>
  (value) =>
    value === undefined ? undefined : check(value);

const nullable =
  (check: Check): Check =>
  (value) =>
    value === null ? undefined : check(value);

function object(fields: Readonly<Record<string, Check>>): Check {
  const entries = Object.entries(fields);
  return (value) => {
    if (!isObject(value)) return wrong(value, 'an object');
    for (const [key, check] of entries) {
      const field = value[key];
      const fault = check(field);
      if (fault !== undefined) return under(key, field === undefined ? NOT_THERE : fault);
    }
    return undefined;
  };
}

const listOf =
  (check: Check): Check =>
  (value) => {
    if (!Array.isArray(value)) return wrong(value, 'a list');
    for (let i = 0; i < value.length; i += 1) {
      const fault = check(value[i]);
      if (fault !== undefined) return under(String(i), fault);
    }
    return undefined;
  };

const mapOf =
  (check: Check, key: Check): Check =>
  (value) => {
    if (!isObject(value)) return wrong(value, 'an object');
    for (const name of Object.keys(value)) {
      const fault = key(name) ?? check(value[name]);
      if (fault !== undefined) return under(name, fault);
    }
    return undefined;
  };

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function under(key: string, { path, what }: Fault): Fault {
  return { path: path === '' ? key : `${key}.${path}`, what };
}

function wrong(value: unknown, expected: string): Fault {
  return { path: '', what: `is ${shown(value)}, not ${expected}` };
}

/** Enough of a value to recognise it by. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (isObject(value)) return 'an object';
  const json = JSON.stringify(value) ?? 'undefined';
  return json.length <= 40 ? json : `${json.slice(0, 40)}…`;
}

const state = oneOf(RUN_STATES);
const trigger = oneOf(['schedule', 'manual', 'backfill']);
const overlapWord = oneOf(['skip', 'queue', 'replace']);
const overlapAllow = object({ allow: fromOne });
const overlap: Check = (value) => (isObject(value) ? overlapAllow : overlapWord)(value);

const spec = object({
  overlap,
  catchUp: object({
    runs: oneOf(['none', 'latest', 'all']),
    withinMs: length,
    max: count,
  } satisfies Fields<CatchUp>),
  timeoutMs: length,
  leaseMs: length,
  retry: object({
    attempts: fromOne,
    backoff: object({
      fromMs: length,
      factor: length,
      toMs: length,
      jitter: number(0, 1),
    } satisfies Fields<Backoff>),
  } satisfies Fields<RetryPolicy>),
  onLost: oneOf(['fail', 'retry']),
} satisfies Fields<Spec>);

const lease = object({
  runId: text,
  trigger,
  fence: count,
  attempt: fromOne,
  interruptions: count,
  scheduledAt: nullable(instant),
  owner: text,
  startedAt: instant,
  renewedAt: instant,
  leaseMs: length,
  graceMs: length,
  cancel: nullable(
    object({
      at: instant,
      why: oneOf(['cancelled', 'replaced']),
      by: nullable(text),
    } satisfies Fields<CancelMark>),
  ),
  beside: flag,
} satisfies Fields<Lease>);

const retry = object({
  runId: text,
  trigger,
  scheduledAt: nullable(instant),
  attempt: fromOne,
  interruptions: count,
  notBefore: instant,
  since: instant,
  beside: flag,
} satisfies Fields<Retry>);

const jobRecord = object({
  name: text,
  rev: count,
  namespace: text,
  spec,
  schedules: listOf(
    object({
      schedule: nullable(text),
      timeZone: text,
      from: instant,
    } satisfies Fields<ScheduleInForce>),
  ),
  specHash: text,
  build: text,
  registeredAt: instant,
  retiredAt: nullable(instant),
  watermark: instant,
  ledgerFrom: instant,
  catchUpTo: nullable(instant),
  freeAt: instant,
  freed: nullable(object({ runId: text, trigger })),
  paused: nullable(
    object({
      at: instant,
      by: nullable(text),
      note: nullable(text),
      until: nullable(instant),
    } satisfies Fields<Pause>),
  ),
  pauses: listOf(object({ from: instant, to: instant } satisfies Fields<Span>)),
  fence: count,
  active: mapOf(lease, text),
  retries: listOf(retry),
  queue: listOf(object({ runId: text, since: instant } satisfies Fields<Queued>)),
  backfill: nullable(
    object({
      id: text,
      from: instant,
      to: instant,
      cursor: instant,
      since: instant,
      by: nullable(text),
    } satisfies Fields<Backfill>),
  ),
  nextActionAt: nullable(instant),
  last: nullable(object({ runId: text, state, at: instant } satisfies Fields<LastRun>)),
  streak: whole,
  counters: mapOf(count, state),
  recent: listOf(
    object({
      id: text,
      state,
      at: instant,
      ms: nullable(whole),
      late: absentOr(count),
    } satisfies Fields<Outcome>),
  ),
  days: absentOr(
    listOf(
      object({ day: whole, good: count, bad: count, quiet: count } satisfies Fields<DayTally>),
    ),
  ),
} satisfies Fields<JobRecord>);
