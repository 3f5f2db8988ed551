import type { Trigger } from './records.ts';
import type { Instant } from './time.ts';

/** What a handler gets. A plain object: a test can make one by hand. */
export interface JobContext<Input = unknown> {
  readonly job: string;
  readonly runId: string;
  /** Validated by the job's input schema; `undefined` where the job has none and none was given. */
  readonly input: Input;
  /** The occurrence this run is for; for a manual run, when it was asked for. */
  readonly scheduledAt: Instant;
  /** The occurrence before and after `scheduledAt`; undefined where the schedule names none. */
  readonly previousScheduledAt: Instant | undefined;
  readonly nextScheduledAt: Instant | undefined;
  readonly trigger: Trigger;
  /** From 1; counts each start of this run. */
  readonly attempt: number;
  /**
   * Grows with each attempt of the job, for ever. Whatever you write to can refuse a smaller one.
   */
  readonly fence: number;
  /** The run's id, equal in all its attempts: hand it to services that take an idempotency key. */
  readonly idempotencyKey: string;
  /**
   * Aborted on timeout, cancel, lost lease and drain. Stop soon: until you do, nothing else starts.
   */
  readonly signal: AbortSignal;
  readonly log: JobLog;
  /** Shows how far the work is. `total` may be left out. */
  readonly progress: (done: number, total?: number) => void;
  /** The path of a folder of this attempt's own, made on the first call and removed at its end. */
  readonly scratch: () => Promise<string>;
  /** Like the global `fetch`, with this run's trace and signal. */
  readonly fetch: typeof fetch;
  /** W3C trace context of this attempt. */
  readonly traceparent: string;
}

/** Writes a line that is kept with the run. `log(text)` is `log.info(text)`. */
export interface JobLog {
  (text: string, fields?: Readonly<Record<string, unknown>>): void;
  debug(text: string, fields?: Readonly<Record<string, unknown>>): void;
  info(text: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(text: string, fields?: Readonly<Record<string, unknown>>): void;
  error(text: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** A job's work. What it returns is kept as the run's output: small, and JSON. */
export type Handler<Input = unknown> = (context: JobContext<Input>) => unknown;
