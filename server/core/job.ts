import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Handler } from './context.ts';
import { checkDefinition } from './job-check.ts';
import type { Spec } from './records.ts';
import type { Duration } from './time.ts';

export type { Handler, JobContext, JobLog } from './context.ts';

/** What a job file says. Everything but `name` and `run` has a default, stated here. */
export interface JobDefinition<Schema extends StandardSchemaV1 = StandardSchemaV1> {
  /** Stable id: lower-case letters, digits and hyphens, at most 63. */
  readonly name: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  /**
   * Five cron fields, six with the second first, or a macro such as `@daily`; or several of such
   * texts. Without this, `every` and `at` the job runs only when asked to.
   */
  readonly schedule?: string | readonly string[];
  /** A period of at least a second, counted from midnight on 1 January 1970 in UTC. */
  readonly every?: Duration;
  /** One date and time: `2027-03-01T18:00` on the zone's clock, or with `Z` or an offset. */
  readonly at?: string;
  /** An IANA name; `UTC`. */
  readonly timeZone?: string;
  /** What becomes of an occurrence due while an earlier run is unfinished; `skip`. */
  readonly overlap?: 'skip' | 'queue' | 'replace' | { readonly allow: number };
  /** Which occurrences start after an outage; the latest, if it is younger than 1 h. */
  readonly catchUp?: {
    readonly runs: 'none' | 'latest' | 'all';
    readonly within?: Duration;
    /** The most that `all` starts; 10. */
    readonly max?: number;
  };
  /** How long one attempt may take; 10 min, or less where a request carries it. */
  readonly timeout?: Duration;
  /** How long an attempt is believed alive without a sign of life; the service's, 90 s. */
  readonly lease?: Duration;
  readonly retry?: {
    /** Counts the first try; 1, so no retry. */
    readonly attempts: number;
    /**
     * Delay before the next: `from` 10 s, times `factor` 2 each, up to `to` 5 min, ± `jitter` 0.1.
     */
    readonly backoff?: {
      readonly from?: Duration;
      readonly factor?: number;
      readonly to?: Duration;
      readonly jitter?: number;
    };
  };
  /**
   * What becomes of a run whose process died; `fail`. With `retry`, `retry.attempts` is 2 if not
   * given.
   */
  readonly onLost?: 'fail' | 'retry';
  /**
   * `true` runs the handler in a worker thread of its own, in a process of its own, for code that
   * blocks or must be stoppable by force. It may take 512 MiB of memory, or `memoryMb`; `false`.
   */
  readonly isolate?: boolean | { readonly memoryMb: number };
  /** Any Standard Schema validator: valibot, zod, … */
  readonly input?: Schema;
  /** The same for what the handler returns: what does not fit fails the attempt. */
  readonly output?: StandardSchemaV1;
  /** The handler, or a function that imports a module whose default export it is. */
  readonly run: Handler<StandardSchemaV1.InferOutput<Schema>> | (() => Promise<object>);
}

/** A definition with its defaults filled in, and whatever is wrong with it. */
export interface Job {
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** One text for all that names its occurrences, as `schedule-text.ts` has it. */
  readonly schedule: string | null;
  readonly timeZone: string;
  /** `leaseMs` is null where the service's own holds. */
  readonly spec: Omit<Spec, 'leaseMs'> & { readonly leaseMs: number | null };
  /** Whether its definition says a timeout; else the service may shorten it. */
  readonly timeoutGiven: boolean;
  /** Null where the handler runs beside the service itself. */
  readonly isolate: { readonly memoryMb: number } | null;
  readonly input: StandardSchemaV1 | undefined;
  readonly output: StandardSchemaV1 | undefined;
  readonly run: Handler;
  readonly problems: readonly Problem[];
}

export interface Problem {
  /** Where, as it stands in the definition: `retry.backoff.from`. */
  readonly field: string;
  readonly message: string;
}

/**
 * Describes one job. Never throws: what is wrong is collected, and the service reports the problems
 * of all its jobs at once before it starts.
 */
export function defineJob<Schema extends StandardSchemaV1>(
  definition: JobDefinition<Schema> & { readonly input: Schema },
): Job;
export function defineJob(definition: Omit<JobDefinition, 'input'>): Job;
export function defineJob(definition: unknown): Job {
  const job = checkDefinition(definition);
  made.add(job);
  return job;
}

const made = new WeakSet<object>();

/** True only for what `defineJob` returned. */
export const isJob = (value: unknown): value is Job =>
  typeof value === 'object' && value !== null && made.has(value);
