import type { Clock } from '../core/time.ts';

/** Node's longest timer; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

// Kept from the start: a job that patches a global must not stop the clocks of all.
const { setTimeout, clearTimeout, setImmediate, clearImmediate } = globalThis;
const now = Date.now.bind(Date);
const { hrtime } = process;

/**
 * The machine's clocks. The monotonic one counts from the boot, so that processes of one boot may
 * compare their readings.
 */
export const systemClock: Clock = {
  monotonic: () => Number(hrtime.bigint() / 1000n) / 1000,
  wall: () => now(),
  after(ms, call) {
    // In the next turn of the loop, that is: a timer takes a whole millisecond at least.
    if (ms <= 0) {
      const turn = setImmediate(call);
      return () => clearImmediate(turn);
    }
    const timer = setTimeout(call, Math.min(ms, MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
};
