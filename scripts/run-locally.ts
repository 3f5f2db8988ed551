import { visibleJson } from '../server/core/unseen.ts';
import { tmpdir } from 'node:os';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobContext, JobLog, Job } from '../server/core/job.ts';
import { invoke, tracedFetch } from '../server/core/handler.ts';
import { BadInput, validateInput } from '../server/core/input.ts';
import { describeError } from '../server/core/outcome.ts';
import { readOutput } from '../server/core/output.ts';
import { nextAfter, previousBefore, scheduleOfJob } from '../server/core/schedule.ts';
import { newTraceparent } from '../server/core/trace.ts';
import { inTheNameOf, type Culprit } from '../server/core/culprit.ts';
import { systemClock } from '../server/process/clock.ts';
import { guardProcess } from '../server/process/guard.ts';
import { visible } from '../views/html.ts';

/** A handler that heeds its signal has stopped by then. */
const OVERDUE_AFTER_MS = 1000;

/**
 * Runs a job's handler in this process as a plain function: no server, no store, no lease. Its log
 * goes to the terminal, Ctrl-C aborts its signal. What would fail it in the service fails it here.
 * Gives 0 when it succeeded, 1 when it did not, 2 for an input that does not fit.
 */
export async function runLocally(job: Job, given: unknown): Promise<0 | 1 | 2> {
  const attempt = new LocalAttempt(job);
  const free = guardProcess(terminalServiceLog, () => process.exit(1));
  const started = performance.now();
  const took = (): string => `${Math.round(performance.now() - started)} ms`;
  try {
    const input = await validateInput(job, given, systemClock);
    const output = await attempt.run(input);
    console.log(
      `${job.name} succeeded in ${took()}${output === null ? '' : `: ${visibleJson(output)}`}`,
    );
    return 0;
  } catch (error) {
    if (error instanceof BadInput) {
      for (const { path, message } of error.problems) {
        console.error(visible(`${path}: ${message}`));
      }
      return 2;
    }
    const { name, message, stack } = describeError(error);
    console.error(visible(stack ?? `${name}: ${message}`));
    console.error(visible(`${job.name} failed after ${took()}: ${message}`));
    return 1;
  } finally {
    await attempt.end();
    free();
  }
}

const terminalServiceLog = (_level: string, event: string, fields?: object): void =>
  console.error(event, fields ?? '');

/** One attempt without a lease: its signal, its scratch folder, and what it must answer for. */
class LocalAttempt implements Culprit {
  readonly #job: Job;
  readonly #abort = new AbortController();
  readonly #scratch = new LocalScratch();
  readonly #timers: NodeJS.Timeout[] = [];
  #stray: Error | undefined;

  constructor(job: Job) {
    this.#job = job;
  }

  async run(input: unknown): Promise<string | null> {
    const { timeoutMs } = this.#job.spec;
    const timeUp = `took longer than its timeout of ${timeoutMs} ms`;
    this.#timers.push(setTimeout(() => this.#stop(timeUp), timeoutMs));
    process.on('SIGINT', this.#interrupt);
    const context = contextOf(this.#job, input, this.#abort.signal, this.#scratch);
    const value = await inTheNameOf(this, () => invoke(this.#job.run, context)).catch(
      (error: unknown) => {
        throw this.#stray ?? error;
      },
    );
    // A promise that the handler left behind rejects within this turn.
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (this.#stray !== undefined) throw this.#stray;
    if (this.#abort.signal.aborted) throw this.#abort.signal.reason;
    return (await readOutput(this.#job, value, systemClock)).text;
  }

  fail(error: unknown, how: string): void {
    const { message, stack } = describeError(error);
    this.#stray ??= Object.assign(new Error(`${how}: ${message}`), { stack: stack ?? '' });
    this.#stop(this.#stray.message);
  }

  async end(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    process.off('SIGINT', this.#interrupt);
    await this.#scratch.remove();
  }

  readonly #interrupt = (): void => {
    if (this.#abort.signal.aborted) process.exit(130);
    this.#stop('interrupted at the terminal');
  };

  #stop(why: string): void {
    if (this.#abort.signal.aborted) return;
    inTheNameOf(this, () => this.#abort.abort(new Error(why)));
    const overdue = (): void => {
      console.error(`${this.#job.name}: ${why}, but its handler has not stopped; Ctrl-C ends it`);
    };
    this.#timers.push(setTimeout(overdue, OVERDUE_AFTER_MS));
  }
}

class LocalScratch {
  #made: Promise<string> | undefined;

  path(): Promise<string> {
    return (this.#made ??= mkdtemp(join(tmpdir(), 'punctual-run-')));
  }

  async remove(): Promise<void> {
    if (this.#made !== undefined) await rm(await this.#made, { recursive: true, force: true });
  }
}

function contextOf(
  job: Job,
  input: unknown,
  signal: AbortSignal,
  scratch: LocalScratch,
): JobContext {
  const now = Date.now();
  const schedule = scheduleOfJob(job);
  const traceparent = newTraceparent({ random: Math.random });
  return {
    job: job.name,
    runId: `${job.name}!local`,
    input,
    scheduledAt: now,
    previousScheduledAt: schedule && previousBefore(schedule, now),
    nextScheduledAt: schedule && nextAfter(schedule, now),
    trigger: 'manual',
    attempt: 1,
    fence: now,
    idempotencyKey: `${job.name}!local-${now}`,
    signal,
    log: terminalLog(),
    progress: (done, total) =>
      console.log(`progress: ${done}${total === undefined ? '' : ` of ${total}`}`),
    scratch: () => scratch.path(),
    fetch: tracedFetch(traceparent, signal),
    traceparent,
  };
}

function terminalLog(): JobLog {
  const at =
    (level: string) =>
    (text: string, fields?: Readonly<Record<string, unknown>>): void => {
      const more = fields === undefined ? '' : ` ${JSON.stringify(fields)}`;
      console.log(visible(`${level.padEnd(5)} ${text}${more}`));
    };
  const levels = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  return Object.assign(at('info'), levels);
}
