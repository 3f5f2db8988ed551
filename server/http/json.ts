import type { JobSummary } from '../core/summary.ts';
import type { Attempt, Run } from '../core/records.ts';
import { isoInstant, type Instant } from '../core/time.ts';

/** Records as programs get them: instants as RFC 3339 text, inputs and outputs as JSON. */

const iso = (at: Instant | null): string | null => (at === null ? null : isoInstant(at));

export function jobJson(job: JobSummary) {
  const { last, paused } = job;
  return {
    name: job.name,
    description: job.description,
    tags: job.tags,
    schedule: job.schedule,
    timeZone: job.timeZone,
    state: job.state,
    paused: paused && {
      at: iso(paused.at),
      by: paused.by,
      note: paused.note,
      until: iso(paused.until),
    },
    nextScheduledAt: iso(job.nextScheduledAt),
    last: last && { id: last.runId, state: last.state, at: iso(last.at) },
    unfinished: job.unfinished,
    problem: job.problem,
  };
}

export function runJson(run: Run) {
  const { range, lateResult } = run;
  return {
    id: run.id,
    job: run.job,
    state: run.state,
    reason: run.reason,
    trigger: run.trigger,
    scheduledAt: iso(run.scheduledAt),
    createdAt: iso(run.createdAt),
    startedAt: iso(run.startedAt),
    endedAt: iso(run.endedAt),
    latenessMs:
      run.startedAt === null || run.scheduledAt === null || run.trigger !== 'schedule'
        ? null
        : run.startedAt - run.scheduledAt,
    attempts: run.attempts.map(attemptJson),
    input: parsed(run.input),
    output: parsed(run.output),
    error: run.error,
    progress: run.progress,
    notes: run.notes.map(({ at, text }) => ({ at: iso(at), text })),
    cause: run.cause,
    requestedBy: run.requestedBy,
    backfillOf: run.backfillOf,
    traceparent: run.traceparent,
    range: range && { ...range, from: iso(range.from), to: iso(range.to) },
    lateResult: lateResult && {
      ...lateResult,
      output: parsed(lateResult.output),
      at: iso(lateResult.at),
    },
    build: run.build,
    cost: run.cost ?? null,
  };
}

function attemptJson({ attemptId: _internal, startedAt, endedAt, ...attempt }: Attempt) {
  return { ...attempt, startedAt: iso(startedAt), endedAt: iso(endedAt) };
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
