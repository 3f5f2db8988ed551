import { blankRun } from '../../server/core/blank-run.ts';
import type { DecisionContext } from '../../server/core/draft.ts';
import { foldRuns } from '../../server/core/fold.ts';
import { defineJob, type Job, type JobDefinition } from '../../server/core/job.ts';
import type { AttemptOutcome, JobRecord, Run } from '../../server/core/records.ts';
import { bareEnding } from '../../server/core/settle.ts';
import { stampJob, stampRun } from '../../server/core/stamp.ts';
import type { Event, Stepped } from '../../server/core/event.ts';
import { step } from '../../server/core/step.ts';
import { timing } from '../../server/core/time.ts';

/** An instant on 2 March 2026: `at('05:00')`, or with seconds, or a whole date. */
export function at(text: string): number {
  const full = text.includes('T') ? text : `2026-03-02T${text}`;
  return Date.parse(full.endsWith('Z') ? full : `${full}Z`);
}

const clock = (ms: number): string => new Date(ms).toISOString().slice(11, 16);

/**
 * One job driven by the pure decision function alone: no store, no clock, no handler. What it
 * decides is applied at once to a record and a history in memory.
 */
export class PureJob {
  record: JobRecord | undefined;
  readonly runs = new Map<string, Run>();
  readonly actions: string[] = [];
  readonly job: Job;
  upSince: number | null = null;
  unsteady: string | null = null;
  #attempts = 0;

  constructor(definition: Partial<JobDefinition>, registered: number) {
    this.job = jobOf(definition);
    this.define(definition, registered);
  }

  define(definition: Partial<JobDefinition>, now: number): Stepped {
    const { schedule, timeZone, spec } = jobOf(definition);
    const full = {
      name: 'job',
      namespace: 'default',
      schedule,
      timeZone,
      spec: { ...spec, leaseMs: spec.leaseMs ?? 90_000 },
      zoneData: 'test',
    };
    return this.#step({ kind: 'define', definition: full }, now, true);
  }

  /** A wake-up; gives the attempt that was granted, if any. */
  wake(now: number, canRun = true): string | undefined {
    const stepped = this.#step({ kind: 'wake' }, now, canRun);
    return stepped.kind === 'write' ? stepped.grant?.attemptId : undefined;
  }

  /** Wakes until nothing more is granted, each run ending as told after `ms`. */
  wakeAndRun(now: number, ms = 10, outcome: AttemptOutcome = 'succeeded'): number {
    let end = now;
    for (let attempt = this.wake(now); attempt !== undefined; attempt = this.wake(end)) {
      end += ms;
      this.finish(attempt, end, outcome, false);
    }
    return end;
  }

  finish(attemptId: string, now: number, outcome: AttemptOutcome = 'succeeded', next = true) {
    const error = outcome === 'succeeded' ? null : { name: 'Error', message: 'no', stack: null };
    const ending = bareEnding(outcome, error);
    const stepped = this.#step({ kind: 'finish', attemptId, ending }, now, next);
    return stepped.kind === 'write' ? stepped.grant?.attemptId : stepped;
  }

  send(event: Event, now: number, canRun = true): Stepped {
    return this.#step(event, now, canRun);
  }

  /** Asks for a run by hand. */
  manual(id: string, now: number, beside = false): Stepped {
    const run = {
      ...blankRun('job', `job!${id}`, { now, build: 'b' }),
      trigger: 'manual' as const,
    };
    return this.#step({ kind: 'manual', run, beside }, now, true);
  }

  /** The whole history, oldest first, a line each: `01:00–04:00 missed: outage (4)`. */
  history(): string[] {
    return [...this.runs.values()]
      .toSorted((a, b) => (a.range?.from ?? a.at) - (b.range?.from ?? b.at))
      .map((run) => {
        const reason = run.reason === null ? '' : `: ${run.reason}`;
        const { range } = run;
        if (range === null) return `${clock(run.at)} ${run.state}${reason}`;
        const span =
          range.from === range.to ? clock(range.to) : `${clock(range.from)}–${clock(range.to)}`;
        const count = range.count === 1 ? '' : ` (${range.atLeast ? '≥' : ''}${range.count})`;
        return `${span} ${run.state}${reason}${count}`;
      });
  }

  #step(event: Event, now: number, canRun: boolean): Stepped {
    const attemptId = `a${++this.#attempts}`;
    const ctx: DecisionContext = {
      now,
      unsteady: this.unsteady,
      timing: timing({ leaseMs: 90_000, tickMs: 60_000 }),
      build: 'test',
      namespace: 'default',
      random: 0.5,
      upSince: this.upSince,
      intentId: `i${this.#attempts}`,
      existing: new Set(),
      covered: undefined,
      offer: canRun ? { attemptId, owner: 'me', traceparent: 'trace' } : undefined,
    };
    const stepped = step(this.record, event, ctx);
    if (stepped.kind === 'write') this.#apply(stepped, now);
    return stepped;
  }

  #apply(stepped: Extract<Stepped, { kind: 'write' }>, now: number): void {
    this.record = stampJob(stepped.record, now);
    this.actions.push(...stepped.actions.map((action) => action.action));
    const made = new Set<string>();
    for (const change of stepped.runs) {
      if (change.kind === 'create') made.add(change.run.id);
      else if (change.set.state !== undefined && !made.has(change.id)) {
        const state = this.runs.get(change.id)?.state;
        if (state !== change.from) throw new Error(`${change.id} is ${state}, not ${change.from}`);
        made.add(change.id);
      }
    }
    const blank = (id: string): Run => blankRun('job', id, { now, build: 'test' });
    const { create, update } = foldRuns(stepped.runs, this.runs, blank);
    for (const run of create) {
      if (this.runs.has(run.id)) throw new Error(`run ${run.id} was created twice`);
      this.runs.set(run.id, stampRun(run, now));
    }
    for (const { id, set } of update) {
      const run = this.runs.get(id);
      if (run === undefined) throw new Error(`run ${id} is not there`);
      this.runs.set(id, stampRun({ ...run, ...set }, now));
    }
  }
}

function jobOf(definition: Partial<JobDefinition>): Job {
  const job = defineJob({ name: 'job', run: () => undefined, ...definition } as never);
  if (job.problems.length > 0) throw new Error(JSON.stringify(job.problems));
  return job;
}
