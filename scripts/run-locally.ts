import { tmpdir } from 'node:os';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobContext, JobLog, Job } from '../server/core/job.ts';
import { invoke, tracedFetch } from '../server/core/handler.ts';
import { BadInput, validateInput } from '../server/core/input.ts';
import { describeError, toOutput } from '../server/core/outcome.ts';
import { parseSchedule, nextAfter, previousBefore } from '../server/core/schedule.ts';
import { newTraceparent } from '../server/core/trace.ts';

/**
 * Runs a job's handler in this process as a plain function: no server, no store, no lease. Its log
 * goes to the terminal, Ctrl-C aborts its signal. Gives 0 when it succeeded and 1 when it did not.
 */
export async function runLocally(job: Job, given: unknown): Promise<number> {
  const abort = new AbortController();
  const timeout = setTimeout(() => abort.abort(new Error('timeout')), job.spec.timeoutMs);
  process.once('SIGINT', () => abort.abort(new Error('interrupted')));
  const scratch = new LocalScratch();
  const started = performance.now();
  const took = (): string => `${Math.round(performance.now() - started)} ms`;
  try {
    const input = await validateInput(job, given);
    const value = await invoke(job.run, contextOf(job, input, abort.signal, scratch));
    const output = toOutput(value);
    console.log(`${job.name} succeeded in ${took()}${output === null ? '' : `: ${output}`}`);
    return 0;
  } catch (error) {
    if (error instanceof BadInput) {
      for (const { path, message } of error.problems) console.error(`${path}: ${message}`);
      return 2;
    }
    const { name, message, stack } = describeError(error);
    console.error(stack ?? `${name}: ${message}`);
    console.error(`${job.name} failed after ${took()}: ${message}`);
    return 1;
  } finally {
    clearTimeout(timeout);
    await scratch.remove();
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
  const text = { schedule: job.schedule ?? '', timeZone: job.timeZone };
  const parsed = job.schedule === null ? undefined : parseSchedule(text, job.name);
  const schedule = parsed !== undefined && 'schedule' in parsed ? parsed.schedule : undefined;
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
    (text: string, fields?: Readonly<Record<string, unknown>>): void =>
      console.log(
        `${level.padEnd(5)} ${text}${fields === undefined ? '' : ` ${JSON.stringify(fields)}`}`,
      );
  const levels = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  return Object.assign(at('info'), levels);
}
