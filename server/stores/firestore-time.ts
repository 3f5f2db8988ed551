import { momentOf, type Moment } from '../core/held.ts';
import type { StoreTime } from '../core/store.ts';
import type { Clock, Instant } from '../core/time.ts';
import type { Timestamp } from './firestore-types.ts';
import { instantOf } from './firestore-values.ts';

/** A reply this old is not reckoned from any more. */
const RECKONED_FOR_MS = 60_000;
/** Two clocks that differ by as much tell of a sleep, or of one that was set. */
const APART_MS = 1000;
/** By so much of itself a clock may run too fast, and still nothing is thought later than it is. */
const MOST_DRIFT = 0.01;

/** What is known of the store's time: it comes with each reply, and is reckoned on from there. */
export class StoreTimes {
  readonly #clock: Clock;
  #last: Instant = -Infinity;
  #at: Moment | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The time that came with a reply. */
  learn(time: Timestamp): StoreTime {
    const storeNow = Math.max(this.#last, instantOf(time));
    this.#last = storeNow;
    this.#at = momentOf(this.#clock);
    return { storeNow, unsteady: null };
  }

  /** The store's time by now, rather too early than too late; undefined where nobody can say. */
  reckoned(): Instant | undefined {
    const elapsed = this.#elapsed();
    return elapsed === undefined ? undefined : this.#last + Math.floor(elapsed * (1 - MOST_DRIFT));
  }

  /** A guess that is rather too late. No decision may go by it. */
  guess(): Instant {
    return Math.max(this.#clock.wall(), this.#last + (this.#elapsed() ?? 0));
  }

  #elapsed(): number | undefined {
    if (this.#at === undefined) return undefined;
    const monotonic = this.#clock.monotonic() - this.#at.monotonic;
    const wall = this.#clock.wall() - this.#at.wall;
    const sane = Math.abs(wall - monotonic) < APART_MS;
    return sane && monotonic < RECKONED_FOR_MS ? monotonic : undefined;
  }
}
