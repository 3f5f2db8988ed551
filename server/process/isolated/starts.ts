import { availableParallelism } from 'node:os';
import type { Cancel, Clock } from '../../core/time.ts';

/** Each keeps a processor busy: of more at once, each would wait for the others, and so do we. */
const AT_ONCE = availableParallelism();
/** One that takes longer keeps nobody waiting. */
const WITHIN_MS = 3000;

/** Lets few workers start at a time, and the others after them, in the order in which they came. */
export class Starts {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #starting = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Calls `begin` when it is its turn. To be told, by what it gives, when it has begun its work, or
   * is over, or not wanted any more.
   */
  enter(begin: () => void): () => void {
    let late: Cancel | undefined;
    let left = false;
    const leave = (): void => {
      if (left) return;
      left = true;
      if (this.#waiting.delete(go)) return;
      late?.();
      this.#starting -= 1;
      this.#later();
    };
    const go = (): void => {
      this.#starting += 1;
      late = this.#clock.after(WITHIN_MS, leave);
      begin();
    };
    this.#waiting.add(go);
    this.#later();
    return leave;
  }

  /** In a turn of its own: to start a process stops this one for as long. */
  #later(): void {
    this.#clock.after(0, () => this.#next());
  }

  #next(): void {
    const [first] = this.#waiting;
    if (first === undefined || this.#starting >= AT_ONCE) return;
    this.#waiting.delete(first);
    first();
  }
}
