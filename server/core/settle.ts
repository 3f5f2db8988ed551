import {
  account,
  expiryOf,
  freeSlot,
  isFull,
  note,
  set,
  type DecisionContext,
  type Draft,
} from './draft.ts';
import type {
  AttemptOutcome,
  JobRecord,
  Lease,
  Note,
  Outcome,
  Progress,
  RetryPolicy,
  Run,
  RunError,
  Trigger,
} from './records.ts';
import { assertTransition, BrokenInvariant, type RunState } from './run.ts';
import { STAMP, type Instant } from './time.ts';
import { ageOf } from './undecided.ts';

/** This many drains of one run are free; a further one uses up a try like an error. */
export const FREE_INTERRUPTIONS = 20;

/** How an attempt ended, and what it leaves. */
export interface Ending {
  readonly outcome: AttemptOutcome;
  readonly output: string | null;
  readonly error: RunError | null;
  readonly notes: readonly Note[];
  readonly progress: Progress | null;
  /** How many beats of its lease came through; null where its own process does not say. */
  readonly renewals: number | null;
  /** What the handler returned after it was out of time: kept, and changes nothing. */
  readonly lateOutput: string | null;
}

/** An ending with nothing more to say. */
export const bareEnding = (outcome: AttemptOutcome, error: RunError | null): Ending => ({
  outcome,
  output: null,
  error,
  notes: [],
  progress: null,
  renewals: null,
  lateOutput: null,
});

/** Ends an attempt: takes its lease out, closes it in its run, and says what the run becomes. */
export function settle(
  draft: Draft,
  attemptId: string,
  ending: Ending,
  at: Instant,
  ctx: DecisionContext,
): RunState {
  const lease = draft.record.active[attemptId];
  if (lease === undefined) throw new BrokenInvariant(`attempt ${attemptId} has no lease to end`);
  const state = stateAfter(draft.record, lease, ending.outcome, ctx.now);
  assertTransition(lease.runId, 'running', state);
  if (state !== 'retry_wait') freeSlot(draft, lease, at);
  const { [attemptId]: _ended, ...active } = draft.record.active;
  set(draft, { active });
  const { backfill } = draft.record;
  // A backfill waits anew from the end of each of its runs, or it would starve the schedule.
  if (lease.trigger === 'backfill' && backfill !== null) {
    set(draft, { backfill: { ...backfill, since: ctx.now } });
  }
  if (state === 'retry_wait') {
    const retry = nextTry(draft.record, lease, ending.outcome, ctx);
    set(draft, { retries: [...draft.record.retries, retry] });
  }
  draft.runs.push({
    kind: 'change',
    id: lease.runId,
    from: 'running',
    set: {
      state,
      error: state === 'succeeded' ? null : ending.error,
      output: ending.output,
      endedAt: state === 'retry_wait' ? null : STAMP,
      ...(ending.progress !== null && { progress: ending.progress }),
      ...lateResult(attemptId, ending),
    },
    close: {
      attemptId,
      outcome: ending.outcome,
      error: ending.error,
      ...(ending.renewals !== null && { renewals: ending.renewals }),
    },
    notes: ending.notes,
  });
  const ms = ctx.now - lease.startedAt;
  account(draft, { id: lease.runId, state, at: ctx.now, ms, ...lateness(lease) });
  return state;
}

/** Later than this is worth a word in a record that is to stay small. */
const LATE_MS = 1000;

/** When the first attempt of a run started is known as long as it holds the lease. */
function lateness(lease: Lease): Pick<Outcome, 'late'> {
  const late = lease.attempt === 1 ? latenessOf(lease) : 0;
  return late > 0 ? { late } : {};
}

/** How late a run of the schedule started, in ms; 0 where it was on time, and for all others. */
export function latenessOf({
  trigger,
  scheduledAt,
  startedAt,
}: Pick<Run, 'trigger' | 'scheduledAt' | 'startedAt'>): number {
  if (trigger !== 'schedule' || scheduledAt === null || startedAt === null) return 0;
  const late = startedAt - scheduledAt;
  return late >= LATE_MS ? late : 0;
}

function lateResult(attemptId: string, ending: Ending): Partial<Pick<Run, 'lateResult'>> {
  const { outcome, lateOutput: output, error } = ending;
  return output === null
    ? {}
    : { lateResult: { attemptId, outcome, output, error, notes: [], at: STAMP } };
}

function stateAfter(
  record: JobRecord,
  lease: Lease,
  outcome: AttemptOutcome,
  now: Instant,
): RunState {
  if (outcome === 'succeeded') return 'succeeded';
  if (lease.cancel !== null || outcome === 'cancelled') return 'cancelled';
  const { retry, onLost } = record.spec;
  // A job that left the code has no build that could try again.
  const retired = record.retiredAt !== null;
  const triesLeft = !retired && triesUsed(lease) < retry.attempts;
  if (outcome === 'interrupted' && lease.interruptions < FREE_INTERRUPTIONS) {
    if (retired) return 'cancelled';
    return retry.attempts > 1 || onLost === 'retry' ? 'retry_wait' : 'lost';
  }
  if (outcome === 'lost') {
    return onLost === 'retry' && triesLeft && !tooOld(record, lease, now) ? 'retry_wait' : 'lost';
  }
  if (triesLeft) return 'retry_wait';
  return outcome === 'timed_out' ? 'timed_out' : 'failed';
}

/** Tries that count, this attempt among them. */
const triesUsed = (lease: Lease): number =>
  lease.attempt - Math.min(lease.interruptions, FREE_INTERRUPTIONS);

const tooOld = (record: JobRecord, { scheduledAt }: Lease, now: Instant): boolean =>
  scheduledAt !== null && ageOf(record, scheduledAt, now) > record.spec.catchUp.withinMs;

function nextTry(
  record: JobRecord,
  lease: Lease,
  outcome: AttemptOutcome,
  { now, random }: DecisionContext,
) {
  const interrupted = outcome === 'interrupted';
  const delay =
    interrupted || outcome === 'lost' ? 0 : backoffMs(record.spec.retry, triesUsed(lease), random);
  return {
    runId: lease.runId,
    trigger: lease.trigger,
    scheduledAt: lease.scheduledAt,
    attempt: lease.attempt + 1,
    interruptions: lease.interruptions + (interrupted ? 1 : 0),
    notBefore: now + delay,
    since: lease.startedAt,
    beside: lease.beside,
  };
}

/**
 * Delay after the nth counted failure (from 1), spread by the policy's jitter; `random` is 0 up to
 * 1.
 */
export function backoffMs({ backoff }: RetryPolicy, failures: number, random: number): number {
  const grown = backoff.fromMs * backoff.factor ** (failures - 1);
  const delay = Math.min(grown, backoff.toMs);
  return Math.round(delay * (1 + backoff.jitter * (2 * random - 1)));
}

/** A run that will be tried again after its process died, and when it was last believed alive. */
export interface Loss {
  readonly runId: string;
  readonly trigger: Trigger;
  readonly at: Instant;
}

/**
 * Rule 2: ends every attempt whose lease ran out by store time, first the one that died first; not
 * `except`, whose owner is just reporting. Gives the last loss that will be tried again and that
 * had left the job without a free slot; undefined when there is none.
 */
export function expire(
  draft: Draft,
  ctx: DecisionContext,
  except: string | undefined,
): Loss | undefined {
  let loss: Loss | undefined;
  if (Object.keys(draft.record.active).length === 0) return loss;
  const dead = Object.entries(draft.record.active)
    .map(([attemptId, lease]) => ({ attemptId, lease, at: expiryOf(lease, ctx.now) - 1 }))
    .filter(({ attemptId, at }) => ctx.now > at && attemptId !== except)
    .toSorted((a, b) => a.at - b.at);
  for (const { attemptId, lease, at } of dead) {
    const ending = bareEnding('lost', lostError(lease));
    const wasFull = !lease.beside && isFull(draft.record);
    const state = settle(draft, attemptId, ending, at, ctx);
    const { name } = draft.record;
    const detail = `attempt ${lease.attempt} on ${lease.owner} gave no sign of life: ${state}`;
    note(draft, { action: 'lost', by: null, job: name, runId: lease.runId, detail }, ctx);
    const { runId, trigger } = lease;
    if (state === 'retry_wait' && wasFull) loss = { runId, trigger, at };
  }
  return loss;
}

function lostError(lease: Lease): RunError {
  const seconds = Math.round((lease.leaseMs + lease.graceMs) / 1000);
  const message =
    `its process (${lease.owner}) gave no sign of life for ${seconds} s: it was killed, ` +
    'stopped, blocked by a handler, or cut off from the store; how far it came is not known';
  return { name: 'LostLease', message, stack: null };
}
