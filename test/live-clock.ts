import { systemClock } from '../server/process/clock.ts';
import type { TestClock } from './test-clock.ts';

/** The machine's clock where a test has no use for one of its own: it goes by itself. */
export const liveClock: TestClock = {
  ...systemClock,
  advance: () => Promise.resolve(),
  setWall: () => undefined,
};
