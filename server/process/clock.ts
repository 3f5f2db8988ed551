import type { Clock } from '../core/time.ts';

/** Node's longest timer; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

// Kept from the start: a job that patches a global must not stop the clocks of all.
const { setTimeout, clearTimeout } = globalThis;
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
    const timer = setTimeout(call, Math.min(Math.max(0, ms), MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
};
