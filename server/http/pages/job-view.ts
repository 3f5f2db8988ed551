import type { RunningBackfill } from '../../../views/backfill.ts';
import type { Durations } from '../../../views/durations.ts';
import type { PauseForm, RunForm } from '../../../views/job-forms.ts';
import type { JobSchedule } from '../../../views/job-schedule.ts';
import type { JobSettings } from '../../../views/job-settings.ts';
import type { JobView } from '../../../views/job.ts';
import { backfillPlan } from '../../core/backfill-plan.ts';
import type { Deps } from '../../core/deps.ts';
import { explain, type ClockChange } from '../../core/explain.ts';
import { isJobName, jobOfRun } from '../../core/ids.ts';
import { inputForm } from '../../core/input-form.ts';
import { jsonTextOf, readTexts, textsOf } from '../../core/input-texts.ts';
import type { Job } from '../../core/job.ts';
import type { JobRecord } from '../../core/records.ts';
import { definitionOf } from '../../core/register.ts';
import { shownInput, withoutSecrets } from '../../core/secrets/stored.ts';
import { occurrencesBetween, scheduleOfJob, type Schedule } from '../../core/schedule.ts';
import { figuresOf } from '../../core/stats.ts';
import type { Loaded } from '../../core/store.ts';
import { summarise, type JobSummary } from '../../core/summary.ts';
import type { Instant } from '../../core/time.ts';
import { HttpError } from '../errors.ts';
import { utcText } from './forms.ts';
import { FILTER_CHOICES, readHistory } from './job-filter.ts';
import type { JobPast, JobPasts } from './job-past.ts';

/** What a job's page is asked for, and its forms where they were filled in already. */
export interface JobAsked {
  readonly name: string;
  readonly query: ReadonlyMap<string, string>;
  readonly run?: Partial<RunForm>;
  readonly pause?: Partial<PauseForm>;
}

const OCCURRENCES_SHOWN = 10;
/** An end to counting: nobody backfills more without splitting it. */
export const COUNTED = 1000;

/** Reads the job, its past (job-past.ts), and the run that a form is to be filled in from. */
export async function readJob(deps: Deps, pasts: JobPasts, asked: JobAsked): Promise<JobView> {
  const { name, query } = asked;
  if (!isJobName(name)) throw noSuchJob(name);
  const job = deps.registry.get(name);
  const loaded = await deps.store.read(name);
  const { storeNow: now, record } = loaded;
  if (loaded.version === undefined && job === undefined) throw noSuchJob(name);
  const history = readHistory(query, now);
  const monotonic = deps.clock.monotonic();
  const past = await pasts.read(deps.store, name, { record, asked: history, monotonic });
  const summary = summarise(loaded, job, now);
  const run = job === undefined ? null : await runForm(deps, job, past, asked);
  return {
    now,
    job: summary,
    schedule: scheduleOf(summary, now),
    settings: settingsOf(deps, loaded, job),
    durations: durationsOf(past, record, job),
    days: record?.days ?? (summary.recent.length === 0 ? [] : null),
    history: { ...history, ...past.history },
    choices: FILTER_CHOICES,
    actions: past.actions,
    backfill: runningOf(record),
    forms: run !== null && canAct(summary) ? { run, pause: pauseForm(summary, asked) } : null,
  };
}

const noSuchJob = (name: string): HttpError =>
  new HttpError(404, 'No such job', `there is no job "${name.slice(0, 63)}"`);

export const canAct = ({ known, state }: JobSummary): boolean =>
  known && state !== 'retired' && state !== 'broken';

function scheduleOf(job: JobSummary, now: Instant): JobSchedule {
  const { schedule: text, timeZone, paused, state } = job;
  const schedule = scheduleOfJob({ schedule: text, timeZone, name: job.name });
  const over = state === 'retired' || schedule === undefined;
  return {
    text,
    timeZone,
    schedule,
    paused,
    next: over ? [] : occurrencesBetween(schedule, { from: now, to: Infinity }, OCCURRENCES_SHOWN),
    clockChanges: over ? [] : clockChangesOf(schedule, now),
  };
}

const DAY_MS = 86_400_000;
/** What a change does to a schedule of every second takes a while to find out. */
const found = new WeakMap<
  Schedule,
  { readonly day: number; readonly all: readonly ClockChange[] }
>();

function clockChangesOf(schedule: Schedule, now: Instant): readonly ClockChange[] {
  const day = Math.floor(now / DAY_MS);
  const known = found.get(schedule);
  const fresh = known?.day === day ? known.all : explain(schedule, now, 0).clockChanges;
  if (fresh !== known?.all) found.set(schedule, { day, all: fresh });
  return fresh.filter(({ at }) => at > now);
}

function settingsOf(deps: Deps, { record }: Loaded, job: Job | undefined): JobSettings | null {
  const text = record?.schedules.at(-1);
  if (record === undefined || text === undefined) return null;
  return {
    inForce: { ...text, spec: record.spec },
    build: record.build,
    scheduleSince: text.from,
    registeredAt: record.registeredAt,
    code: job === undefined ? null : definitionOf(deps, job),
    codeBuild: deps.build,
    input: inputWords(job),
    isolate: job?.isolate ?? null,
  };
}

function inputWords(job: Job | undefined): string {
  if (job === undefined) return 'not known here';
  if (job.input === undefined) return 'anything, or nothing: it has no schema';
  return `what its schema takes (${job.input['~standard'].vendor})`;
}

function durationsOf(
  { taken, notTaken }: JobPast,
  record: JobRecord | undefined,
  job: Job | undefined,
): Durations {
  const { p50Ms, p95Ms } = figuresOf(taken);
  const timeoutMs = record?.spec.timeoutMs ?? job?.spec.timeoutMs ?? null;
  return { taken, notTaken, p50Ms, p95Ms, timeoutMs };
}

/** Null where there is none, or its schedule can't be read here. */
export function runningOf(record: JobRecord | undefined): RunningBackfill | null {
  if (record === undefined || record.backfill === null) return null;
  const { backfill } = record;
  const count = (from: Instant) =>
    backfillPlan(record, { from, to: backfill.to }, { listed: 0, counted: COUNTED });
  try {
    return { backfill, all: count(backfill.from), left: count(backfill.cursor) };
  } catch {
    return null;
  }
}

async function runForm(
  deps: Deps,
  job: Job,
  { earlier }: JobPast,
  { query, run }: JobAsked,
): Promise<RunForm> {
  const form = inputForm(job.input);
  const from = query.get('from');
  const source = from === undefined ? undefined : await sourceOf(deps, job, from);
  const texts = textsOf(form, source?.input);
  const wanted = query.get('as');
  const presets = form.fields !== null && readTexts(form.fields, textsOf(form, {}) ?? new Map());
  const shown = source?.input ?? (presets && 'input' in presets ? presets.input : undefined);
  return {
    form,
    declared: job.input !== undefined,
    as: texts === undefined || wanted === 'json' ? 'json' : 'fields',
    texts: texts ?? new Map(),
    json: jsonTextOf(shown),
    problems: new Map(),
    wrong: [],
    key: deps.newId(),
    from: from === undefined ? null : { id: from, found: source !== undefined, ...source?.about },
    earlier: earlier.map((one) => ({ ...one, input: shownInput(one.input, job) })),
    beside: false,
    open: from !== undefined || wanted !== undefined,
    ...run,
  };
}

interface Source {
  readonly input: unknown;
  readonly about: { readonly secretsLeftOut: boolean };
}

/** The input of an earlier run of the job, without its secrets; undefined for no such run. */
async function sourceOf({ store }: Deps, job: Job, id: string): Promise<Source | undefined> {
  if (jobOfRun(id) !== job.name) return undefined;
  const run = await store.getRun(id);
  if (run === undefined) return undefined;
  try {
    const stored: unknown = run.input === null ? undefined : JSON.parse(run.input);
    const input = withoutSecrets(job, stored);
    const secretsLeftOut = JSON.stringify(input) !== JSON.stringify(stored);
    return { input, about: { secretsLeftOut } };
  } catch {
    // A record that was edited by hand.
    return undefined;
  }
}

const pauseForm = ({ paused }: JobSummary, { pause }: JobAsked): PauseForm => ({
  note: paused?.note ?? '',
  lasts: paused === null || paused.until === null ? '' : 'until',
  until: paused === null || paused.until === null ? '' : utcText(paused.until),
  problems: new Map(),
  open: false,
  ...pause,
});
