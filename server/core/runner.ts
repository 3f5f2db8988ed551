import type { Granted } from './apply.ts';
import type { Carrier } from './carrier.ts';
import type { Deps } from './deps.ts';
import type { Offer } from './draft.ts';
import { Execution } from './execute.ts';
import { FORCE_AFTER_MS } from './isolate.ts';
import { watchLoop, type LoopWatch } from './loop-watch.ts';
import type { JobRecord } from './records.ts';
import { sleep } from './time.ts';
import { newTraceparent } from './trace.ts';

/** What it takes to put on record what was ended by force. */
const RECORD_MS = 1000;

/** What a place for an attempt is asked for with. */
interface Wish {
  /** What would carry it. */
  readonly carrier: Carrier;
  readonly traceparent?: string | null;
}

/** Holds what runs in this process: how much may, what does, and how it is stopped. */
export class Runner {
  readonly #executions = new Map<string, Execution>();
  readonly #deaf = new Set<Execution>();
  readonly #max: number;
  /** The platform starts another process for one that ends, as App Engine and Cloud Run do. */
  readonly replaceable: boolean;
  #reserved = 0;
  #draining = false;
  #loop: LoopWatch | undefined;
  #turnedAway = false;
  /** Called when there is room again, or something may be due for another reason. */
  onChange: () => void = () => undefined;
  /** Called with each record that this process wrote. */
  onRecord: (record: JobRecord) => void = () => undefined;
  /** Called when only handlers that do not stop are left of a process that can be replaced. */
  onGivenUp: () => void = () => undefined;
  #onEnded: () => void = () => undefined;

  /** `max`: attempts at once. */
  constructor({ max, replaceable }: { readonly max: number; readonly replaceable: boolean }) {
    this.#max = max;
    this.replaceable = replaceable;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /**
   * True once a handler does not stop in a process that can be replaced: nothing new starts in it,
   * what else is at work comes to its end, and then the process is given up. The lease of what is
   * left runs out by itself, so nothing overlaps; released, it might.
   */
  get retiring(): boolean {
    return this.#deaf.size > 0;
  }

  /** True while this process takes no new work, whatever room it has. */
  get closed(): boolean {
    return this.#draining || this.retiring;
  }

  /** True while there is no room for one more attempt. */
  get full(): boolean {
    return this.closed || this.#executions.size + this.#reserved >= this.#max;
  }

  /**
   * True while there is no room for one more attempt; whoever asks is told as soon as there is
   * (`onChange`), be it that a place which was kept for a moment was not needed after all.
   */
  turnsAway(): boolean {
    if (this.full) this.#turnedAway = true;
    return this.full;
  }

  get running(): number {
    return this.#executions.size;
  }

  /** How many attempts it runs at once, at most. */
  get capacity(): number {
    return this.#max;
  }

  /**
   * Room for one more attempt, or undefined when there is none: full, draining, or a job that this
   * build does not know. Give it back with `release` unless it was used.
   */
  reserve(deps: Deps, job: string, { carrier, traceparent }: Wish): Offer | undefined {
    const timeoutMs = deps.registry.get(job)?.spec.timeoutMs;
    if (timeoutMs === undefined) return undefined;
    if (this.turnsAway()) return undefined;
    if (!carrier.takes(timeoutMs)) return undefined;
    carrier.take();
    this.#reserved++;
    const { owner } = deps;
    return { attemptId: deps.newId(), owner, traceparent: newTraceparent(deps, traceparent) };
  }

  /** Resolves when a run of this process is over; undefined where it has none of this id. */
  endOf(runId: string): Promise<void> | undefined {
    return [...this.#executions.values()].find((one) => one.runId === runId)?.done();
  }

  release(offer: Offer | undefined, carrier: Carrier): void {
    if (offer === undefined) return;
    carrier.give();
    this.#reserved--;
    // Somebody was sent away on account of a place that was not needed after all.
    if (this.#turnedAway) this.#room();
    this.#ended();
  }

  #room(): void {
    this.#turnedAway = false;
    this.onChange();
  }

  /**
   * Begins an attempt that was granted on an offer of `reserve`; resolves when its end is on
   * record.
   */
  start(deps: Deps, granted: Granted, carrier: Carrier): Promise<void> {
    this.#reserved--;
    this.#loop ??= watchLoop(deps, () => [...this.#executions.values()]);
    const execution = new Execution(deps, granted, {
      carrier,
      loop: this.#loop,
      tooLate: this.#draining,
    });
    this.#executions.set(granted.attemptId, execution);
    return execution.done().finally(() => {
      const wasFull = this.full || this.#turnedAway;
      carrier.give();
      this.#executions.delete(granted.attemptId);
      this.#deaf.delete(execution);
      if (this.#executions.size === 0) {
        this.#loop?.stop();
        this.#loop = undefined;
      }
      // What came due by its end is told with the record that was written (onRecord).
      if (wasFull) this.#room();
      this.#ended();
    });
  }

  #ended(): void {
    this.#onEnded();
    const onlyDeaf = this.retiring && this.#executions.size === this.#deaf.size;
    if (onlyDeaf && this.#reserved === 0 && !this.#draining) this.onGivenUp();
  }

  /** Told of a handler that does not stop, in a process that can be replaced. */
  giveUpOn(execution: Execution): void {
    this.#deaf.add(execution);
    this.#ended();
  }

  /**
   * Tells runs of this process that the record marks them to be cancelled, which saves waiting for
   * their next beat.
   */
  heed(record: JobRecord): void {
    this.onRecord(record);
    for (const [attemptId, { cancel }] of Object.entries(record.active)) {
      if (cancel !== null) this.#executions.get(attemptId)?.abort(cancel.why);
    }
  }

  /**
   * Takes no new work, asks every handler to stop, and waits at most `withinMs` for those that do:
   * each is put on record as interrupted, as is a claim that was under way. The others keep their
   * lease. Gives how many were left.
   */
  async drain(deps: Deps, withinMs: number): Promise<number> {
    this.#draining = true;
    for (const execution of this.#executions.values()) execution.abort('draining');
    await this.#until(deps, withinMs, () => this.#executions.size === 0 && this.#reserved === 0);
    // By then what is isolated was ended by force; to put that on record takes a moment.
    const isolated = () => [...this.#executions.values()].filter((one) => one.isolated);
    const forcedMs = Math.max(0, FORCE_AFTER_MS - withinMs) + RECORD_MS;
    await this.#until(deps, forcedMs, () => isolated().length === 0);
    return this.#executions.size;
  }

  /** Waits until it is so whenever something has ended, but no longer than that. */
  async #until({ clock }: Deps, ms: number, isSo: () => boolean): Promise<void> {
    const done = new AbortController();
    this.#onEnded = () => {
      if (isSo()) done.abort();
    };
    this.#ended();
    await sleep(clock, ms, done.signal);
  }
}
