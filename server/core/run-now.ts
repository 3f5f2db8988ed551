import { apply, newIntent, type Applied } from './apply.ts';
import type { Deps } from './deps.ts';
import { blankRun } from './blank-run.ts';
import { jobOfRun, manualRunId, requestHash } from './ids.ts';
import { BadInput, INPUT_LIMIT, validateInput, type InputProblem } from './input.ts';
import type { Job } from './job.ts';
import type { JobRecord, Run } from './records.ts';
import { isFinal } from './run.ts';
import type { Event, Refusal } from './event.ts';
import { isBilled } from './store.ts';
import { sleep, type Instant } from './time.ts';
import { traceIdOf } from './trace.ts';

/** What people ask for: runs by hand, cancels, pauses. Each is one intent like any other. */

export interface Request {
  /** Undefined for none. */
  readonly input: unknown;
  /** One key is one run, however often it is asked for. Undefined: every request is a new one. */
  readonly key: string | undefined;
  /** Start beside whatever runs, whatever the job's policy says. */
  readonly beside: boolean;
  /** The run that this one repeats; null for one that repeats none. */
  readonly rerunOf: string | null;
  readonly by: string | null;
  readonly traceparent: string | null;
}

export type Requested =
  | { readonly kind: 'created'; readonly run: Run }
  | { readonly kind: 'replayed'; readonly run: Run }
  | { readonly kind: 'other-request' }
  | { readonly kind: 'bad-input'; readonly problems: readonly InputProblem[] }
  | Refusal
  | Failed;

/**
 * The store did not answer in time: `unknown` may still be applied, `unavailable` surely was not.
 */
export type Failed = Extract<Applied, { kind: 'unknown' | 'unavailable' }>;

/** How long a person's request is tried before it is answered with "try again". */
const REQUEST_WITHIN_MS = 5000;

/** Starts a run by hand, or has it wait for its turn. The run is on record before this returns. */
export async function runNow(deps: Deps, job: Job, request: Request): Promise<Requested> {
  const input = textOf(request.input);
  const problems = await inputProblems(deps, job, request.input, input);
  if (problems.length > 0 || input === undefined) return { kind: 'bad-input', problems };

  const { carrier } = deps;
  const traceparent = traceIdOf(request.traceparent) === undefined ? null : request.traceparent;
  const offer = deps.runner.reserve(deps, job.name, { carrier, traceparent });
  let used = false;
  try {
    const run: Run = {
      ...blankRun(job.name, manualRunId(job.name, request.key ?? deps.newId()), {
        now: 0,
        build: deps.build,
      }),
      trigger: 'manual',
      input,
      requestHash: hashOf(job.name, input, request),
      cause: request.rerunOf,
      requestedBy: request.by,
      // Whoever asks may send anything under that name.
      traceparent: offer?.traceparent ?? traceparent,
    };
    const event: Event = { kind: 'manual', run, beside: request.beside };
    const wish = { job: job.name, op: 'manual', event, offer } as const;
    const applied = await apply(deps, newIntent(deps, wish, REQUEST_WITHIN_MS));
    if (applied.kind === 'refused') return (await replay(deps, run)) ?? applied;
    if (applied.kind !== 'applied') return asFailed(applied);
    const { granted } = applied;
    used = granted !== undefined;
    deps.runner.heed(applied.held.record);
    deps.runner.onChange();
    if (granted !== undefined) void deps.runner.start(deps, granted, carrier);
    await deps.dispatch?.settled();
    const created = applied.runs.get(run.id) ?? (await deps.store.getRun(run.id)) ?? run;
    return { kind: 'created', run: created };
  } finally {
    if (!used) deps.runner.release(offer, carrier);
  }
}

/** What a key stands for. A run that repeats none has the hash that it always had. */
function hashOf(
  job: string,
  input: string | null,
  { beside, rerunOf }: Pick<Request, 'beside' | 'rerunOf'>,
): string {
  const parts = [job, input, beside ? 'beside' : null];
  return requestHash(rerunOf === null ? parts : [...parts, rerunOf]);
}

/** Whether a run repeats its `cause`; else that is the run that replaced it, or caused it. */
export const isRerun = ({ trigger, job, input, cause, requestHash: hash }: Run): boolean =>
  trigger === 'manual' &&
  [false, true].some((beside) => hash === hashOf(job, input, { beside, rerunOf: cause }));

/** JSON text of an input, null for none; undefined where it is too deep to be written. */
function textOf(input: unknown): string | null | undefined {
  if (input === undefined) return null;
  try {
    return JSON.stringify(input);
  } catch {
    return undefined;
  }
}

async function inputProblems(
  deps: Deps,
  job: Job,
  value: unknown,
  text: string | null | undefined,
): Promise<readonly InputProblem[]> {
  if (text === undefined) return [{ path: '/input', message: 'is nested too deeply' }];
  const bytes = text === null ? 0 : Buffer.byteLength(text);
  if (bytes > INPUT_LIMIT) {
    return [{ path: '/input', message: `is ${bytes} bytes of JSON; ${INPUT_LIMIT} is most` }];
  }
  try {
    await validateInput(job, value, deps.clock);
    return [];
  } catch (error) {
    if (error instanceof BadInput) return error.problems;
    throw error;
  }
}

/** A refusal may be about the very run that was asked for: then it is its answer. */
async function replay(deps: Deps, run: Run): Promise<Requested | undefined> {
  const stored = await deps.store.getRun(run.id);
  if (stored === undefined) return undefined;
  if (stored.requestHash !== run.requestHash) return { kind: 'other-request' };
  return { kind: 'replayed', run: stored };
}

const asFailed = (applied: Exclude<Applied, { kind: 'applied' | 'refused' }>): Failed =>
  applied.kind === 'nothing' ? { kind: 'unavailable', cause: undefined } : applied;

export type Changed =
  | { readonly kind: 'changed'; readonly record: JobRecord }
  | { readonly kind: 'unchanged'; readonly record: JobRecord | undefined }
  | Refusal
  | Failed;

export const pauseJob = (
  deps: Deps,
  job: string,
  pause: {
    readonly by: string | null;
    readonly note: string | null;
    readonly until: Instant | null;
  },
): Promise<Changed> => change(deps, job, { kind: 'pause', ...pause });

export const resumeJob = (deps: Deps, job: string, by: string | null): Promise<Changed> =>
  change(deps, job, { kind: 'resume', by });

/**
 * Starts one run for each occurrence of (from, to], one after another, as slots get free. Requests
 * of one `id` are one backfill.
 */
export const backfillJob = (
  deps: Deps,
  job: string,
  span: {
    readonly from: Instant;
    readonly to: Instant;
    readonly by: string | null;
    readonly id?: string;
  },
): Promise<Changed> => change(deps, job, { kind: 'backfill', id: deps.newId(), ...span });

/** Opens no more of a backfill that is under way. */
export const endBackfill = (
  deps: Deps,
  job: string,
  { id, by }: { readonly id: string; readonly by: string | null },
): Promise<Changed> => change(deps, job, { kind: 'end-backfill', id, by });

/** Cancels a waiting run at once, a running one through its signal. */
export const cancelRun = (deps: Deps, runId: string, by: string | null): Promise<Changed> =>
  changeRun(deps, runId, { kind: 'cancel', runId, by });

/** Takes the slot from a run whose handler does not stop, knowing that it may still work. */
export const freeRun = (deps: Deps, runId: string, by: string | null): Promise<Changed> =>
  changeRun(deps, runId, { kind: 'free', runId, by });

/**
 * After an operator reset the store's clock: what lies in the future comes back to now. Ranges that
 * reach into the future speak of what has not happened, so they go; what they said of the past is
 * judged again. While the watermark lies in the future nothing else decides about the job.
 */
export async function rewindJob(deps: Deps, job: string, by: string | null): Promise<Changed> {
  const { storeNow } = await deps.store.time();
  let to = storeNow;
  for (;;) {
    const { runs } = await deps.store.listRuns({ job, since: storeNow, limit: 500 });
    const ranges = runs.filter((run) => run.range !== null);
    if (ranges.length === 0) break;
    to = Math.min(to, ...ranges.map((run) => (run.range?.from ?? to) - 1));
    await deps.store.deleteRuns(ranges.map(({ id }) => id));
  }
  return await change(deps, job, { kind: 'rewind', to, by });
}

async function changeRun(deps: Deps, runId: string, event: Event): Promise<Changed> {
  const job = jobOfRun(runId);
  if (job === undefined) return { kind: 'refused', why: 'no-such-job', runId: null };
  return await change(deps, job, event);
}

async function change(deps: Deps, job: string, event: Event): Promise<Changed> {
  const wish = { job, op: event.kind, event };
  const applied = await apply(deps, newIntent(deps, wish, REQUEST_WITHIN_MS));
  switch (applied.kind) {
    case 'applied':
      deps.runner.heed(applied.held.record);
      deps.runner.onChange();
      return { kind: 'changed', record: applied.held.record };
    case 'nothing':
      return { kind: 'unchanged', record: applied.held?.record };
    case 'refused':
    case 'unknown':
    case 'unavailable':
      return applied;
  }
}

/** Waits until a run is over, at most `withinMs`; gives it as it then stands. */
export async function waitForRun(
  deps: Deps,
  runId: string,
  withinMs: number,
): Promise<Run | undefined> {
  const deadline = deps.clock.monotonic() + withinMs;
  for (;;) {
    const run = await deps.store.getRun(runId);
    const left = deadline - deps.clock.monotonic();
    if (run === undefined || isFinal(run.state) || left <= 0) return run;
    const pollMs = isBilled(deps.store) ? BILLED_POLL_MS : POLL_MS;
    const pause = sleep(deps.clock, Math.min(pollMs, left));
    // Of a run in this process it is known without asking.
    await Promise.race([pause, deps.runner.endOf(runId) ?? pause]);
  }
}

const POLL_MS = 100;
/** Where each look is billed. */
const BILLED_POLL_MS = 2000;
