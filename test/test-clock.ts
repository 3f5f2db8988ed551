import type { Clock, Instant } from '../server/core/time.ts';

/** A clock that stands still until told otherwise. */
export interface TestClock extends Clock {
  /** Moves both clocks on; what falls due is called in order, each followed by its consequences. */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock alone, as an operator or a machine waking from sleep does. */
  setWall(at: Instant): void;
}

export const TEST_START: Instant = Date.UTC(2026, 2, 1);

export function testClock(start: Instant = TEST_START): TestClock {
  let elapsed = 0;
  let wallOffset = start;
  let timers: { readonly due: number; readonly call: () => void }[] = [];
  const take = (until: number) => {
    const next = timers.filter(({ due }) => due <= until).toSorted((a, b) => a.due - b.due)[0];
    timers = timers.filter((timer) => timer !== next);
    return next;
  };
  return {
    monotonic: () => elapsed,
    wall: () => wallOffset + elapsed,
    after(ms, call) {
      const timer = { due: elapsed + Math.max(0, ms), call };
      timers = [...timers, timer];
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    async advance(ms) {
      const until = elapsed + ms;
      await settled();
      for (let next = take(until); next !== undefined; next = take(until)) {
        elapsed = Math.max(elapsed, next.due);
        next.call();
        await settled();
      }
      elapsed = until;
    },
    setWall(at) {
      wallOffset = at - elapsed;
    },
  };
}

/**
 * From now on the process is held up by so much just before the nth reading of its clocks, as a busy
 * machine may hold it up anywhere. Gives how many readings there were so far.
 */
export function holdUp(clock: TestClock, nth: number, ms: number): () => number {
  let [readings, heldUpMs] = [0, 0];
  const late = (reading: () => number) => (): number => {
    if (readings++ === nth) heldUpMs = ms;
    return reading() + heldUpMs;
  };
  const before = { ...clock };
  const monotonic = late(() => before.monotonic());
  Object.assign(clock, { monotonic, wall: late(() => before.wall()) });
  return () => readings;
}

/** What came of a process that was held up: how often it read its clocks, and when it started. */
interface HeldUp {
  readonly readings: number;
  /** As `00:01:00.000`. */
  readonly at: string;
}

/**
 * Holds one up at each of its readings in turn. Gives how many there are without, and those that
 * did not start between `earliest` and `latest` for it.
 */
export async function holdUpAnywhere(
  heldUpAt: (nth: number) => Promise<HeldUp>,
  { earliest, latest }: { readonly earliest: string; readonly latest: string },
) {
  const { readings } = await heldUpAt(Infinity);
  const others: unknown[] = [];
  for (let nth = 0; nth < readings; nth++) {
    // oxlint-disable-next-line no-await-in-loop -- one process after the other
    const { at } = await heldUpAt(nth);
    if (at < earliest || at > latest) others.push({ nth, at });
  }
  return { readings, others };
}

/** The machine's own clock, for what spans processes. */
export const realClock: Clock = {
  monotonic: () => Number(process.hrtime.bigint() / 1000n) / 1000,
  wall: () => Date.now(),
  after(ms, call) {
    const timer = setTimeout(call, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Until all promises that can go on have gone on. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Until all that needs no time has gone on, on a real file, too: a write takes a turn or two. */
export async function allSettled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await settled();
}
