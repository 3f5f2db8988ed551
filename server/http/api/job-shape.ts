import * as v from 'valibot';
import type { JobRecord, Pause } from '../../core/records.ts';
import { RUN_STATES } from '../../core/run.ts';
import type { JobSummary } from '../../core/summary.ts';
import { isoInstant } from '../../core/time.ts';
import { at, atOrNull, count, iso, says, textOrNull } from './shapes.ts';

/** Jobs as programs get them. */

export const JOB_STATES = ['idle', 'running', 'waiting', 'paused', 'retired', 'broken'] as const;

export const pauseShape = v.strictObject({
  at,
  by: says(textOrNull, 'Who paused it; null for whoever sat at the machine itself.'),
  note: textOrNull,
  until: says(atOrNull, 'When it ends by itself; null for not before somebody resumes the job.'),
});

const job = {
  name: v.string(),
  description: v.string(),
  tags: v.array(v.string()),
  schedule: says(textOrNull, 'Null for a job that runs only when asked to.'),
  timeZone: says(v.string(), 'An IANA name.'),
  state: v.picklist(JOB_STATES),
  paused: v.nullable(pauseShape),
  nextScheduledAt: says(atOrNull, 'Its next occurrence that no pause covers.'),
  last: says(
    v.nullable(v.strictObject({ id: v.string(), state: v.picklist(RUN_STATES), at })),
    'The last run that ended.',
  ),
  streak: says(
    v.pipe(v.number(), v.integer()),
    'How many runs in a row ended as the last one did; below zero counts failures.',
  ),
  unfinished: says(v.array(v.string()), 'Runs that have not ended, those at work first.'),
  problem: says(textOrNull, 'Why the job is set aside; null where it is not.'),
};

export const jobShape = v.strictObject(job);

export const pauseJson = (pause: Pause | null) =>
  pause && { at: isoInstant(pause.at), by: pause.by, note: pause.note, until: iso(pause.until) };

/** A job in short. */
export function jobJson(summary: JobSummary): v.InferOutput<typeof jobShape> {
  const { last, paused, name, description, tags, schedule, timeZone, state, streak } = summary;
  const same = { name, description, schedule, timeZone, state, streak };
  return {
    ...same,
    tags: [...tags],
    paused: pauseJson(paused),
    nextScheduledAt: iso(summary.nextScheduledAt),
    last: last && { id: last.runId, state: last.state, at: isoInstant(last.at) },
    unfinished: [...summary.unfinished],
    problem: summary.problem,
  };
}

export const policiesShape = v.strictObject({
  overlap: v.union([
    v.picklist(['skip', 'queue', 'replace']),
    v.strictObject({ allow: v.pipe(v.number(), v.integer(), v.minValue(1)) }),
  ]),
  catchUp: v.strictObject({
    runs: v.picklist(['none', 'latest', 'all']),
    withinMs: v.number(),
    max: count,
  }),
  timeoutMs: v.number(),
  leaseMs: v.number(),
  retry: v.strictObject({
    attempts: count,
    backoff: v.strictObject({
      fromMs: v.number(),
      factor: v.number(),
      toMs: v.number(),
      jitter: v.number(),
    }),
  }),
  onLost: v.picklist(['fail', 'retry']),
});

export const occurrenceShape = v.strictObject({
  job: v.string(),
  scheduledAt: at,
  paused: says(v.boolean(), 'Whether a pause covers it: then it will be skipped.'),
});

export const jobDetailShape = v.strictObject({
  ...job,
  known: says(v.boolean(), 'Whether the code of this build has it: only then it can be run.'),
  policies: says(v.nullable(policiesShape), 'Those in force; null where its record is unusable.'),
  isolate: says(
    v.nullable(v.strictObject({ memoryMb: count })),
    'What its handler may take in a worker of its own, in MiB; null where it has none.',
  ),
  input: v.strictObject({
    declared: says(v.boolean(), 'Whether the job has a schema for its input.'),
    schema: says(v.unknown(), 'It as JSON Schema; null where there is none, or it can’t say.'),
  }),
  upcoming: says(v.array(occurrenceShape), 'Its next occurrences, 5 at most.'),
  registeredAt: atOrNull,
  build: says(textOrNull, 'The build whose definition is in force.'),
});

/** Fields that a record of a later build may have besides are left out. */
export function policiesJson({ spec }: JobRecord): v.InferOutput<typeof policiesShape> {
  const { overlap, catchUp, timeoutMs, leaseMs, retry, onLost } = spec;
  const { fromMs, factor, toMs, jitter } = retry.backoff;
  return {
    overlap: typeof overlap === 'string' ? overlap : { allow: overlap.allow },
    catchUp: { runs: catchUp.runs, withinMs: catchUp.withinMs, max: catchUp.max },
    timeoutMs,
    leaseMs,
    retry: { attempts: retry.attempts, backoff: { fromMs, factor, toMs, jitter } },
    onLost,
  };
}
