import { PROCESS } from '../../server/core/carrier.ts';
import type { Deps, Log, Scratch } from '../../server/core/deps.ts';
import { NO_WORKERS } from '../../server/core/isolate.ts';
import { keepRegistered, registerJobs } from '../../server/core/register.ts';
import { readRegistry } from '../../server/core/registry.ts';
import { Runner } from '../../server/core/runner.ts';
import type { Cancel, Clock } from '../../server/core/time.ts';
import { wakeAll, wakeJob } from '../../server/core/wake.ts';
import { Presence, Timer } from '../../server/triggers/timer.ts';
import { jobsOf } from './handlers.ts';
import type { Machine } from './machine.ts';
import { RemoteStore } from './network.ts';
import type { World } from './world.ts';

/** As long as the service itself gives its handlers to stop. */
const DRAIN_MS = 4000;
/** The beat of the event loop's watch, with a clock that runs slow. */
const BEAT_MS = 260;

/**
 * One process of the service: the real core and the real timer, on clocks, a store and a chance
 * that are simulated. It may be killed, or stand still, before anything that it waits for comes.
 */
export class SimulatedProcess {
  readonly name: string;
  readonly machine: Machine;
  readonly owner: string;
  readonly build: number;
  readonly clock: Clock;
  readonly deps: Deps;
  readonly openScratch = new Set<string>();
  /** `alive` until it is killed or has ended by itself. */
  alive = true;
  ready = false;
  draining = false;
  /** True time until which it stands still. */
  stillUntil = 0;
  cutOffUntil = 0;
  /** Since when the store has not failed it once. */
  storeFailedAt = -Infinity;
  readonly #world: World;
  readonly #timer: Timer;
  readonly #seen: ReturnType<typeof keepRegistered>;
  #ids = 0;

  constructor(world: World, name: string, machine: Machine, build: number) {
    const { setting, timing } = world;
    this.#world = world;
    this.name = name;
    this.machine = machine;
    this.owner = `${machine.name}:${name}`;
    this.build = build;
    this.clock = this.#makeClock();
    const presence = new Presence(timing.lateAfterMs);
    const runner = new Runner({ max: setting.room, replaceable: false });
    const random = world.randomFor(name);
    this.deps = {
      store: new RemoteStore(world, this),
      carrier: PROCESS,
      requestMs: 600_000,
      dispatch: null,
      registry: readRegistry(jobsOf(world, this), timing),
      clock: this.clock,
      random: () => random.next(),
      newId: () => `${name}x${(this.#ids++).toString(36)}`,
      timing,
      log: this.#log(),
      owner: this.owner,
      build: `build-${build}`,
      project: null,
      namespace: 'default',
      zoneData: 'simulated',
      upSince: () => presence.since,
      scratch: (attemptId) => this.#scratch(attemptId),
      isolate: NO_WORKERS,
      runner,
      trouble: () => presence.trouble,
      wakes: { last: null, heard: async () => undefined },
      cipher: null,
    };
    this.#timer = new Timer(this.deps, presence);
    runner.onChange = () => this.#timer.poke();
    runner.onRecord = (record) => this.#timer.noted(record);
    this.#seen = keepRegistered(this.deps, async () => undefined);
  }

  /**
   * True while it stands still, in the very instant in which it goes on, and after a sleep of its
   * machine until the next beat of the event loop's watch, which is the first to see the time.
   */
  get goesOnNow(): boolean {
    const { now } = this.#world;
    return this.stillUntil >= now || this.machine.lastAwakeAt + BEAT_MS >= now;
  }

  /** As `main` does: registers first, and gives up where that fails. */
  async start(): Promise<void> {
    try {
      await registerJobs(this.deps, { adopt: false, check: true });
    } catch {
      return this.kill('could not register');
    }
    if (this.draining) return;
    this.ready = true;
    this.#seen.start();
    if (this.#world.setting.wakes === 'timer') this.#timer.start();
  }

  /** A trigger from outside: for one job, or for all. Gives whether it was answered with 200. */
  async trigger(job: string | undefined): Promise<boolean> {
    if (this.deps.runner.draining) return false;
    try {
      if (job !== undefined) {
        if (this.deps.registry.has(job)) await wakeJob(this.deps, job);
      } else {
        const aheadMs = this.deps.timing.earlyMs;
        await wakeAll(this.deps, { aheadMs, thorough: true });
      }
      return true;
    } catch (error) {
      this.#world.witness.threw(this, error);
      return false;
    }
  }

  /** SIGTERM: what the service does, and then its end. */
  async drain(): Promise<void> {
    if (this.draining) return;
    this.draining = true;
    this.#world.say(() => `${this.name} drains`);
    const since = this.#world.now;
    this.#seen.stop();
    void this.#timer.stop();
    const left = await this.deps.runner.drain(this.deps, DRAIN_MS);
    this.#world.witness.drained(this, { left, since });
    this.kill('drained');
  }

  kill(why: string): void {
    if (!this.alive) return;
    this.alive = false;
    this.#world.say(() => `${this.name} ends: ${why}`);
    this.#world.ended(this);
  }

  standStill(ms: number): void {
    this.#world.say(() => `${this.name} stands still for ${Math.round(ms)} ms`);
    this.stillUntil = Math.max(this.stillUntil, this.#world.now + ms);
  }

  /** Has something reach this process after `ms` of true time: never, once it has ended. */
  later(ms: number, call: () => void, point: 'reply' | 'timer'): Cancel {
    let cancel = this.#world.timeline.add(this.#world.now + ms, () => arrive());
    const arrive = (): void => {
      if (!this.alive) return;
      const { now } = this.#world;
      if (this.machine.lastAwakeAt <= now) this.machine.wake();
      const free = Math.max(this.stillUntil, this.machine.lastAwakeAt);
      if (free > now) {
        cancel = this.#world.timeline.add(free, () => arrive());
      } else if (!this.#world.faults.crashesAt(this, point)) call();
    };
    return () => cancel();
  }

  #makeClock(): Clock {
    const { machine } = this;
    return {
      monotonic: () => machine.monotonic(),
      wall: () => machine.wall(),
      after: (ms, call) => {
        // Timers know no less than this; without it a rounding error would be waited for for ever.
        const due = machine.monotonic() + (ms > 0 ? Math.max(ms, 0.001) : 0);
        let cancel: Cancel = () => undefined;
        const wait = (): void => {
          cancel = this.later(Math.max(0, machine.until(due)), ring, 'timer');
        };
        // Clocks that slept meanwhile have not come so far yet.
        const ring = (): void => (machine.until(due) > 1e-6 ? wait() : call());
        wait();
        return () => cancel();
      },
    };
  }

  #log(): Log {
    return (level, event, fields) => {
      this.#world.say(() => `${this.name} logs ${level} ${event} ${JSON.stringify(fields ?? {})}`);
      this.#world.witness.logged(this, event, fields ?? {});
    };
  }

  #scratch(attemptId: string): Scratch {
    return {
      path: async () => {
        this.openScratch.add(attemptId);
        return `/scratch/${attemptId}`;
      },
      remove: async () => void this.openScratch.delete(attemptId),
    };
  }
}
