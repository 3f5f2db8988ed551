import * as v from 'valibot';
import type { Deps } from '../../core/deps.ts';
import type { Attempt, Run, RunError } from '../../core/records.ts';
import { RUN_STATES, TRIGGERS } from '../../core/run.ts';
import { shownRun } from '../../core/secrets/stored.ts';
import { isoInstant } from '../../core/time.ts';
import { at, atOrNull, count, iso, says, textOrNull } from './shapes.ts';

/** Runs as programs get them: instants as RFC 3339 text, inputs and outputs as JSON. */

const ATTEMPTS_SHOWN = 100;
const NOTES_SHOWN = 100;
const REASONS = ['overlap', 'superseded', 'paused', 'late', 'outage', 'too-many'] as const;
const OUTCOMES = ['succeeded', 'failed', 'timed_out', 'cancelled', 'lost', 'interrupted'] as const;

export const errorShape = v.strictObject({
  name: v.string(),
  message: v.string(),
  stack: says(textOrNull, 'Only where one run is asked for.'),
});

export const progressShape = v.strictObject({ done: v.number(), total: v.nullable(v.number()) });

const summary = {
  id: v.string(),
  job: v.string(),
  state: v.picklist(RUN_STATES),
  reason: says(v.nullable(v.picklist(REASONS)), 'Why it was skipped or missed.'),
  trigger: v.picklist(TRIGGERS),
  scheduledAt: says(atOrNull, 'The occurrence; the first of several, for a range.'),
  createdAt: at,
  startedAt: atOrNull,
  endedAt: says(atOrNull, 'Null until it is over.'),
  latenessMs: says(
    v.nullable(v.number()),
    'By how much its start came after its occurrence; null for what no schedule started.',
  ),
  attemptCount: count,
  error: v.nullable(errorShape),
  progress: v.nullable(progressShape),
  cause: says(textOrNull, 'The run that it repeats, that replaced it, or that caused a range.'),
  requestedBy: textOrNull,
  backfillOf: says(textOrNull, 'The id of the backfill that opened it.'),
  range: says(
    v.nullable(
      v.strictObject({
        from: at,
        to: at,
        count,
        atLeast: says(v.boolean(), 'Whether `count` stopped at its limit: there are more.'),
      }),
    ),
    'For occurrences that did not run: the first and the last of them, and how many they are.',
  ),
  build: v.string(),
};

/** A run as lists have it. */
export const runSummaryShape = v.strictObject(summary);

export const attemptShape = v.strictObject({
  n: count,
  fence: says(v.number(), 'Its fencing token.'),
  owner: says(v.string(), 'The process that it ran in.'),
  startedAt: at,
  endedAt: atOrNull,
  outcome: v.nullable(v.picklist(OUTCOMES)),
  error: v.nullable(errorShape),
  renewals: v.optional(says(count, 'How many beats of its lease came through, where known.')),
});

const anything = says(v.unknown(), 'Any JSON; null for none. Parts that are secret are hidden.');

/** A run, whole. */
export const runShape = v.strictObject({
  ...summary,
  attempts: says(v.array(attemptShape), `Oldest first, the newest ${ATTEMPTS_SHOWN} at most.`),
  input: anything,
  output: anything,
  notes: says(v.array(v.strictObject({ at, text: v.string() })), 'Newest 100 at most.'),
  traceparent: textOrNull,
  lateResult: says(
    v.nullable(
      v.strictObject({
        outcome: v.picklist(OUTCOMES),
        output: anything,
        error: v.nullable(errorShape),
        notes: v.array(v.string()),
        at,
      }),
    ),
    'What an attempt came to after the run was decided without it; it changes nothing.',
  ),
  cost: says(
    v.nullable(v.strictObject({ reads: count, writes: count, deletes: count })),
    'What the store has billed for it; null where nothing is billed.',
  ),
});

/** A run without what can be long. */
export function runSummaryJson(run: Run): v.InferOutput<typeof runSummaryShape> {
  const { id, job, state, reason, trigger, cause, requestedBy, backfillOf, build } = run;
  const { error, range, progress } = run;
  const same = { id, job, state, reason, trigger, cause, requestedBy, backfillOf, build };
  return {
    ...same,
    scheduledAt: iso(run.scheduledAt),
    createdAt: isoInstant(run.createdAt),
    startedAt: iso(run.startedAt),
    endedAt: iso(run.endedAt),
    latenessMs:
      run.startedAt === null || run.scheduledAt === null || trigger !== 'schedule'
        ? null
        : run.startedAt - run.scheduledAt,
    attemptCount: run.attempts.length,
    error: error && { ...errorJson(error), stack: null },
    progress: progress && { done: progress.done, total: progress.total },
    range: range && {
      from: isoInstant(range.from),
      to: isoInstant(range.to),
      count: range.count,
      atLeast: range.atLeast,
    },
  };
}

/** A run as whoever asks may see it. */
export function runJson(
  { registry }: Pick<Deps, 'registry'>,
  stored: Run,
): v.InferOutput<typeof runShape> {
  const run = shownRun(stored, registry.get(stored.job));
  const { lateResult: late, cost = null } = run;
  return {
    ...runSummaryJson(run),
    error: run.error && errorJson(run.error),
    attempts: run.attempts.slice(-ATTEMPTS_SHOWN).map(attemptJson),
    input: parsed(run.input),
    output: parsed(run.output),
    notes: run.notes
      .slice(-NOTES_SHOWN)
      .map((note) => ({ at: isoInstant(note.at), text: note.text })),
    traceparent: run.traceparent,
    lateResult: late && {
      outcome: late.outcome,
      output: parsed(late.output),
      error: late.error && errorJson(late.error),
      notes: late.notes?.slice(-NOTES_SHOWN) ?? [],
      at: isoInstant(late.at),
    },
    cost: cost && { reads: cost.reads, writes: cost.writes, deletes: cost.deletes },
  };
}

const errorJson = ({ name, message, stack }: RunError) => ({ name, message, stack });

function attemptJson(attempt: Attempt): v.InferOutput<typeof attemptShape> {
  const { n, fence, owner, outcome, error, renewals } = attempt;
  return {
    n,
    fence,
    owner,
    outcome,
    startedAt: isoInstant(attempt.startedAt),
    endedAt: iso(attempt.endedAt),
    error: error && errorJson(error),
    ...(renewals !== undefined && { renewals }),
  };
}

function parsed(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    // Only a record edited by hand gets here; its text is better than an error.
    return text;
  }
}
