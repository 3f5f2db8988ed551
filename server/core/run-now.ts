import { apply, newIntent, type Applied } from './apply.ts';
import type { Deps } from './deps.ts';
import { blankRun } from './blank-run.ts';
import { jobOfRun, manualRunId, unkeyedRunId } from './ids.ts';
import { BadInput, INPUT_LIMIT, validateInput, type InputProblem } from './input.ts';
import type { Job } from './job.ts';
import type { JobRecord, Run } from './records.ts';
import { hashOfRequest, isSameRequest, type Asked } from './request-hash.ts';
import { isFinal } from './run.ts';
import type { Event, Refusal } from './event.ts';
import { marksOf, replaceMarked } from './secrets/marks.ts';
import { HIDDEN, sealInput } from './secrets/stored.ts';
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
  const text = textOf(request.input);
  const problems = await inputProblems(deps, job, request.input, text);
  if (problems.length > 0 || text === undefined) return { kind: 'bad-input', problems };
  const { key } = request;
  const id = key === undefined ? unkeyedRunId(job.name, deps.newId()) : manualRunId(job.name, key);
  const { text: input, hasSecret } = sealInput(deps.cipher, job, { text, runId: id });
  if (isTooLong(input)) return { kind: 'bad-input', problems: [TOO_LONG] };
  const { beside, rerunOf } = request;
  const asked: Asked = { job: job.name, input: text, beside, rerunOf };

  const { carrier } = deps;
  const traceparent = traceIdOf(request.traceparent) === undefined ? null : request.traceparent;
  const offer = deps.runner.reserve(deps, job.name, { carrier, traceparent });
  let used = false;
  try {
    const run: Run = {
      ...blankRun(job.name, id, { now: 0, build: deps.build }),
      trigger: 'manual',
      input,
      requestHash: hashOfRequest(asked, hasSecret ? deps.cipher : null),
      cause: rerunOf,
      requestedBy: request.by,
      // Whoever asks may send anything under that name.
      traceparent: offer?.traceparent ?? traceparent,
    };
    const event: Event = { kind: 'manual', run, beside };
    const wish = { job: job.name, op: 'manual', event, offer } as const;
    const applied = await apply(deps, newIntent(deps, wish, REQUEST_WITHIN_MS));
    if (applied.kind === 'refused') return (await replay(deps, id, asked)) ?? applied;
    if (applied.kind !== 'applied') return asFailed(applied);
    const { granted } = applied;
    used = granted !== undefined;
    deps.runner.heed(applied.held.record);
    if (granted !== undefined) void deps.runner.start(deps, granted, carrier);
    await deps.dispatch?.settled();
    await deps.observer?.settled(REQUEST_WITHIN_MS);
    const created = applied.runs.get(run.id) ?? (await deps.store.getRun(run.id)) ?? run;
    return { kind: 'created', run: created };
  } finally {
    if (!used) deps.runner.release(offer, carrier);
  }
}

/** JSON text of an input, null for none; undefined where it is too deep to be written. */
function textOf(input: unknown): string | null | undefined {
  if (input === undefined) return null;
  try {
    return JSON.stringify(input);
  } catch {
    return undefined;
  }
}

/** What is wrong with an input that somebody would start a run with. */
export const problemsOfInput = async (
  deps: Deps,
  job: Job,
  value: unknown,
): Promise<readonly InputProblem[]> => await inputProblems(deps, job, value, textOf(value));

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
    return placeholders(job, value);
  } catch (error) {
    if (error instanceof BadInput) return error.problems;
    throw error;
  }
}

/** What stands for a secret where somebody looks is none: it was sent back as it was shown. */
function placeholders(job: Job, value: unknown): readonly InputProblem[] {
  const found: InputProblem[] = [];
  replaceMarked(marksOf(job.input), value, (part, pointer) => {
    const message = `is "${HIDDEN}", which stands for a secret; give the secret itself`;
    if (part === HIDDEN) found.push({ path: `/input${pointer}`, message });
    return part;
  });
  return found;
}

/** What is stored grows where each of many parts is encrypted by itself. */
const STORED_LIMIT = 2 * INPUT_LIMIT;
const TOO_LONG: InputProblem = {
  path: '/input',
  message: 'has too many secrets in it; mark a list or an object as secret, not each of its parts',
};

const isTooLong = (input: string | null): boolean =>
  input !== null && Buffer.byteLength(input) > STORED_LIMIT;

/** A refusal may be about the very run that was asked for: then it is its answer. */
async function replay(deps: Deps, id: string, asked: Asked): Promise<Requested | undefined> {
  const stored = await deps.store.getRun(id);
  if (stored === undefined) return undefined;
  if (!isSameRequest(stored.requestHash, asked, deps.cipher)) return { kind: 'other-request' };
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
 * of one `id` are one backfill, also once it is over (backfills.ts); without one each is a new one.
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
      await deps.observer?.settled(REQUEST_WITHIN_MS);
      return { kind: 'changed', record: applied.held.record };
    case 'nothing':
      return { kind: 'unchanged', record: applied.held?.record };
    case 'refused':
    case 'unknown':
    case 'unavailable':
      return applied;
  }
}

/**
 * Waits until a run is over, at most `withinMs`, until the signal is aborted, or until this process
 * shuts down; gives it as it then stands.
 */
export async function waitForRun(
  deps: Deps,
  runId: string,
  { withinMs, signal }: { readonly withinMs: number; readonly signal: AbortSignal },
): Promise<Run | undefined> {
  const deadline = deps.clock.monotonic() + withinMs;
  for (;;) {
    const run = await deps.store.getRun(runId);
    const left = deadline - deps.clock.monotonic();
    const enough = left <= 0 || signal.aborted || deps.runner.draining;
    if (run === undefined || isFinal(run.state) || enough) return run;
    const pollMs = isBilled(deps.store) ? BILLED_POLL_MS : POLL_MS;
    const pause = sleep(deps.clock, Math.min(pollMs, left), signal);
    // Of a run in this process it is known without asking.
    await Promise.race([pause, deps.runner.endOf(runId) ?? pause]);
  }
}

const POLL_MS = 100;
/** Where each look is billed. */
const BILLED_POLL_MS = 2000;
