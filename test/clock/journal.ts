import type { Handler, JobContext } from '../../server/core/job.ts';
import type { Run } from '../../server/core/records.ts';
import { sleep, type Clock, type Instant } from '../../server/core/time.ts';
import type { Machine } from './machine.ts';

/** What one attempt did, told by its handler; in true time, or in the order of a file's lines. */
export interface Told {
  readonly process: string;
  readonly job: string;
  readonly run: string;
  readonly attempt: number;
  readonly fence: number;
  readonly trigger: string;
  readonly scheduledAt: Instant;
  readonly beganAt: Instant;
  /** Undefined while it is at work; where its process was killed, when that was. */
  endedAt: Instant | undefined;
  /** `done`, `failed`, `killed`, or why its signal fired. */
  how: string;
}

/** Who a handler works for. */
export interface Employer {
  readonly name: string;
  readonly clock: Clock;
  readonly alive: boolean;
}

/** What handlers did, so that it can be judged without asking the store. */
export class Journal {
  readonly all: Told[] = [];
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** A handler that works for so long, heeds its signal, and fails in its first `fails` attempts. */
  work(employer: Employer, ms: number, { fails = 0 }: { readonly fails?: number } = {}): Handler {
    return async ({ job, runId, signal, ...rest }: JobContext) => {
      const { attempt, fence, trigger, scheduledAt } = rest;
      const told: Told = {
        process: employer.name,
        job,
        run: runId,
        attempt,
        fence,
        trigger,
        scheduledAt,
        beganAt: this.#machine.now,
        endedAt: undefined,
        how: '',
      };
      this.all.push(told);
      await sleep(employer.clock, ms, signal);
      if (!employer.alive) return new Promise(() => undefined);
      told.endedAt = this.#machine.now;
      told.how = signal.aborted ? String(signal.reason.reason) : 'done';
      signal.throwIfAborted();
      if (attempt > fails) return undefined;
      told.how = 'failed';
      throw new Error('not this time');
    };
  }

  /** What a process had at work ended where it was killed. */
  killed(process: string): void {
    for (const told of this.all) {
      if (told.process !== process || told.endedAt !== undefined) continue;
      told.endedAt = this.#machine.now;
      told.how = 'killed';
    }
  }

  of(job: string): Told[] {
    return this.all.filter((told) => told.job === job);
  }

  /** How many handlers began in (from, to], in true time. */
  begun({ from, to }: { readonly from: Instant; readonly to: Instant }): number {
    return this.all.filter(({ beganAt }) => beganAt > from && beganAt <= to).length;
  }

  /** Where this and what is on record do not agree. */
  disagreements(runs: readonly Run[]): string[] {
    const found: string[] = [];
    const byId = new Map(runs.map((run) => [run.id, run]));
    const done = new Set<string>();
    for (const { run, attempt, fence, how } of this.all) {
      const stored = byId.get(run)?.attempts[attempt - 1];
      if (how === 'done') done.add(run);
      if (stored?.fence !== fence) found.push(`attempt ${attempt} of ${run} is not on record`);
      else if (stored.outcome === 'succeeded' && how !== 'done') {
        found.push(`attempt ${attempt} of ${run} succeeded, but its handler did not: ${how}`);
      }
    }
    for (const { id, state } of runs) {
      if (state === 'succeeded' && !done.has(id)) found.push(`${id} succeeded without a handler`);
    }
    return found;
  }
}

/**
 * Whatever breaks a promise, in words: a handler started twice for an attempt, or an occurrence; two
 * at work at once for a job, which has one slot; a fencing token that does not grow.
 */
export function problemsOf(all: readonly Told[]): string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  const runOf = new Map<string, string>();
  const before = new Map<string, Told[]>();
  for (const told of all) {
    const { job, run, attempt, fence, trigger, scheduledAt, beganAt } = told;
    const what = `attempt ${attempt} of ${run}`;
    if (seen.has(what)) found.push(`${what} was started twice`);
    seen.add(what);
    const occurrence = `${job} ${scheduledAt}`;
    const other = runOf.get(occurrence) ?? run;
    if (trigger === 'schedule' && other !== run) found.push(`${other} and ${run} are the same`);
    if (trigger === 'schedule') runOf.set(occurrence, run);
    const earlier = before.get(job) ?? [];
    if (earlier.some((one) => one.fence >= fence)) found.push(`${what} has an old token`);
    const atWork = earlier.filter((one) => (one.endedAt ?? Infinity) > beganAt);
    for (const one of atWork) found.push(`${what} began beside ${one.run}`);
    before.set(job, [...atWork, told]);
  }
  return found;
}
