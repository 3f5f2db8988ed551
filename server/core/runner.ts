import type { Granted } from './apply.ts';
import type { Deps } from './deps.ts';
import type { Offer } from './draft.ts';
import { Execution } from './execute.ts';
import { watchLoop, type LoopWatch } from './loop-watch.ts';
import { sleep } from './time.ts';
import { newTraceparent } from './trace.ts';

/** Holds what runs in this process: how much may, what does, and how it is stopped. */
export class Runner {
  readonly #executions = new Map<string, Execution>();
  readonly #max: number;
  #reserved = 0;
  #draining = false;
  #loop: LoopWatch | undefined;
  /** Called when a slot of this process gets free. */
  onFree: () => void = () => undefined;

  constructor(max: number) {
    this.#max = max;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** True while there is no room for one more attempt. */
  get full(): boolean {
    return this.#draining || this.#executions.size + this.#reserved >= this.#max;
  }

  get running(): number {
    return this.#executions.size;
  }

  /**
   * Room for one more attempt, or undefined when there is none: full, draining, or a job that this
   * build does not know. Give it back with `release` unless it was used.
   */
  reserve(deps: Deps, job: string, traceparent?: string | null): Offer | undefined {
    if (this.full || !deps.registry.has(job)) return undefined;
    this.#reserved++;
    const { owner } = deps;
    return { attemptId: deps.newId(), owner, traceparent: newTraceparent(deps, traceparent) };
  }

  release(offer: Offer | undefined): void {
    if (offer !== undefined) this.#reserved--;
  }

  /**
   * Begins an attempt that was granted on an offer of `reserve`; resolves when its end is on
   * record.
   */
  start(deps: Deps, granted: Granted): Promise<void> {
    this.#reserved--;
    this.#loop ??= watchLoop(deps, () => [...this.#executions.values()]);
    const execution = new Execution(deps, granted, this.#loop);
    this.#executions.set(granted.attemptId, execution);
    if (this.#draining) execution.abort('draining');
    return execution.done().finally(() => {
      this.#executions.delete(granted.attemptId);
      if (this.#executions.size === 0) {
        this.#loop?.stop();
        this.#loop = undefined;
      }
      this.onFree();
    });
  }

  /** Tells a run of this process that it was cancelled, which saves waiting for its next beat. */
  cancelled(runId: string, why: 'cancelled' | 'replaced'): void {
    for (const execution of this.#executions.values()) {
      if (execution.runId === runId) execution.abort(why);
    }
  }

  /**
   * Takes no new work, asks every handler to stop, and waits at most `withinMs` for those that do:
   * each is put on record as interrupted. The others keep their lease. Gives how many were left.
   */
  async drain(deps: Deps, withinMs: number): Promise<number> {
    this.#draining = true;
    const all = [...this.#executions.values()];
    for (const execution of all) execution.abort('draining');
    const settled = Promise.all(all.map((execution) => execution.done()));
    const done = new AbortController();
    await Promise.race([
      settled.finally(() => done.abort()),
      sleep(deps.clock, withinMs, done.signal),
    ]);
    return this.#executions.size;
  }
}
