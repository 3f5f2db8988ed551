import { NO_COST, plus, type Cost } from '../core/cost.ts';
import type { Run } from '../core/records.ts';

/** More runs than one process has under way. */
const RUNS_KEPT = 5000;

/** Counts what is billed: by operation since the start, and by run while it is under way. */
export class Meter {
  readonly #costs = new Map<string, Cost>();
  readonly #runs = new Map<string, Cost>();

  get costs(): ReadonlyMap<string, Cost> {
    return this.#costs;
  }

  count(op: string, cost: Partial<Cost>): void {
    this.#costs.set(op, plus(this.#costs.get(op) ?? NO_COST, cost));
  }

  /** What a run has cost up to now, as far as this process knows. */
  ofRun(id: string): Cost {
    return this.#runs.get(id) ?? NO_COST;
  }

  charge(id: string, cost: Partial<Cost>): void {
    const known = this.ofRun(id);
    this.#runs.delete(id);
    this.#runs.set(id, plus(known, cost));
    const [oldest] = this.#runs.size > RUNS_KEPT ? this.#runs.keys() : [];
    if (oldest !== undefined) this.#runs.delete(oldest);
  }

  /** A run that another process began: what it had cost goes on from there. */
  continue({ id, cost }: Run): void {
    if (cost !== null && cost !== undefined && !this.#runs.has(id)) this.charge(id, cost);
  }
}
