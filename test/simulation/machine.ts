import type { Timeline } from './timeline.ts';

/** When simulated time begins: every instant of a store is this plus true time. */
export const EPOCH = Date.UTC(2026, 2, 1);

/** A machine's clocks: they may run too fast or slow, be set, and stand still in its sleep. */
export class Machine {
  readonly name: string;
  readonly #timeline: Timeline;
  readonly #rate: number;
  #setBy: number;
  #sleptMs = 0;
  #asleepSince: number | undefined;
  #wakesAt = -Infinity;

  constructor(name: string, timeline: Timeline, clock: { rate: number; offMs: number }) {
    this.name = name;
    this.#timeline = timeline;
    this.#rate = clock.rate;
    this.#setBy = clock.offMs;
  }

  monotonic(): number {
    const { now } = this.#timeline;
    const asleep = this.#asleepSince === undefined ? 0 : now - this.#asleepSince;
    return (now - this.#sleptMs - asleep) * this.#rate;
  }

  wall(): number {
    return EPOCH + this.#setBy + this.#timeline.now * this.#rate;
  }

  /** True time until the monotonic clock shows `at`, if the machine stays awake. */
  until(at: number): number {
    return (at - this.monotonic()) / this.#rate;
  }

  setBy(ms: number): void {
    this.#setBy += ms;
  }

  /** When a machine that sleeps is awake again, or when it last was; before all, if it never slept. */
  get lastAwakeAt(): number {
    return this.#wakesAt;
  }

  sleepFor(ms: number): void {
    if (this.#asleepSince !== undefined) return;
    this.#asleepSince = this.#timeline.now;
    this.#wakesAt = this.#timeline.now + ms;
    this.#timeline.add(this.#wakesAt, () => this.wake());
  }

  wake(): void {
    if (this.#asleepSince === undefined) return;
    this.#sleptMs += this.#timeline.now - this.#asleepSince;
    this.#asleepSince = undefined;
  }
}
