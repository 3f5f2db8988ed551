import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';

export interface Holds {
  /** What is in use once all else is collected: objects, and what their buffers hold, in bytes. */
  readonly heap: number;
  /** What the system has given it, in bytes. */
  readonly rss: number;
  /**
   * What of that the engine keeps for objects to come. It takes more of it the more a machine is
   * asked to do at once, and gives it back when it likes.
   */
  readonly reserve: number;
  /** Timers, connections and whatever else keeps a process alive. */
  readonly handles: number;
  /** For how long at most nothing else could be done since the last time, in ms. */
  readonly blockedMs: number;
}

const delay = monitorEventLoopDelay({ resolution: 20 });
delay.enable();

/** What this process holds, once all is collected that can be. */
export async function hold(): Promise<Holds> {
  const blockedMs = delay.max / 1e6;
  // What is only waiting for its turn to be let go of is gone by the second time.
  for (let turn = 0; turn < 3; turn++) {
    globalThis.gc?.();
    await pause(20);
  }
  delay.reset();
  const { heapUsed, heapTotal, external, rss } = process.memoryUsage();
  const handles = process.getActiveResourcesInfo().length;
  return { heap: heapUsed + external, rss, reserve: heapTotal - heapUsed, handles, blockedMs };
}
