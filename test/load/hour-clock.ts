import type { Clock, Instant } from '../../server/core/time.ts';
import { Random } from '../simulation/random.ts';
import { Timeline } from '../simulation/timeline.ts';
import { allSettled } from '../test-clock.ts';

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
      do await allSettled();
      while (timeline.step(ms));
      timeline.now = ms;
    },
  };
}
