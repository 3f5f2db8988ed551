import type { JobContext, JobLog } from './context.ts';
import { validateInput } from './input.ts';
import type { Handler, Job } from './job.ts';
import { describeError } from './outcome.ts';
import { readOutput } from './output.ts';
import type { Progress, RunError } from './records.ts';
import { markedIn, marksOf } from './secrets/marks.ts';
import type { Scrubber } from './secrets/scrubber.ts';
import type { Task } from './task.ts';
import type { Clock } from './time.ts';

/** What a handler is told by, and where what it does goes. */
export interface Surroundings {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly log: JobLog;
  readonly onProgress: (progress: Progress) => void;
  /** Makes the attempt's folder, if there is none yet. */
  readonly scratch: () => Promise<string>;
  /** Learns the run's secrets before the handler does. */
  readonly scrubber: Scrubber;
}

export interface Result {
  readonly output: string | null;
  readonly error: RunError | null;
}

/** Calls the handler with its context. Whatever it throws or returns comes back as a value. */
export async function callHandler(
  job: Job | undefined,
  task: Task,
  around: Surroundings,
): Promise<Result> {
  const { scrubber, clock } = around;
  try {
    if (job === undefined) throw new Error('this build does not know the job any more');
    scrubber.learn(task.secrets);
    const input = await validateInput(job, task.input, clock);
    // A schema may have made something else of them.
    scrubber.learn(markedIn(marksOf(job.input), input));
    const value = await invoke(job.run, contextOf(task, input, around));
    const { text, secrets } = await readOutput(job, value, clock);
    scrubber.learn(secrets);
    return { output: text === null ? null : scrubber.json(text), error: null };
  } catch (error) {
    return { output: null, error: describeError(error, scrubber.text) };
  }
}

/** The handlers of modules that were imported when first needed. */
const imported = new WeakMap<Handler, Handler>();

/**
 * Calls a handler, or imports its module first: what `run` returns tells which of the two it is.
 */
export async function invoke(run: Handler, context: JobContext): Promise<unknown> {
  const known = imported.get(run);
  if (known !== undefined) return await known(context);
  const value: unknown = await run(context);
  if (Object.prototype.toString.call(value) !== '[object Module]') return value;
  const handler: unknown = Reflect.get(Object(value), 'default');
  if (!isHandler(handler)) {
    throw new Error('the module that `run` imports has no function as its default export');
  }
  imported.set(run, handler);
  return await handler(context);
}

const isHandler = (value: unknown): value is Handler => typeof value === 'function';

function contextOf(task: Task, input: unknown, around: Surroundings): JobContext {
  const { runId, traceparent } = task;
  const { signal, log, onProgress } = around;
  return {
    job: task.job,
    runId,
    input,
    scheduledAt: task.scheduledAt,
    previousScheduledAt: task.previousScheduledAt ?? undefined,
    nextScheduledAt: task.nextScheduledAt ?? undefined,
    trigger: task.trigger,
    attempt: task.attempt,
    fence: task.fence,
    idempotencyKey: runId,
    signal,
    log,
    progress: (done, total) => {
      // Neither a store nor a bar has a place for what is no number.
      if (!Number.isFinite(done)) return;
      onProgress({ done, total: Number.isFinite(total) ? (total ?? null) : null });
    },
    scratch: () => around.scratch(),
    fetch: tracedFetch(traceparent, signal),
    traceparent,
  };
}

/** `fetch` that carries the trace and stops with the attempt. */
export function tracedFetch(traceparent: string, signal: AbortSignal): typeof fetch {
  return (input, init) => {
    const request = new Request(input, init);
    if (!request.headers.has('traceparent')) request.headers.set('traceparent', traceparent);
    return fetch(request, { signal: AbortSignal.any([signal, request.signal]) });
  };
}
