import type { Cancel, Clock, Instant } from '../../server/core/time.ts';
import { allSettled } from '../test-clock.ts';

/** What a process of a machine knows of time. Once killed, it hears of nothing any more. */
export interface ProcessClock extends Clock {
  kill(): void;
}

interface Timer {
  readonly due: number;
  readonly call: () => void;
  readonly of: object;
}

/**
 * A machine in virtual time, of which tests know the true one: its wall clock can be set, it sleeps,
 * it stands still, and it is restarted. All of its processes share its clocks; a process may see a
 * wall clock of its own, as one does that was started under a program that fakes the time.
 */
export class Machine {
  /** Since the test began. */
  #elapsed = 0;
  /** Of that, how long the monotonic clock stood still. */
  #slept = 0;
  #bootedAt = 0;
  #boots = 1;
  #aheadMs = 0;
  #timers: Timer[] = [];
  readonly #start: Instant;

  constructor(start: Instant) {
    this.#start = start;
  }

  /** The time that a clock shows that is right. */
  get now(): Instant {
    return this.#start + this.#elapsed;
  }

  get wall(): Instant {
    return this.now + this.#aheadMs;
  }

  get boot(): string {
    return `boot-${this.#boots}`;
  }

  clock({ offMs = 0 }: { readonly offMs?: number } = {}): ProcessClock {
    const of = {};
    let dead = false;
    return {
      monotonic: () => this.#awake - this.#bootedAt,
      wall: () => this.wall + offMs,
      after: (ms, call) => {
        if (dead) return () => undefined;
        return this.#add({ due: this.#awake + Math.max(0, ms), call, of });
      },
      kill: () => {
        dead = true;
        this.#timers = this.#timers.filter((timer) => timer.of !== of);
      },
    };
  }

  /** Somebody, or something, sets the wall clock. */
  setBy(ms: number): void {
    this.#aheadMs += ms;
  }

  setTo(at: Instant): void {
    this.#aheadMs = at - this.now;
  }

  setRight(): void {
    this.#aheadMs = 0;
  }

  /** It sleeps: nothing happens meanwhile, and the monotonic clock stands still. */
  sleepFor(ms: number): void {
    this.#elapsed += ms;
    this.#slept += ms;
  }

  /** It stands still, as a virtual machine may: nothing happens, and both clocks go on. */
  standFor(ms: number): void {
    this.#elapsed += ms;
  }

  /** It is started anew, after being off for so long. No process of it may be alive. */
  restart(offForMs: number): void {
    if (this.#timers.length > 0) throw new Error('a process outlived its machine');
    this.#elapsed += offForMs;
    this.#boots += 1;
    this.#bootedAt = this.#awake;
  }

  /** Lets time pass; what falls due is called in order, each followed by its consequences. */
  async pass(ms: number): Promise<void> {
    const until = this.#awake + ms;
    await allSettled();
    for (let next = this.#take(until); next !== undefined; next = this.#take(until)) {
      this.#elapsed = Math.max(this.#elapsed, next.due + this.#slept);
      next.call();
      await allSettled();
    }
    this.#elapsed = until + this.#slept;
  }

  get #awake(): number {
    return this.#elapsed - this.#slept;
  }

  #add(timer: Timer): Cancel {
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  #take(until: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.due <= until && (first === undefined || timer.due < first.due)) first = timer;
    }
    if (first !== undefined) this.#timers = this.#timers.filter((other) => other !== first);
    return first;
  }
}
