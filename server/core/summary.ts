import type { Job } from './job.ts';
import type { LastRun, LogLine, Outcome, Pause, Progress } from './records.ts';
import type { LoadedJob } from './store.ts';
import type { Instant } from './time.ts';
import { nextOpen } from './undecided.ts';

/** A job as people and programs look at it: what the code says, and what the record says. */
export interface JobSummary {
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly schedule: string | null;
  readonly timeZone: string;
  readonly state: JobState;
  readonly paused: Pause | null;
  readonly nextScheduledAt: Instant | null;
  readonly last: LastRun | null;
  /** How many runs in a row ended as the last one did; failures count below zero. */
  readonly streak: number;
  /** Ids of the runs that have not ended, running ones first. */
  readonly unfinished: readonly string[];
  readonly recent: readonly Outcome[];
  /** Whether this build has the job in its code. */
  readonly known: boolean;
  /** Why the job is set aside; null when it is not. */
  readonly problem: string | null;
}

export type JobState = 'idle' | 'running' | 'waiting' | 'paused' | 'retired' | 'broken';

/** Puts the definition and the record of one job together. Never throws for a stored oddity. */
export function summarise(loaded: LoadedJob, job: Job | undefined, now: Instant): JobSummary {
  const { record } = loaded;
  const text = record?.schedules.at(-1) ?? job;
  const paused = record?.paused ?? null;
  const pausedNow = paused !== null && (paused.until === null || paused.until > now);
  const active = Object.values(record?.active ?? {}).map((lease) => lease.runId);
  const waiting = [...(record?.retries ?? []), ...(record?.queue ?? [])].map(({ runId }) => runId);
  const problem = loaded.problem ?? loaded.setAside ?? null;
  const state = (): JobState => {
    if (problem !== null) return 'broken';
    if (record !== undefined && record.retiredAt !== null) return 'retired';
    if (active.length > 0) return 'running';
    if (pausedNow) return 'paused';
    return waiting.length > 0 ? 'waiting' : 'idle';
  };
  return {
    name: loaded.name,
    description: job?.description ?? '',
    tags: job?.tags ?? [],
    schedule: text?.schedule ?? null,
    timeZone: text?.timeZone ?? 'UTC',
    state: state(),
    paused: pausedNow ? paused : null,
    nextScheduledAt: pausedNow && paused?.until === null ? null : nextOf(loaded, paused, now),
    last: record?.last ?? null,
    streak: record?.streak ?? 0,
    unfinished: [...active, ...waiting],
    recent: record?.recent ?? [],
    known: job !== undefined,
    problem,
  };
}

function nextOf({ record }: LoadedJob, paused: Pause | null, now: Instant): Instant | null {
  if (record === undefined || record.retiredAt !== null) return null;
  const from = Math.max(now, paused?.until ?? now);
  try {
    return nextOpen(record, from) ?? null;
  } catch {
    // A schedule that a newer build wrote and this one can't read.
    return null;
  }
}

/** A run's log as a page shows it: lines in order, and where some were dropped. */
export interface LogView {
  readonly entries: readonly (
    | { readonly kind: 'line'; readonly line: LogLine }
    | { readonly kind: 'dropped'; readonly count: number }
  )[];
  readonly progress: Progress | null;
}
