import {
  absentOr,
  count,
  flag,
  fromOne,
  instant,
  isObject,
  length,
  listOf,
  mapOf,
  NOT_THERE,
  nullable,
  number,
  object,
  oneOf,
  textUpTo,
  whole,
  words,
  type Check,
  type Fault,
  type Fields,
} from './checks.ts';
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
  PastBackfill,
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

/** As long as a schedule may be (schedule-text.ts). */
const SCHEDULE_LIMIT = 8000;

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
  runId: words,
  trigger,
  fence: count,
  attempt: fromOne,
  interruptions: count,
  scheduledAt: nullable(instant),
  owner: words,
  startedAt: instant,
  renewedAt: instant,
  leaseMs: length,
  graceMs: length,
  cancel: nullable(
    object({
      at: instant,
      why: oneOf(['cancelled', 'replaced']),
      by: nullable(words),
    } satisfies Fields<CancelMark>),
  ),
  beside: flag,
} satisfies Fields<Lease>);

const retry = object({
  runId: words,
  trigger,
  scheduledAt: nullable(instant),
  attempt: fromOne,
  interruptions: count,
  notBefore: instant,
  since: instant,
  beside: flag,
} satisfies Fields<Retry>);

const pause = object({
  at: instant,
  by: nullable(words),
  note: nullable(words),
  until: nullable(instant),
} satisfies Fields<Pause>);

const backfill = {
  id: words,
  from: instant,
  to: instant,
  cursor: instant,
  since: instant,
  by: nullable(words),
  askedAt: absentOr(instant),
} satisfies Fields<Backfill>;

const jobRecord = object({
  name: words,
  rev: count,
  namespace: words,
  spec,
  schedules: listOf(
    object({
      schedule: nullable(textUpTo(SCHEDULE_LIMIT)),
      timeZone: words,
      from: instant,
    } satisfies Fields<ScheduleInForce>),
  ),
  specHash: words,
  build: words,
  registeredAt: instant,
  retiredAt: nullable(instant),
  watermark: instant,
  ledgerFrom: instant,
  catchUpTo: nullable(instant),
  freeAt: instant,
  freed: nullable(object({ runId: words, trigger })),
  paused: nullable(pause),
  pauses: listOf(object({ from: instant, to: instant } satisfies Fields<Span>)),
  lastPause: absentOr(nullable(pause)),
  aheadTo: absentOr(instant),
  fence: count,
  active: mapOf(lease, words),
  retries: listOf(retry),
  queue: listOf(object({ runId: words, since: instant } satisfies Fields<Queued>)),
  backfill: nullable(object(backfill)),
  backfills: absentOr(
    listOf(object({ ...backfill, endedAt: instant } satisfies Fields<PastBackfill>)),
  ),
  nextActionAt: nullable(instant),
  last: nullable(object({ runId: words, state, at: instant } satisfies Fields<LastRun>)),
  streak: whole,
  counters: mapOf(count, state),
  recent: listOf(
    object({
      id: words,
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
