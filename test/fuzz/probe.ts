import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';

/*
 * Loaded into a server before anything of its own, and asked over the channel that a parent process
 * has with its child: how much it keeps in memory, and what is open.
 */

export interface Measured {
  /** What is still in use after all else was collected: objects and what their buffers hold. */
  readonly bytes: number;
  /** Connections, timers and whatever else keeps a process alive, by kind. */
  readonly resources: Readonly<Record<string, number>>;
  /** For how long at most nothing else could be done since the last time, in ms. */
  readonly blockedMs: number;
}

const delay = monitorEventLoopDelay({ resolution: 20 });
delay.enable();

async function measure(): Promise<Measured> {
  // What is only waiting for its turn to be let go of is gone by the second time.
  for (let turn = 0; turn < 3; turn++) {
    globalThis.gc?.();
    await pause(20);
  }
  const blockedMs = delay.max / 1e6;
  delay.reset();
  const { heapUsed, external } = process.memoryUsage();
  const kinds = Object.entries(Object.groupBy(process.getActiveResourcesInfo(), (kind) => kind));
  const resources = Object.fromEntries(kinds.map(([kind, all = []]) => [kind, all.length]));
  return { bytes: heapUsed + external, resources, blockedMs };
}

process.on('message', () => void measure().then((measured) => process.send?.(measured)));
// It must end as it would without anybody listening, and not outlive who has started it.
process.channel?.unref();
process.on('disconnect', () => process.exit());
