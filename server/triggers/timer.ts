import type { Deps } from '../core/deps.ts';
import type { JobRecord } from '../core/records.ts';
import { describeError } from '../core/outcome.ts';
import { priceOf, type Store } from '../core/store.ts';
import { sleep, type Instant, type Timing } from '../core/time.ts';
import { wakeAll } from '../core/wake.ts';

/** After a failure the timer looks again this soon. */
const RETRY_MS = 1000;

/** What others did comes to light this soon: a retry of a run that they handed back, for one. */
const GLANCE_MS = 1000;

/** Two clocks that went apart by so much tell of a wall clock that was set, or of a sleep. */
const STEP_MS = 100;

/**
 * It wakes so much too early: what is due is read and looked at, and waited for, while the machine
 * comes out of its own sleep. Half of what an occurrence was late by went into that.
 */
const EARLY_MS = 4;

/** Who pays for each look has one look less. */
const earlyMs = (store: Store, timing: Timing): number =>
  priceOf(store) === 'free' ? Math.min(EARLY_MS, timing.earlyMs) : 0;

/** A store that can't say is asked in full, and tells then what is wrong with it. */
function othersWrote(store: Store): boolean {
  try {
    return store.othersWrote?.() ?? false;
  } catch {
    return true;
  }
}

/** The one-machine wake-up source: sleeps until something can happen, then wakes what is due. */
export class Timer {
  readonly #deps: Deps;
  readonly #presence: Presence;
  #awake = new AbortController();
  #poked = false;
  #stopped = false;
  /** The soonest that a record which was written since the last look is due at. */
  #soonest: Instant = Infinity;
  /** While it sleeps, by the store's time. */
  #asleepUntil: Instant = -Infinity;
  #lookedThroughAt = -Infinity;
  #loop: Promise<void> | undefined;

  constructor(deps: Deps, presence: Presence) {
    this.#deps = deps;
    this.#presence = presence;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Something changed that may be due before the timer expects it. */
  poke(): void {
    this.#poked = true;
    this.#awake.abort();
  }

  /** Told of each record that this process wrote: it may be due before the timer expects it. */
  noted({ nextActionAt }: JobRecord): void {
    this.#soonest = Math.min(this.#soonest, nextActionAt ?? Infinity);
    if (this.#soonest < this.#asleepUntil) this.poke();
  }

  /** Resolves when the wake-up under way, if any, is over. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.poke();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#poked = false;
      this.#soonest = Infinity;
      this.#asleepUntil = -Infinity;
      const restsUntil = await this.#turn().catch((error: unknown) => {
        const { message } = describeError(error);
        this.#deps.log('error', 'wake_failed', { error: message });
        this.#presence.trouble = message;
        return this.#deps.clock.monotonic() + RETRY_MS;
      });
      if (this.#poked) continue;
      this.#awake = new AbortController();
      await this.#rest(restsUntil, this.#awake.signal);
    }
  }

  /**
   * Sleeps until then, by the monotonic clock, but for a glance now and then at whether another
   * process changed something, or the wall clock was set.
   */
  async #rest(until: number, awake: AbortSignal): Promise<void> {
    const { store, clock } = this.#deps;
    const glances = store.othersWrote !== undefined;
    const apart = (): number => clock.wall() - clock.monotonic();
    const before = apart();
    while (!awake.aborted) {
      const leftMs = until - clock.monotonic();
      if (leftMs <= 0) return;
      await sleep(clock, glances ? Math.min(leftMs, GLANCE_MS) : leftMs, awake);
      if (othersWrote(store)) return;
      if (glances && Math.abs(apart() - before) > STEP_MS) return;
    }
  }

  /** One wake-up; gives until when, by the monotonic clock, there is nothing to do. */
  async #turn(): Promise<number> {
    const { store, timing, clock, runner } = this.#deps;
    const aheadMs = earlyMs(store, timing);
    // Whatever is written from here on is seen by this turn, or by a glance after it.
    othersWrote(store);
    const thorough = clock.monotonic() - this.#lookedThroughAt >= timing.thoroughEveryMs;
    this.#presence.seen((await store.time()).storeNow);
    const woken = await wakeAll(this.#deps, { aheadMs, thorough });
    const { storeNow, unsteady, started, lagMs } = woken;
    void this.#deps.wakes.heard(this.#deps, { at: storeNow, started, lagMs });
    this.#presence.trouble = null;
    if (thorough) this.#lookedThroughAt = clock.monotonic();
    if (unsteady !== null) return clock.monotonic() + RETRY_MS;
    const next = await store.nextActionAfter(storeNow);
    if (runner.turnsAway()) return clock.monotonic() + timing.thoroughEveryMs;
    // Each wake-up finds out whether what failed to be written can be written again.
    const most = typeof store.trouble === 'string' ? RETRY_MS : timing.timerMaxSleepMs;
    // In this order: where the process is held up in between, it wakes too early, not too late.
    const askedAt = clock.monotonic();
    const { storeNow: now } = await store.time();
    // Not before the store answered: what is written meanwhile counts, too.
    const soonest = Math.min(next ?? Infinity, this.#soonest);
    // What was looked at too early, to no effect, is looked at again when it is due.
    const until = soonest > storeNow + aheadMs ? soonest - aheadMs : soonest;
    const ms = Math.min(Math.max(0, until - now), most);
    this.#asleepUntil = now + ms;
    return askedAt + ms;
  }
}

/**
 * Since when this process has been awake to notice what falls due, and whether it can act on it.
 */
export class Presence {
  readonly #gapMs: number;
  /** Why the last wake-up failed; null if it did not. */
  trouble: string | null = null;
  #since: Instant | null = null;
  #last = 0;

  /**
   * Silence longer than `gapMs` counts as absence: the machine slept, or the process stood still.
   */
  constructor(gapMs: number) {
    this.#gapMs = gapMs;
  }

  get since(): Instant | null {
    return this.#since;
  }

  seen(now: Instant): void {
    const absent = this.#since === null || now - this.#last > this.#gapMs;
    // A clock that was set back: it was here before, but by another time.
    this.#since = absent ? now : Math.min(this.#since ?? now, now);
    this.#last = now;
  }
}
