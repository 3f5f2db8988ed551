import type { Cell } from './section.ts';

/** Odd, so that the middle one is a round that was measured. */
const ROUNDS = 5;
/** A round this long is told from another by more than the clock's own steps. */
const BATCH_MS = 10;
const WARM_UP_MS = 25;
/** However fast a case is, its warm-up ends. */
const TIMES_LIMIT = 2 ** 30;

/** Does what is measured so many times. Throws the reason where there can be no figure. */
export type Case = (times: number) => void;

/** Stands for what can't be measured, with the reason. */
export const noFigure = (why: string) => (): never => {
  throw new Error(why);
};

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/**
 * How often each case is done in a second: the median of some rounds, in which all cases take
 * turns, so that what slows the machine for a while slows no case more than the others.
 */
export function rates(cases: readonly Case[], warmUpMs = WARM_UP_MS): Cell[] {
  const entries = cases.map((run) => {
    const times = attempt(() => warmUp(run, warmUpMs));
    return { run, times, found: [] as Cell[] };
  });
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { run, times, found } of entries) {
      found.push(
        typeof times === 'string' ? times : attempt(() => (times / elapsed(run, times)) * 1000),
      );
    }
  }
  return entries.map(
    ({ found }) =>
      found.find((cell) => typeof cell === 'string') ??
      median(found.filter((cell) => typeof cell === 'number')),
  );
}

/** Runs until the engine has had its chance; gives how many times make a batch. */
function warmUp(run: Case, warmUpMs: number): number {
  let times = 1;
  let spentMs = 0;
  while (times < TIMES_LIMIT) {
    const ms = elapsed(run, times);
    spentMs += ms;
    if (ms >= BATCH_MS && spentMs >= warmUpMs)
      return Math.max(1, Math.round((times * BATCH_MS) / ms));
    if (ms < BATCH_MS) times *= 2;
  }
  return times;
}

function elapsed(run: Case, times: number): number {
  const before = performance.now();
  run(times);
  return performance.now() - before;
}

function attempt(measure: () => number): Cell {
  try {
    return measure();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
