import { has, named, type Load } from './packages.ts';
import { collect, fineClock, type EverySecond } from './peer.ts';

/** Timers in this process, which keep no record: what is due while it is down is forgotten. */

const EVERY_SECOND = '* * * * * *';
const HOW = 'a timer in the process, nothing on record';

interface Croner {
  readonly Cron: new (text: string, call: () => void) => { stop(): void };
}

interface NodeCron {
  readonly schedule: (text: string, call: () => void) => { destroy(): unknown };
}

const isCroner = (module: unknown): module is Croner => has(module, ['Cron']);
const isNodeCron = (module: unknown): module is NodeCron => has(module, ['schedule']);

export function cronerEverySecond(load: Load): EverySecond {
  const { Cron } = load('croner', isCroner);
  return everySecond(named('croner'), (call) => {
    const job = new Cron(EVERY_SECOND, call);
    return () => job.stop();
  });
}

export function nodeCronEverySecond(load: Load): EverySecond {
  const { schedule } = load('node-cron', isNodeCron);
  return everySecond(named('node-cron'), (call) => {
    const job = schedule(EVERY_SECOND, call);
    return () => job.destroy();
  });
}

function everySecond(name: string, begin: (call: () => void) => () => unknown): EverySecond {
  return {
    name,
    how: HOW,
    async lateness(count) {
      const now = fineClock();
      const { take, all } = collect(count);
      // For which second it is meant they don't say; a timer fires close to it, if before it.
      const end = begin(() => take(now() - Math.round(now() / 1000) * 1000));
      try {
        return await all;
      } finally {
        await end();
      }
    },
  };
}
