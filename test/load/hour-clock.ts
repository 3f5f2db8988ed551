import { setImmediate } from 'node:timers/promises';
import type { Clock, Instant } from '../../server/core/time.ts';
import { Random } from '../simulation/random.ts';
import { Timeline } from '../simulation/timeline.ts';

/** Time that passes as fast as the work in it is done. */
export interface FastClock {
  readonly clock: Clock;
  /** How many timers are waiting. */
  readonly waiting: number;
  /** Moves on to so many ms since the start; what falls due is called in order. */
  driveTo(ms: number): Promise<void>;
}

export function fastClock(start: Instant): FastClock {
  const timeline = new Timeline(new Random('ties'));
  const waiting = new Set<() => void>();
  const clock: Clock = {
    monotonic: () => timeline.now,
    wall: () => start + timeline.now,
    after(ms, call) {
      const fire = (): void => {
        waiting.delete(fire);
        call();
      };
      waiting.add(fire);
      const takeBack = timeline.add(timeline.now + ms, fire);
      return () => {
        waiting.delete(fire);
        takeBack();
      };
    },
  };
  return {
    clock,
    get waiting() {
      return waiting.size;
    },
    async driveTo(ms) {
      do await settled();
      while (timeline.step(ms));
      timeline.now = ms;
    },
  };
}

/** Until all that needs no time has gone on, requests included: a write takes a turn or two. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await setImmediate();
}
