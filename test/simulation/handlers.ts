import { Aborted, type AbortReason } from '../../server/core/abort.ts';
import type { JobContext } from '../../server/core/context.ts';
import { defineJob, type Job } from '../../server/core/job.ts';
import { sleep } from '../../server/core/time.ts';
import type { SimulatedProcess } from './process.ts';
import { Random } from './random.ts';
import type { HandlerRates, SimulatedJob } from './setting.ts';
import type { World } from './world.ts';

/** One call of a handler, from its start until it settles or its process ends. */
export interface Live {
  readonly job: string;
  readonly runId: string;
  readonly fence: number;
  readonly attempt: number;
  readonly process: SimulatedProcess;
  readonly signal: AbortSignal;
  /** Stops at once when its signal says so. */
  readonly heeds: boolean;
  readonly startedAt: number;
}

export const reasonOf = (live: Live): AbortReason | undefined => {
  const { reason }: { reason: unknown } = live.signal;
  return reason instanceof Aborted ? reason.reason : undefined;
};

/** What a process of a build has in its code. */
export function jobsOf(world: World, process: SimulatedProcess): Job[] {
  const jobs = world.setting.builds[process.build] ?? [];
  return jobs.map((job) => jobOf(world, process, job));
}

function jobOf(world: World, process: SimulatedProcess, job: SimulatedJob): Job {
  const made = defineJob({ ...job, run: (context) => handle(world, process, context) });
  if (made.problems.length > 0) throw new Error(JSON.stringify(made.problems));
  return made;
}

export type Behaviour = keyof HandlerRates;

/** What the handler of a given attempt does, whichever process runs it. */
async function handle(world: World, process: SimulatedProcess, context: JobContext) {
  const { runId, attempt } = context;
  const random = new Random(`${world.setting.seed}/${runId}/${attempt}`);
  const behaviour = world.behaviourOf(context, random);
  const heeds = behaviour !== 'linger' && behaviour !== 'ignore';
  const live: Live = {
    job: context.job,
    runId,
    fence: context.fence,
    attempt,
    process,
    signal: context.signal,
    heeds,
    startedAt: world.now,
  };
  world.witness.handlerStarted(live);
  let threw = true;
  try {
    const output = await behave(world, process, context, { behaviour, random });
    threw = false;
    return output;
  } finally {
    world.witness.handlerEnded(live, threw);
  }
}

interface Part {
  readonly behaviour: Behaviour;
  readonly random: Random;
}

async function behave(
  world: World,
  process: SimulatedProcess,
  context: JobContext,
  { behaviour, random }: Part,
): Promise<unknown> {
  const { signal, log } = context;
  const { clock } = process;
  const heed = async (ms: number): Promise<void> => {
    await sleep(clock, ms, signal);
    signal.throwIfAborted();
  };
  if (random.chance(0.2)) log(`begins to ${behaviour}`);
  if (random.chance(0.1)) await context.scratch();
  if (random.chance(0.1)) context.progress(1, 2);
  switch (behaviour) {
    case 'quick':
      await heed(random.between(0, 1000));
      return { ended: true };
    case 'work':
      await heed(random.between(0, 20_000));
      return undefined;
    case 'long':
      await heed(random.between(0, 3 * world.setting.leaseMs));
      return 'done';
    case 'toTheMinute': {
      const minutes = 1 + random.below(3);
      const end = Math.ceil((world.now + 1) / 60_000) * 60_000 + (minutes - 1) * 60_000;
      await heed(end - world.now);
      return minutes;
    }
    case 'fail':
      await heed(random.between(0, 5000));
      throw new Error('it did not work out');
    case 'hang':
      await Promise.race([heed(Infinity), world.calmed]);
      return undefined;
    case 'linger': {
      await sleep(clock, random.between(0, 2 * world.setting.leaseMs), signal);
      await sleep(clock, random.between(0, 20_000));
      return 'after all';
    }
    case 'ignore':
      await world.healed(process, random.between(0, 4 * world.setting.leaseMs));
      return 'never looked up';
    case 'block':
      await heed(random.between(0, 2000));
      process.standStill(random.between(0, 2.5 * world.setting.leaseMs));
      await sleep(clock, 0);
      return undefined;
  }
}
