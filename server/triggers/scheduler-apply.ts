import { sleep, type Clock } from '../core/time.ts';
import { SchedulerError, type Scheduler } from './scheduler-job.ts';
import { planOf, SETTINGS, type Aims, type Plan, type Step } from './scheduler-plan.ts';

/*
 * Carries a plan out, then looks again: what others did meanwhile, and what an answer that never
 * came left open, is in the next plan. So nothing is remembered, and any end is a good one to begin
 * anew from.
 */

export interface Applied {
  /** How many steps were carried out. */
  readonly done: number;
  /** What was not taken, and why. */
  readonly failed: readonly { readonly step: Step; readonly why: string }[];
  /** What is still to be done. */
  readonly left: Plan;
}

export interface Progress {
  readonly step: Step;
  readonly n: number;
  readonly of: number;
  /** `lost`: it was not as expected, and is looked at again. */
  readonly outcome: 'done' | 'lost' | 'failed';
  readonly why: string | null;
}

interface Surroundings {
  readonly clock: Clock;
  /** Hears of each step that is over. */
  readonly onStep: (progress: Progress) => void;
  /** Hears of each call that is made again, after so long. */
  readonly onRetry: (why: string, afterMs: number) => void;
}

/** Cloud Scheduler takes 500 changes a minute of a project; others may want some. */
const CHANGES_A_MINUTE = 300;
/** Looking again helps against others' changes, and two such commands at once do end. */
const ROUNDS = 3;
/** The longest pauses add up to a minute, when the quota is anew. */
const TRIES = 7;
const FIRST_PAUSE_MS = 1000;

/**
 * Carries out `plan`, which was made from `aims`. Throws `SchedulerError` where it can't go on, and
 * what is done is done: the same again goes on from there.
 */
export async function applyPlan(
  scheduler: Scheduler,
  plan: Plan,
  aims: Aims,
  surroundings: Surroundings,
): Promise<Applied> {
  const failed = new Map<string, { step: Step; why: string }>();
  let done = 0;
  let left = plan;
  for (let round = 1; round <= ROUNDS; round += 1) {
    // What was not taken once is not taken again.
    const steps = left.steps.filter(({ kind, id }) => kind !== 'blocked' && !failed.has(id));
    if (steps.length === 0) break;
    for (const [i, step] of steps.entries()) {
      const told = { step, n: i + 1, of: steps.length };
      try {
        const won = await carryOut(scheduler, step, surroundings);
        if (won) done += 1;
        surroundings.onStep({ ...told, outcome: won ? 'done' : 'lost', why: null });
      } catch (error) {
        if (!(error instanceof SchedulerError) || error.kind !== 'invalid') throw error;
        failed.set(step.id, { step, why: error.message });
        surroundings.onStep({ ...told, outcome: 'failed', why: error.message });
      }
    }
    left = planOf(await steadily(() => scheduler.list(), surroundings), aims);
  }
  return { done, failed: [...failed.values()], left };
}

/** False where something was not as the plan had found it. */
async function carryOut(scheduler: Scheduler, step: Step, around: Surroundings): Promise<boolean> {
  const call = async (change: () => Promise<boolean>): Promise<boolean> => {
    await sleep(around.clock, 60_000 / CHANGES_A_MINUTE);
    return await steadily(change, around);
  };
  const { id } = step;
  switch (step.kind) {
    case 'create':
      return await call(() => scheduler.create(id, step.settings));
    case 'replace':
      await call(() => scheduler.delete(id));
      return await call(() => scheduler.create(id, step.settings));
    case 'update': {
      const changed = step.changes.map(({ setting }) => setting);
      const named = step.why === null ? changed : SETTINGS;
      return await call(() => scheduler.update(id, step.settings, named));
    }
    case 'pause':
      return await call(() => scheduler.pause(id));
    case 'resume':
      return await call(() => scheduler.resume(id));
    case 'delete':
      return await call(() => scheduler.delete(id));
    case 'blocked':
      return false;
  }
}

/** Makes a call again, after longer and longer pauses, while what ends it is passing. */
export async function steadily<Value>(
  call: () => Promise<Value>,
  { clock, onRetry }: Pick<Surroundings, 'clock' | 'onRetry'>,
): Promise<Value> {
  for (let pauseMs = FIRST_PAUSE_MS, tries = 1; ; pauseMs *= 2, tries += 1) {
    try {
      return await call();
    } catch (error) {
      const passing = error instanceof SchedulerError && error.kind === 'passing';
      if (!passing || tries === TRIES) throw error;
      onRetry(error.message, pauseMs);
      await sleep(clock, pauseMs);
    }
  }
}
