import { explain, type ClockChange } from '../core/explain.ts';
import type { Job } from '../core/job.ts';
import type { Pause } from '../core/records.ts';
import type { Registry } from '../core/registry.ts';
import { scheduleOfJob, type Schedule } from '../core/schedule.ts';
import { isUtc } from '../core/zone.ts';
import { durationText, type Instant } from '../core/time.ts';
import { forCloudScheduler } from './scheduler-cron.ts';
import type { SchedulerSettings } from './scheduler-job.ts';

/*
 * What Cloud Scheduler should have: the tick, and a trigger for each job that needs one of its own.
 * The promise rests on the tick. A job's own trigger makes its start exact, and its open request
 * carries a handler that takes longer than a tick may.
 */

/** Which jobs have triggers of their own: those a tick can't carry, all, or none. */
export const PER_JOB = ['long', 'all', 'none'] as const;
export type PerJob = (typeof PER_JOB)[number];

export interface Wishes {
  readonly namespace: string;
  readonly serviceUrl: string;
  readonly account: string;
  readonly perJob: PerJob;
  /** How long a handler may take that the tick carries. */
  readonly tickCarriesMs: number;
  /** Whether Cloud Tasks carries what a tick can't. */
  readonly tasks: boolean;
  /** The pauses in the store by job; null where it was not asked. */
  readonly pauses: ReadonlyMap<string, Pause> | null;
  readonly now: Instant;
}

/** A Cloud Scheduler job that should be there. */
export interface WantedJob {
  readonly id: string;
  /** The job that it wakes; null for the tick. */
  readonly job: string | null;
  readonly settings: SchedulerSettings;
  /** Null: as it is. */
  readonly state: 'enabled' | 'paused' | null;
}

/** Who wakes a job: its own triggers beside the tick, the tick alone, or only a person. */
export interface Waking {
  readonly job: string;
  readonly by: 'trigger' | 'tick' | 'hand';
  /** The ids of its triggers. */
  readonly triggers: readonly string[];
  readonly why: string;
}

/** Something to know about a job that changes nothing in what is done. */
export type Caution =
  | { readonly kind: 'clocks'; readonly job: string; readonly change: ClockChange }
  | { readonly kind: 'text'; readonly job: string; readonly text: string };

export interface Wanted {
  readonly jobs: readonly WantedJob[];
  readonly wakings: readonly Waking[];
  readonly cautions: readonly Caution[];
}

/** Begins the id of each Cloud Scheduler job of a namespace. Dots can't stand in one. */
export const idPrefix = (namespace: string): string =>
  `punctual-${namespace.replaceAll('.', '_')}-`;

/** Ends the description of each. Ours is what has both: an id alone may be anybody's. */
export const ownMark = (namespace: string): string => `[punctual:${namespace}]`;

export const tickId = (namespace: string): string => `${idPrefix(namespace)}tick`;

/** The id of a job's n-th trigger, from 0. No job's name has an underscore. */
export const triggerId = (namespace: string, job: string, n: number): string =>
  `${idPrefix(namespace)}job-${job}${n === 0 ? '' : `_${n + 1}`}`;

/** What should be there, for whom, and what to know about it. */
export function wantedJobs(registry: Registry, wishes: Wishes): Wanted {
  const perJob = [...registry.values()].map((job) => forJob(job, wishes));
  return {
    jobs: [tick(wishes), ...perJob.flatMap(({ jobs }) => jobs)],
    wakings: perJob.flatMap(({ wakings }) => wakings),
    cautions: perJob.flatMap(({ cautions }) => cautions),
  };
}

/** The next tick is a better retry than any of this one. */
const TICK_RETRIES = {
  retries: 0,
  retryForMs: 0,
  retryFromMs: 5000,
  retryToMs: 60_000,
  retryDoublings: 3,
};
const TICK_DEADLINE_MS = 60_000;

/**
 * A trigger is answered with 503 while an instance drains, and a run under way on it needs another
 * request to be carried: after 10, 20 and 40 s. By then the tick has come by.
 */
const TRIGGER_RETRIES = { ...TICK_RETRIES, retries: 3, retryFromMs: 10_000 };

/** What the answer takes beside the handler: a cold start, and the records before and after. */
const ANSWER_MS = 30_000;
/** What Cloud Scheduler allows of an HTTP target. */
const SHORTEST_DEADLINE_MS = 15_000;
const LONGEST_DEADLINE_MS = 1_800_000;

function tick(wishes: Wishes): WantedJob {
  const settings = {
    ...request(wishes, '/triggers/tick', 'Wakes all jobs of this service, each minute.'),
    ...TICK_RETRIES,
    schedule: '* * * * *',
    timeZone: 'UTC',
    deadlineMs: TICK_DEADLINE_MS,
  };
  return { id: tickId(wishes.namespace), job: null, settings, state: 'enabled' };
}

function request({ namespace, serviceUrl, account }: Wishes, path: string, does: string) {
  return {
    description: `${does} Kept by npm run scheduler:sync ${ownMark(namespace)}`,
    url: serviceUrl + path,
    method: 'POST',
    account,
    audience: serviceUrl,
  };
}

function forJob(job: Job, wishes: Wishes): Wanted {
  const schedule = scheduleOfJob(job);
  if (schedule === undefined) return only({ job: job.name, by: 'hand', why: 'no schedule' }, []);
  const why = whyNoTrigger(job, wishes);
  if (why !== undefined) return byTick(job, why, wishes);
  const translated = forCloudScheduler(schedule);
  if (translated.kind === 'tick') return byTick(job, translated.why, wishes);

  const state = stateOf(job.name, wishes);
  const jobs = translated.triggers.map(({ schedule: text, timeZone }, n) => ({
    id: triggerId(wishes.namespace, job.name, n),
    job: job.name,
    settings: {
      ...request(wishes, `/triggers/jobs/${job.name}`, `Wakes the job ${job.name}.`),
      ...TRIGGER_RETRIES,
      schedule: text,
      timeZone: isUtc(timeZone) ? 'UTC' : timeZone,
      deadlineMs: deadlineOf(job),
    },
    state,
  }));
  const waking: Waking = {
    job: job.name,
    by: 'trigger',
    triggers: jobs.map(({ id }) => id),
    why: whyTrigger(job, wishes, translated.wider),
  };
  return { jobs, wakings: [waking], cautions: cautionsOf(job, schedule, wishes) };
}

const byTick = (job: Job, why: string, wishes: Wishes): Wanted =>
  only({ job: job.name, by: 'tick', why }, uncarried(job, wishes));

const only = (waking: Omit<Waking, 'triggers'>, cautions: readonly Caution[]): Wanted => ({
  jobs: [],
  wakings: [{ ...waking, triggers: [] }],
  cautions,
});

function whyNoTrigger({ spec }: Job, { perJob, tickCarriesMs }: Wishes): string | undefined {
  if (perJob === 'none') return '--per-job none';
  if (perJob === 'all' || spec.timeoutMs > tickCarriesMs) return undefined;
  return `its timeout of ${durationText(spec.timeoutMs)} fits into a tick`;
}

function whyTrigger({ spec }: Job, { tickCarriesMs }: Wishes, wider: string | null): string {
  const timeout = durationText(spec.timeoutMs);
  const why =
    spec.timeoutMs > tickCarriesMs
      ? `its timeout of ${timeout} exceeds a tick's ${durationText(tickCarriesMs)}`
      : '--per-job all';
  if (wider === null) return why;
  return `${why}. It comes more often than the job, and finds nothing to do then: ${wider}`;
}

const deadlineOf = ({ spec }: Job): number =>
  Math.max(SHORTEST_DEADLINE_MS, Math.min(LONGEST_DEADLINE_MS, spec.timeoutMs + ANSWER_MS));

/**
 * A pause with an end is over without anybody telling Cloud Scheduler, so its trigger goes on: what
 * falls due in a pause is skipped by the service itself.
 */
function stateOf(name: string, { pauses }: Wishes): WantedJob['state'] {
  if (pauses === null) return null;
  return pauses.get(name)?.until === null ? 'paused' : 'enabled';
}

function cautionsOf(job: Job, schedule: Schedule, wishes: Wishes): Caution[] {
  const { name, spec } = job;
  const found: Caution[] = [];
  const text = (said: string): void => void found.push({ kind: 'text', job: name, text: said });
  const longest = durationText(LONGEST_DEADLINE_MS);
  if (spec.timeoutMs > LONGEST_DEADLINE_MS) {
    const timeout = durationText(spec.timeoutMs);
    text(`its timeout of ${timeout} exceeds the ${longest} that Cloud Scheduler waits over HTTP`);
  }
  const pause = wishes.pauses?.get(name);
  if (pause !== undefined && pause.until === null) {
    text('paused, and its trigger with it: when the job is resumed, apply this again');
  } else if (pause !== undefined && (pause.until ?? 0) > wishes.now) {
    text('paused until a stated time: its trigger goes on, and finds nothing to do until then');
  }
  for (const change of explain(schedule, wishes.now, 0).clockChanges) {
    if (change.effects.some(({ kind }) => kind !== 'steady')) {
      found.push({ kind: 'clocks', job: name, change });
    }
  }
  return found;
}

/** A job that no request can carry. */
function uncarried({ name, spec }: Job, { tickCarriesMs, tasks }: Wishes): Caution[] {
  if (tasks || spec.timeoutMs <= tickCarriesMs) return [];
  const text =
    `nothing carries a run of ${durationText(spec.timeoutMs)}, its timeout: a tick does for ` +
    `${durationText(tickCarriesMs)}, a trigger of its own or PUNCTUAL_TASKS_QUEUE for longer`;
  return [{ kind: 'text', job: name, text }];
}
