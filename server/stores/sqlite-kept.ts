import type { JobRecord, Run } from '../core/records.ts';
import type { ClockState } from './sqlite-clock-judge.ts';
import type { Before } from './sqlite-doc.ts';

/** So many records of jobs that are at work just now; another is read from the file. */
const JOBS_LIMIT = 256;
const RUNS_LIMIT = 256;

interface KeptJob {
  readonly record: JobRecord;
  readonly doc: Before;
}

/**
 * What this process itself wrote last, which spares reading it again: it holds as long as nobody
 * else writes and nothing is rolled back. Whoever begins a transaction sees to that; only inside of
 * one may it be asked.
 */
export class Kept {
  readonly jobs = new Bounded<KeptJob>(JOBS_LIMIT);
  /** Those that are not over. */
  readonly runs = new Bounded<Run>(RUNS_LIMIT);
  clock: ClockState | undefined;
  #version: unknown;

  /** `version` is another where somebody else has written. */
  begin(version: unknown): void {
    if (version !== this.#version) this.clear();
    this.#version = version;
  }

  clear(): void {
    this.jobs.clear();
    this.runs.clear();
    this.clock = undefined;
  }
}

/**
 * By name; with too many, the one that was put there first is let go. A map makes itself anew after
 * some deletions, and each that it was before holds on to the next, with all that was in it, until
 * V8 collects everything: so what is let go is taken out of its place first.
 */
class Bounded<Value> {
  readonly #places = new Map<string, { value: Value | undefined }>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(name: string): Value | undefined {
    return this.#places.get(name)?.value;
  }

  put(name: string, value: Value): void {
    const place = this.#places.get(name);
    if (place !== undefined) return void (place.value = value);
    this.#places.set(name, { value });
    if (this.#places.size <= this.#limit) return;
    const [oldest = name] = this.#places.keys();
    this.drop(oldest);
  }

  drop(name: string): void {
    const place = this.#places.get(name);
    if (place === undefined) return;
    place.value = undefined;
    this.#places.delete(name);
  }

  clear(): void {
    this.#places.clear();
  }
}
