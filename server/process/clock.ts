import type { Cancel, Clock } from '../core/time.ts';

/** Node's longest timer; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

// Kept from the start: a job that patches a global must not stop the clocks of all.
const { setTimeout, clearTimeout, setImmediate, clearImmediate } = globalThis;
const now = Date.now.bind(Date);
const { hrtime } = process;
const monotonic = (): number => Number(hrtime.bigint() / 1000n) / 1000;

/** A timer is late by less than this, nearly always. */
const COARSE_MS = 3;

/** Node's timer for the most of it; then turn by turn until the wall clock ticks, or no later. */
function afterExactly(ms: number, call: () => void): Cancel {
  const [wallEnd, end] = [now() + ms, monotonic() + ms];
  let turn: NodeJS.Immediate | undefined;
  const look = (): void => {
    if (now() >= wallEnd || monotonic() >= end) call();
    else turn = setImmediate(look);
  };
  const cancel = systemClock.after(ms - COARSE_MS, look);
  return () => {
    cancel();
    clearImmediate(turn);
  };
}

/**
 * The machine's clocks. The monotonic one counts from the boot, so that processes of one boot may
 * compare their readings.
 */
export const systemClock: Clock = {
  monotonic,
  wall: () => now(),
  after(ms, call, exact = false) {
    if (exact) return afterExactly(ms, call);
    // In the next turn of the loop, that is: a timer takes a whole millisecond at least.
    if (ms <= 0) {
      const turn = setImmediate(call);
      return () => clearImmediate(turn);
    }
    const timer = setTimeout(call, Math.min(ms, MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
};
