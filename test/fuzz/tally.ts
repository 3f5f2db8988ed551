import type { Place } from './place.ts';

/** What is counted while requests are sent, and what went wrong. */

export interface Failure {
  readonly fault: string;
  readonly index?: number;
  readonly server?: string;
  readonly what?: string;
  readonly route?: string;
  readonly by?: string;
  readonly done?: readonly string[];
  /** For a shell. */
  readonly replay?: readonly string[];
}

/** What servers keep, after so many requests. */
export interface Memory {
  readonly done: number;
  readonly bytes: readonly number[];
  readonly blockedMs: readonly number[];
}

export interface Report {
  readonly seed: string;
  readonly answered: number;
  readonly seconds: number;
  readonly failures: readonly Failure[];
  /** How often each status came, by route. */
  readonly counts: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Statuses that the document lists of an operation, and how often each came. */
  readonly coverage: readonly Covered[];
  readonly mutations: ReadonlyMap<string, number>;
  readonly memory: readonly Memory[];
  readonly slowest: readonly (readonly [route: string, ms: number])[];
  /** Requests after which SQLite had seen no write at all. */
  readonly unchanged: number;
  /** Requests after which the whole store was the same to the last letter. */
  readonly compared: number;
  /** Requests after which it took too long until nothing went on any more. */
  readonly unsettled: number;
}

export interface Covered {
  readonly id: string;
  readonly what: string;
  readonly statuses: readonly (readonly [status: number, times: number])[];
}

const SLOWEST = 5;

export class Tally {
  readonly #seed: string;
  readonly #startedAt = performance.now();
  readonly #counts = new Map<string, Map<string, number>>();
  readonly #mutations = new Map<string, number>();
  readonly #slowest = new Map<string, number>();
  readonly #failures = new Map<string, Failure>();
  #answered = 0;
  memory: readonly Memory[] = [];
  unchanged = 0;
  compared = 0;
  unsettled = 0;

  constructor(seed: string) {
    this.#seed = seed;
  }

  get failures(): readonly Failure[] {
    return [...this.#failures.values()];
  }

  /** The same thing that is wrong in the same place is told once. */
  fail(failure: Failure): void {
    const { route = '', fault } = failure;
    const key = `${route} ${fault.slice(0, 26)}`.replaceAll(/\d+/g, 'n');
    if (!this.#failures.has(key)) this.#failures.set(key, failure);
  }

  count(route: string, status: string, tookMs: number): void {
    this.#answered += 1;
    const statuses = this.#counts.get(route) ?? new Map<string, number>();
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    this.#counts.set(route, statuses);
    this.#slowest.set(route, Math.max(this.#slowest.get(route) ?? 0, tookMs));
  }

  mutation(name: string): void {
    this.#mutations.set(name, (this.#mutations.get(name) ?? 0) + 1);
  }

  report([place]: readonly Place[]): Report {
    const coverage = (place?.operations ?? []).map(({ id, what, statuses }) => ({
      id,
      what,
      statuses: statuses.map(
        (status) => [status, this.#counts.get(what)?.get(String(status)) ?? 0] as const,
      ),
    }));
    return {
      seed: this.#seed,
      answered: this.#answered,
      seconds: (performance.now() - this.#startedAt) / 1000,
      failures: this.failures,
      counts: this.#counts,
      coverage,
      mutations: this.#mutations,
      memory: this.memory,
      slowest: [...this.#slowest].toSorted(([, a], [, b]) => b - a).slice(0, SLOWEST),
      unchanged: this.unchanged,
      compared: this.compared,
      unsettled: this.unsettled,
    };
  }
}
