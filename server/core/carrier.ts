import type { Clock } from './time.ts';

/*
 * Where a handler's CPU comes from. On a machine of one's own the process lives on, and carries
 * whatever it starts. An instance on App Engine or Cloud Run has CPU while a request is open, so
 * there a handler runs inside one, and must be over before the platform ends it.
 */

/** What carries the runs of one wake-up: for how long, and how many at once. */
export interface Carrier {
  /** Whether it can take one more run that may last so long. A no is remembered. */
  takes(timeoutMs: number): boolean;
  take(): void;
  give(): void;
  /** How long a run in it may still go on; Infinity where nothing ends it. */
  leftMs(): number;
}

/** The process itself: it does not end before its runs do. */
export const PROCESS: Carrier = {
  takes: () => true,
  take: () => undefined,
  give: () => undefined,
  leftMs: () => Infinity,
};

/** Nothing: what is due is decided and recorded, but nothing starts. */
export const NOTHING: Carrier = { ...PROCESS, takes: () => false, leftMs: () => 0 };

/** What it takes to put an end on record, and to answer. */
export const ENDING_MS = 5000;

/** An open request. */
export class RequestCarrier implements Carrier {
  readonly #clock: Clock;
  readonly #endsAt: number;
  readonly #atOnce: number;
  #taken = 0;
  /** Whether a run was turned away only because others were at work: it fits when they are done. */
  #turnedAway = false;
  #given = Promise.withResolvers<void>();

  constructor(clock: Clock, open: { readonly forMs: number; readonly atOnce: number }) {
    this.#clock = clock;
    this.#endsAt = clock.monotonic() + open.forMs;
    this.#atOnce = open.atOnce;
  }

  takes(timeoutMs: number): boolean {
    if (timeoutMs > this.leftMs()) return false;
    if (this.#taken < this.#atOnce) return true;
    this.#turnedAway = true;
    return false;
  }

  take(): void {
    this.#taken += 1;
  }

  give(): void {
    this.#taken -= 1;
    this.#given.resolve();
    this.#given = Promise.withResolvers();
  }

  /** How many are at work in it. */
  get taken(): number {
    return this.#taken;
  }

  /** Resolves when the next of those at work is done. */
  next(): Promise<void> {
    return this.#given.promise;
  }

  leftMs(): number {
    return Math.max(0, this.#endsAt - this.#clock.monotonic());
  }

  /** Forgets who was turned away: the next wake-up asks again. */
  askAgain(): boolean {
    const again = this.#turnedAway;
    this.#turnedAway = false;
    return again;
  }
}
