import { sleep, type Clock } from '../core/time.ts';

/** Another process holds the file for so long only if something is wrong with it. */
export const BUSY_LIMIT_MS = 5000;
const SHORTEST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 50;

/** Waits for another process without blocking this one, longer each time. */
export class Patience {
  readonly #clock: Clock;
  #pauseMs = SHORTEST_PAUSE_MS;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async pause(): Promise<void> {
    await wakefully(sleep(this.#clock, this.#pauseMs));
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

/** The clock's timers let a process end; one that is about to write must not end before it did. */
async function wakefully(wait: Promise<void>): Promise<void> {
  const alive = setInterval(() => {}, BUSY_LIMIT_MS);
  await wait.finally(() => clearInterval(alive));
}
