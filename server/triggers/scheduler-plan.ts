import { explain } from '../core/explain.ts';
import { parseSchedule } from '../core/schedule.ts';
import { isoInstant, type Instant } from '../core/time.ts';
import type { SchedulerJob, SchedulerSettings, SchedulerState, Setting } from './scheduler-job.ts';
import { idPrefix, ownMark, type WantedJob } from './scheduler-wanted.ts';

/*
 * What has to change in Cloud Scheduler. A plan is made from what is there and from nothing else,
 * so that one that was interrupted needs no memory: the next begins where it ended.
 */

/** One call, or for `replace` two. `job` is the job that is woken; null for the tick. */
export type Step = StepKind & { readonly id: string; readonly job: string | null };

type StepKind =
  | { readonly kind: 'create'; readonly settings: SchedulerSettings; readonly after: Preview }
  | {
      readonly kind: 'update';
      readonly settings: SchedulerSettings;
      readonly changes: readonly Change[];
      /** Null where the schedule stays; what is there may be no cron text. */
      readonly before: Preview | null;
      readonly after: Preview | null;
      readonly why: string | null;
    }
  | { readonly kind: 'replace'; readonly settings: SchedulerSettings; readonly why: string }
  | { readonly kind: 'pause' | 'resume'; readonly why: string }
  | { readonly kind: 'delete'; readonly before: Preview; readonly why: string }
  /** Nothing can be done: somebody else's is in the way. */
  | { readonly kind: 'blocked'; readonly why: string };

/** Its next occurrences; null where the schedule can't be read here. */
export interface Preview {
  readonly timeZone: string;
  readonly occurrences: readonly Instant[] | null;
}

export interface Change {
  readonly setting: Setting;
  readonly from: string | number;
  readonly to: string | number;
}

export interface Plan {
  readonly steps: readonly Step[];
  /** How many are ours, and how many are others' and left alone. */
  readonly ours: number;
  readonly others: number;
}

export interface Aims {
  readonly wanted: readonly WantedJob[];
  readonly namespace: string;
  readonly registered: (job: string) => boolean;
  readonly now: Instant;
}

/** Ours is what has the namespace's prefix and ends in its mark: both, or it is left alone. */
export const isOurs = ({ id, settings }: SchedulerJob, namespace: string): boolean =>
  id.startsWith(idPrefix(namespace)) && settings.description.endsWith(ownMark(namespace));

/** What makes of the Cloud Scheduler jobs that are there those that are wanted. */
export function planOf(there: readonly SchedulerJob[], aims: Aims): Plan {
  const { wanted, namespace } = aims;
  const found = new Map(there.map((job) => [job.id, job]));
  const ours = there.filter((job) => isOurs(job, namespace));
  const ids = new Set(wanted.map(({ id }) => id));
  const steps = [
    ...wanted.flatMap((job) => stepsFor(job, found.get(job.id), aims)),
    ...ours.filter(({ id }) => !ids.has(id)).map((job) => deletion(job, aims)),
  ];
  // What wakes comes before what no longer has to; the sort leaves the rest as it was.
  const ordered = steps.toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  return { steps: ordered, ours: ours.length, others: there.length - ours.length };
}

const ORDER: readonly Step['kind'][] = [
  'create',
  'replace',
  'update',
  'resume',
  'pause',
  'delete',
  'blocked',
];

function stepsFor(wanted: WantedJob, there: SchedulerJob | undefined, aims: Aims): Step[] {
  const { id, job, settings } = wanted;
  const of = { id, job };
  if (there === undefined) {
    const after = preview(settings, aims.now);
    return [{ ...of, kind: 'create', settings, after }, ...pausing(wanted, 'enabled')];
  }
  if (!isOurs(there, aims.namespace)) {
    const mark = ownMark(aims.namespace);
    const why = `has this id, but a description that does not end in ${mark}: it is not ours`;
    return [{ ...of, kind: 'blocked', why }];
  }
  if (there.state === 'disabled') {
    const why = 'Cloud Scheduler disabled it after an error, and only a new one will run';
    return [{ ...of, kind: 'replace', settings, why }, ...pausing(wanted, 'enabled')];
  }
  const state = there.state === 'update-failed' ? 'enabled' : there.state;
  return [...updating(wanted, there, aims.now), ...pausing(wanted, state)];
}

/** After a failed update each setting is sent again, whatever it shows. */
function updating({ id, job, settings }: WantedJob, there: SchedulerJob, now: Instant): Step[] {
  const changes = SETTINGS.filter((setting) => settings[setting] !== there.settings[setting]).map(
    (setting) => ({ setting, from: there.settings[setting], to: settings[setting] }),
  );
  const failed = there.state === 'update-failed';
  if (changes.length === 0 && !failed) return [];
  const retimed = changes.some(({ setting }) => /^(?:schedule|timeZone)$/.test(setting));
  return [
    {
      id,
      job,
      kind: 'update',
      settings,
      changes,
      before: retimed ? preview(there.settings, now) : null,
      after: retimed ? preview(settings, now) : null,
      why: failed ? 'its last update failed, and it may not run until one succeeds' : null,
    },
  ];
}

/** In the order in which a person asks for them. */
export const SETTINGS = [
  'schedule',
  'timeZone',
  'url',
  'method',
  'account',
  'audience',
  'deadlineMs',
  'retries',
  'retryForMs',
  'retryFromMs',
  'retryToMs',
  'retryDoublings',
  'description',
] as const satisfies readonly Setting[];

function pausing({ id, job, state }: WantedJob, there: SchedulerState): Step[] {
  if (state === null || state === there) return [];
  if (state === 'paused') return [{ id, job, kind: 'pause', why: 'the job is paused' }];
  const why = job === null ? 'the tick is never paused' : 'the job is not paused';
  return [{ id, job, kind: 'resume', why }];
}

function deletion({ id, settings }: SchedulerJob, { now, registered, namespace }: Aims): Step {
  const [, job = null] =
    /^job-([a-z0-9-]+)(?:_\d+)?$/.exec(id.slice(idPrefix(namespace).length)) ?? [];
  const known = job !== null && registered(job);
  const why = known ? 'the job needs no such trigger' : 'the job is no longer in the code';
  return { id, job, kind: 'delete', before: preview(settings, now), why };
}

const PREVIEWED = 3;

function preview({ schedule, timeZone }: SchedulerSettings, now: Instant): Preview {
  const parsed = parseSchedule({ schedule, timeZone }, '');
  if ('problems' in parsed) return { timeZone, occurrences: null };
  return { timeZone, occurrences: explain(parsed.schedule, now, PREVIEWED).occurrences };
}

/** The plan as data for programs. */
export const planJson = ({ steps, ours, others }: Plan) => ({
  inSync: steps.length === 0,
  ours,
  others,
  steps: steps.map((step) => ({
    ...step,
    ...('before' in step && { before: previewJson(step.before) }),
    ...('after' in step && { after: previewJson(step.after) }),
  })),
});

const previewJson = (preview: Preview | null) =>
  preview && { ...preview, occurrences: preview.occurrences?.map(isoInstant) ?? null };
