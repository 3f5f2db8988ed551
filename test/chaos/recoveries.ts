import type { Attempt, Run } from '../../server/core/records.ts';
import type { Reader } from './history.ts';
import type { Line } from './journal.ts';
import { attemptKey, type Findings } from './judge.ts';

/**
 * How long it took to get over what was done to a process, in ms. Each is counted from when somebody
 * was up to notice.
 */
export class Recoveries implements Reader {
  /** From a kill until an attempt was on record as lost. */
  readonly killed: number[] = [];
  /** The same from a stop. */
  readonly stopped: number[] = [];
  /** From being told to stop until an attempt was on record as interrupted. */
  readonly told: number[] = [];
  /** From there until its run was at work again. */
  readonly again: number[] = [];
  /** From being told to stop until the process had ended. */
  readonly ended: readonly number[];
  /** For which share of the time somebody was up, and how many on average. */
  readonly up: { readonly share: number; readonly mean: number };
  readonly #attempts: Findings['attempts'];
  readonly #marks = new Map<number, Line[]>();
  readonly #awake: readonly Awake[];

  constructor({ attempts, marks }: Findings) {
    this.#attempts = attempts;
    for (const mark of marks) {
      const some = this.#marks.get(mark.pid);
      if (some === undefined) this.#marks.set(mark.pid, [mark]);
      else some.push(mark);
    }
    const awake = awakeTimes(marks);
    this.#awake = awake;
    this.up = upOf(awake);
    this.ended = marks.flatMap((mark) => {
      if (mark.word !== 'strike' || mark.how !== 'SIGTERM') return [];
      const gone = this.#after(mark, ({ word }) => word === 'gone');
      return gone === undefined ? [] : [gone.at - mark.at];
    });
  }

  read({ id, attempts }: Run): void {
    for (const attempt of attempts) this.#take(id, attempt);
  }

  #take(run: string, { n, outcome, endedAt }: Attempt): void {
    const begin = this.#attempts.get(attemptKey(run, n))?.begin;
    if (begin === undefined || endedAt === null) return;
    if (outcome === 'lost') return this.#takeLost(begin, endedAt);
    if (outcome !== 'interrupted') return;
    // What was about to begin when its process was told may begin a moment later.
    const isTold = ({ word, how }: Line): boolean => word === 'strike' && how === 'SIGTERM';
    const told = this.#marks.get(begin.pid)?.findLast((mark) => mark.at <= endedAt && isTold(mark));
    if (told === undefined) return;
    this.told.push(endedAt - told.at);
    const next = this.#attempts.get(attemptKey(run, n + 1))?.begin;
    if (next !== undefined) this.again.push(this.#since(told.at, next.at));
  }

  #takeLost(begin: Line, endedAt: number): void {
    const struck = this.#after(begin, ({ word }) => word === 'strike' || word === 'stop');
    // Others are lost with their connection: nobody wrote that down.
    if (struck === undefined || struck.at > endedAt) return;
    if (struck.word === 'stop') return void this.stopped.push(this.#since(struck.at, endedAt));
    // What did not stop when it was told to is left to itself when its process ends.
    const gone = this.#after(struck, ({ word }) => word === 'gone') ?? struck;
    const from = struck.how === 'SIGTERM' ? gone : struck;
    this.killed.push(this.#since(from.at, endedAt));
  }

  #after({ pid, at }: Line, which: (mark: Line) => boolean): Line | undefined {
    return this.#marks.get(pid)?.find((mark) => mark.at >= at && which(mark));
  }

  /** From an instant, or from when somebody was up to notice, to another. */
  #since(from: number, to: number): number {
    return Math.max(0, to - Math.max(from, this.#upSince(to)));
  }

  /** Since when, without a break, somebody was up at an instant. */
  #upSince(at: number): number {
    let low = 0;
    let high = this.#awake.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#awake[middle]?.at ?? Infinity) <= at) low = middle + 1;
      else high = middle;
    }
    return this.#awake[low - 1]?.since ?? at;
  }
}

/** How many were up from an instant on, and since when, without a break, at least one was. */
interface Awake {
  readonly at: number;
  readonly count: number;
  /** Infinity where nobody is. */
  readonly since: number;
}

/** A process that stands still, or was told to stop, does not notice anything. */
function awakeTimes(marks: readonly Line[]): readonly Awake[] {
  const awake = new Set<number>();
  const times: Awake[] = [];
  let since = Infinity;
  for (const { word, pid, at } of marks) {
    if (word === 'up' || word === 'cont') {
      if (awake.size === 0) since = at;
      awake.add(pid);
    } else awake.delete(pid);
    if (awake.size === 0) since = Infinity;
    times.push({ at, since, count: awake.size });
  }
  return times;
}

function upOf(awake: readonly Awake[]): { share: number; mean: number } {
  let [whole, some, sum] = [0, 0, 0];
  for (const [i, { at, count }] of awake.entries()) {
    const ms = (awake[i + 1]?.at ?? at) - at;
    whole += ms;
    some += count > 0 ? ms : 0;
    sum += count * ms;
  }
  return { share: some / whole, mean: sum / whole };
}
