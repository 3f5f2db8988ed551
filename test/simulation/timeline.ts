import type { Random } from './random.ts';

/** What is to happen at an instant of true time, in ms since the simulation began. */
interface Entry {
  readonly at: number;
  readonly tie: number;
  call: (() => void) | undefined;
}

/** The one order of all that happens. Events of one instant come in an order the seed draws. */
export class Timeline {
  now = 0;
  readonly #heap: Entry[] = [];
  readonly #ties: Random;

  constructor(ties: Random) {
    this.#ties = ties;
  }

  /** Gives a way to take it back. */
  add(at: number, call: () => void): () => void {
    const entry: Entry = { at: Math.max(at, this.now), tie: this.#ties.next(), call };
    this.#push(entry);
    return () => (entry.call = undefined);
  }

  /** Moves time on to the next event and has it happen; false if there is none up to `until`. */
  step(until: number): boolean {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.at > until) return false;
      this.#pop();
      const { call } = first;
      if (call === undefined) continue;
      this.now = first.at;
      call();
      return true;
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(entry);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || before(above, entry)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let i = 0;
    for (;;) {
      const left = heap[2 * i + 1];
      if (left === undefined) break;
      const right = heap[2 * i + 2];
      const [child, at] =
        right !== undefined && before(right, left) ? [right, 2 * i + 2] : [left, 2 * i + 1];
      if (before(last, child)) break;
      heap[i] = child;
      i = at;
    }
    heap[i] = last;
  }
}

const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.tie < b.tie);

/** Until every promise that can go on has gone on: ticks come after all of them. */
export const drained = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));
