import type { Deps, Scratch } from './deps.ts';
import type { JobContext } from './context.ts';
import { validateInput } from './input.ts';
import type { Handler, Job } from './job.ts';
import type { LogBuffer } from './log-buffer.ts';
import { describeError } from './outcome.ts';
import { readOutput } from './output.ts';
import type { JobRecord, Lease, Progress, Run, RunError } from './records.ts';
import { markedIn, marksOf } from './secrets/marks.ts';
import type { Scrubber } from './secrets/scrubber.ts';
import { openInput } from './secrets/stored.ts';
import { neighbours } from './undecided.ts';

export interface Call {
  readonly deps: Deps;
  readonly job: Job | undefined;
  readonly run: Run;
  readonly lease: Lease;
  readonly signal: AbortSignal;
  readonly log: LogBuffer;
  /** Learns the run's secrets before the handler does. */
  readonly scrubber: Scrubber;
  readonly scratch: Scratch;
  readonly record: JobRecord | undefined;
  readonly traceparent: string;
  readonly onProgress: (progress: Progress) => void;
}

export interface Result {
  readonly output: string | null;
  readonly error: RunError | null;
}

/** Calls the handler with its context. Whatever it throws or returns comes back as a value. */
export async function callHandler(call: Call): Promise<Result> {
  const { job, scrubber } = call;
  try {
    if (job === undefined) throw new Error('this build does not know the job any more');
    const input = await readInput(call, job);
    const value = await invoke(job.run, contextOf(call, input));
    const { text, secrets } = await readOutput(job, value, call.deps.clock);
    scrubber.learn(secrets);
    return { output: text === null ? null : scrubber.json(text), error: null };
  } catch (error) {
    return { output: null, error: describeError(error, scrubber.text) };
  }
}

/** The stored input as the handler gets it: decrypted, and validated by the job's schema. */
async function readInput({ run, deps, scrubber }: Call, job: Job): Promise<unknown> {
  const { value, secrets } = openInput(deps.cipher, job, run);
  scrubber.learn(secrets);
  const input = await validateInput(job, value, deps.clock);
  // A schema may have made something else of them.
  scrubber.learn(markedIn(marksOf(job.input), input));
  return input;
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

function contextOf(call: Call, input: unknown): JobContext {
  const { run, lease, record, signal, traceparent } = call;
  const scheduledAt = run.scheduledAt ?? run.at;
  const around = record === undefined ? undefined : neighbours(record, scheduledAt);
  return {
    job: run.job,
    runId: run.id,
    input,
    scheduledAt,
    previousScheduledAt: around?.previous,
    nextScheduledAt: around?.next,
    trigger: run.trigger,
    attempt: lease.attempt,
    fence: lease.fence,
    idempotencyKey: run.id,
    signal,
    log: call.log.forHandler(),
    progress: (done, total) => {
      // Neither a store nor a bar has a place for what is no number.
      if (!Number.isFinite(done)) return;
      call.onProgress({ done, total: Number.isFinite(total) ? (total ?? null) : null });
    },
    scratch: () => call.scratch.path(),
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
