import {
  absentOr,
  count,
  flag,
  fromOne,
  listOf,
  nullable,
  number,
  object,
  oneOf,
  text,
  words,
  type Fields,
} from './checks.ts';
import type {
  ActionRecord,
  Attempt,
  LateResult,
  LogChunk,
  LogLine,
  Note,
  Progress,
  Range,
  Run,
  RunError,
} from './records.ts';
import type { Cost } from './cost.ts';
import { RUN_STATES } from './run.ts';
import { isInstant, LAST_INSTANT } from './time.ts';

/*
 * Tells whether stored history is what it says. Nothing is decided by it, so what somebody edited
 * by hand is not set aside, but it must not take down the pages that it stands on.
 */

/** An instant, of which a store may know parts of a millisecond. */
const moment = number(-LAST_INSTANT, LAST_INSTANT);
const amount = number(-Number.MAX_VALUE, Number.MAX_VALUE);
const outcome = oneOf(['succeeded', 'failed', 'timed_out', 'cancelled', 'lost', 'interrupted']);
const reason = oneOf(['overlap', 'superseded', 'paused', 'late', 'outage', 'too-many']);

export const error = object({
  name: text,
  message: text,
  stack: nullable(text),
} satisfies Fields<RunError>);

const attempt = object({
  n: fromOne,
  fence: count,
  attemptId: words,
  owner: words,
  startedAt: moment,
  endedAt: nullable(moment),
  outcome: nullable(outcome),
  error: nullable(error),
  renewals: absentOr(count),
} satisfies Fields<Attempt>);

export const progress = object({
  done: amount,
  total: nullable(amount),
} satisfies Fields<Progress>);

const run = object({
  id: words,
  job: words,
  state: oneOf(RUN_STATES),
  reason: nullable(reason),
  trigger: oneOf(['schedule', 'manual', 'backfill']),
  at: moment,
  scheduledAt: nullable(moment),
  createdAt: moment,
  startedAt: nullable(moment),
  endedAt: nullable(moment),
  attempts: listOf(attempt),
  input: nullable(text),
  output: nullable(text),
  error: nullable(error),
  progress: nullable(progress),
  notes: listOf(object({ at: moment, text } satisfies Fields<Note>)),
  requestHash: nullable(words),
  requestedBy: nullable(words),
  backfillOf: nullable(words),
  traceparent: nullable(words),
  cause: nullable(words),
  range: nullable(
    object({
      from: moment,
      to: moment,
      count,
      atLeast: flag,
    } satisfies Fields<Range>),
  ),
  lateResult: nullable(
    object({
      attemptId: words,
      outcome,
      output: nullable(text),
      error: nullable(error),
      notes: absentOr(listOf(text)),
      at: moment,
    } satisfies Fields<LateResult>),
  ),
  build: words,
  cost: absentOr(
    nullable(object({ reads: count, writes: count, deletes: count } satisfies Fields<Cost>)),
  ),
} satisfies Fields<Run>);

/** Whether every field of it is there and of its kind. Fields that are not known pass. */
export const isRun = (value: unknown): value is Run => run(value) === undefined;

const action = object({
  id: words,
  at: moment,
  by: nullable(words),
  action: words,
  job: nullable(words),
  runId: nullable(words),
  detail: text,
  before: absentOr(nullable(text)),
  after: absentOr(nullable(text)),
} satisfies Fields<ActionRecord>);

const isAction = (value: unknown): value is ActionRecord => action(value) === undefined;

/** An action as stored under an id; of one that was damaged, that it is. */
export function actionFrom(
  value: unknown,
  { id, at }: Pick<ActionRecord, 'id' | 'at'>,
): ActionRecord {
  if (isAction(value) && value.id === id) return value;
  const detail = 'the stored record of what was done here is damaged';
  return { id, at, by: null, action: 'anomaly', job: null, runId: null, detail };
}

export const line = object({
  at: moment,
  level: oneOf(['debug', 'info', 'warn', 'error']),
  text,
  fields: nullable(text),
} satisfies Fields<LogLine>);

const chunk = object({
  runId: words,
  n: count,
  first: count,
  lines: listOf(line),
  progress: nullable(progress),
  keepFrom: count,
} satisfies Fields<LogChunk>);

const isChunk = (value: unknown): value is LogChunk => chunk(value) === undefined;

/** A part of a log as stored under its number; of one that was damaged, a line that says so. */
export function chunkFrom(value: unknown, { runId, n }: Pick<LogChunk, 'runId' | 'n'>): LogChunk {
  if (isChunk(value) && value.runId === runId && value.n === n) return value;
  const { first, lines }: Record<string, unknown> = Object(value);
  const [told]: unknown[] = Array.isArray(lines) ? lines : [];
  const { at }: Record<string, unknown> = Object(told);
  const damaged: LogLine = {
    at: isInstant(at) ? at : 0,
    level: 'error',
    text: 'a part of this log is damaged and can not be shown',
    fields: null,
  };
  const from = count(first) === undefined && typeof first === 'number' ? first : 0;
  return { runId, n, first: from, lines: [damaged], progress: null, keepFrom: 0 };
}
