import { sleep, type Clock } from './time.ts';

/** Lets timers and requests have their turn: with a store in this process nothing else waits. */
export const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** So a quarter of the time is taken, of this process and of the disk. */
const REST_TIMES = 3;
/** However slow the machine is just now, long work goes on. */
const LONGEST_REST_MS = 200;

/**
 * Does a part of long work that nobody waits for, and then rests for longer than that took: who
 * comes meanwhile waits for one part at most, and where all are slow there is more rest.
 */
export async function gently<Result>(clock: Clock, part: () => Promise<Result>): Promise<Result> {
  const begunAt = clock.monotonic();
  const result = await part();
  const tookMs = clock.monotonic() - begunAt;
  if (tookMs > 0) await sleep(clock, Math.min(tookMs * REST_TIMES, LONGEST_REST_MS));
  else await breathe();
  return result;
}
