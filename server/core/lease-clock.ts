import type { Clock, Instant } from './time.ts';

/** A moment by both clocks. */
export interface Moment {
  readonly monotonic: number;
  readonly wall: Instant;
}

/**
 * Until when an attempt may believe in its lease: by both its clocks, counted from before the
 * request for it left, so that it stops before anybody else may think it dead. It is over by
 * whichever clock says so first: the monotonic one, and with it every timer, stands still in sleep.
 */
export class LeaseClock {
  readonly #clock: Clock;
  #ends: Moment;

  constructor(clock: Clock, ends: Moment) {
    this.#clock = clock;
    this.#ends = ends;
  }

  get ends(): Moment {
    return this.#ends;
  }

  set ends(ends: Moment) {
    this.#ends = ends;
  }

  /** By the monotonic clock; less than nothing when it is over. */
  leftMs(): number {
    return this.#ends.monotonic - this.#clock.monotonic();
  }

  isOver(): boolean {
    return this.leftMs() <= 0 || this.#clock.wall() >= this.#ends.wall;
  }
}

/** So long after a moment. */
export const after = ({ monotonic, wall }: Moment, ms: number): Moment => ({
  monotonic: monotonic + ms,
  wall: wall + ms,
});
