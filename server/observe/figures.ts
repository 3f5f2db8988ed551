import type { Figures, Recorded, Spread } from '../core/observing.ts';
import type { RunState } from '../core/run.ts';

/** Bounds of the spread of lateness: what is on time, and what somebody should look at. */
const LATENESS_MS = [50, 100, 250, 500, 1000, 2500, 5000, 15_000, 60_000, 300_000, 3_600_000];

/** Counts what this process did, at the price of an addition each. */
export class Tally implements Figures {
  attempts = 0;
  started = 0;
  readonly ended = new Map<RunState, number>();
  readonly #late = new Counts(LATENESS_MS);

  get lateness(): Spread {
    return this.#late;
  }

  add({ ended, granted }: Recorded): void {
    for (const { state } of ended) this.ended.set(state, (this.ended.get(state) ?? 0) + 1);
    if (granted === undefined) return;
    this.attempts += 1;
    if (granted.attempts.length > 1) return;
    this.started += 1;
    const { trigger, scheduledAt, startedAt } = granted;
    if (trigger !== 'schedule' || scheduledAt === null || startedAt === null) return;
    this.#late.add(Math.max(0, startedAt - scheduledAt));
  }
}

class Counts implements Spread {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  count = 0;
  sumMs = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  get upTo(): Spread['upTo'] {
    let sum = 0;
    return this.#bounds.map((ms, i) => ({ ms, count: (sum += this.#counts[i] ?? 0) }));
  }

  add(ms: number): void {
    this.count += 1;
    this.sumMs += ms;
    const i = this.#bounds.findIndex((bound) => ms <= bound);
    if (i >= 0) this.#counts[i] = (this.#counts[i] ?? 0) + 1;
  }
}
