import { Chance } from './chance.ts';
import { endsWell } from './ending.ts';
import { People } from './people.ts';
import { Random } from './random.ts';
import { poison } from './poison.ts';
import { drawSetting, POISON, type Setting } from './setting.ts';
import { World } from './world.ts';

export interface Lived {
  readonly seed: string;
  readonly violation: string | undefined;
  readonly trace: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
  readonly events: number;
  readonly simulatedMs: number;
}

/** Lives the life that a seed names: the same seed, the same life, to the last event. */
export async function live(seed: string, { trace = false } = {}): Promise<Lived> {
  // Thousands of errors are thrown and caught in a life; nobody reads where they came from.
  Error.stackTraceLimit = 0;
  const setting = drawSetting(seed);
  const faults: Chance = new Chance(() => world, new Random(`faults/${seed}`));
  const world = new World(setting, faults, { trace });
  return await new Life(world, setting).live();
}

/** A world in which chance acts: faults for a while, then none, and then all must be well. */
class Life {
  readonly #world: World;
  readonly #setting: Setting;
  readonly #random: Random;
  readonly #people: People;
  #build = 0;

  constructor(world: World, setting: Setting) {
    this.#world = world;
    this.#setting = setting;
    this.#random = world.randomFor('life');
    this.#people = new People(world, world.randomFor('people'));
    world.onEnd = () => this.#afterEnd();
  }

  async live(): Promise<Lived> {
    const world = this.#world;
    const { faultyMs, poison: poisoned, processes, seed } = this.#setting;
    if (poisoned) await poison(world);
    for (let i = 0; i < processes; i++)
      this.#in(this.#random.between(0, 5000), () => this.#start());
    this.#haveFaults();
    this.#haveTriggers();
    this.#often(this.#setting.rates.requestMs, () => this.#ask());
    await world.run(faultyMs);
    if (world.violation === undefined) await this.#heal();
    const { violation, counts, events, now } = world;
    return { seed, violation, trace: world.trace ?? [], counts, events, simulatedMs: now };
  }

  /** No more faults: whatever stands still goes on in its time, what is down comes up, nobody is paused. */
  async #heal(): Promise<void> {
    const world = this.#world;
    const { leaseMs, processes } = this.#setting;
    world.calmDown();
    for (const process of world.processes) process.cutOffUntil = 0;
    const still = world.processes.map(({ stillUntil }) => stillUntil);
    await world.run(Math.max(world.now, ...still, ...world.machines.map((one) => one.lastAwakeAt)));
    while (world.processes.length < processes) this.#start();
    await world.run(world.now + leaseMs);
    const resumed = new Set<string>();
    for (const process of world.processes.filter(({ ready, draining }) => ready && !draining)) {
      for (const job of process.deps.registry.keys()) {
        if (job === POISON) continue;
        if (!resumed.has(job)) this.#people.resume(process, job);
        resumed.add(job);
      }
    }
    await endsWell(world);
    if (world.violation === undefined) await this.#people.check();
    if (world.violation === undefined) await world.witness.lateResultsAreKept();
  }

  /** Programs like to ask at the full minute, when occurrences fall due too. */
  #ask(): void {
    const minute = Math.ceil(this.#world.now / 60_000) * 60_000;
    this.#in(this.#random.chance(0.5) ? minute - this.#world.now : 0, () => this.#people.ask());
  }

  #start(): void {
    this.#world.start(this.#build);
  }

  /** Somebody starts another, by and by; triggers start one where none is up. */
  #afterEnd(): void {
    const { calm } = this.#world;
    if (calm) return this.#in(0, () => this.#start());
    const downMs = this.#random.chance(0.5) ? 2000 : this.#random.wait(2 * this.#setting.leaseMs);
    this.#in(downMs, () => {
      if (this.#world.processes.length < this.#setting.processes) this.#start();
    });
  }

  #haveFaults(): void {
    const world = this.#world;
    const random = this.#random;
    const { rates, leaseMs, storeClock } = this.#setting;
    const onOne = (meanMs: number, what: string, fault: (one: Process) => void): void =>
      this.#often(meanMs, () => {
        const up = world.processes.filter(({ draining }) => !draining);
        if (up.length === 0) return;
        // Where something runs there is more to go wrong.
        const busy = up.filter(({ deps }) => deps.runner.running > 0);
        world.count(what);
        fault(random.pick(...(busy.length > 0 && random.chance(0.7) ? busy : up)));
      });
    onOne(rates.crashMs, 'killed', (one) => one.kill('killed'));
    onOne(rates.drainMs, 'told to stop', (one) => this.#stop(one));
    onOne(rates.freezeMs, 'stood still', (one) => {
      one.standStill(random.between(1000, 2 * leaseMs));
    });
    onOne(rates.cutOffMs, 'cut off', (one) => {
      const ms = random.between(leaseMs / 3, 3 * leaseMs);
      world.say(() => `${one.name} is cut off from the store for ${Math.round(ms)} ms`);
      one.cutOffUntil = world.now + ms;
    });
    this.#often(rates.stepMs, () => {
      world.count('clock set');
      const back = storeClock === 'server' ? -3_600_000 : -20_000;
      const ms = random.pick(random.between(back, 0), random.between(0, 600_000));
      world.say(() => `a wall clock is set by ${Math.round(ms)} ms`);
      random.pick(...world.machines).setBy(Math.round(ms));
    });
    this.#often(rates.suspendMs, () => {
      world.count('machine slept');
      const ms = random.between(1000, 4 * leaseMs);
      const machine = random.pick(...world.machines);
      world.say(() => `${machine.name} sleeps for ${Math.round(ms)} ms`);
      machine.sleepFor(ms);
    });
    this.#often(rates.outageMs, () => {
      world.count('outage');
      for (const one of world.processes) one.kill('outage');
    });
    this.#often(rates.restoreMs, () => void this.#restore());
    this.#often(rates.deployMs, () => this.#deploy());
  }

  /** Keeps a copy of a job's record, and puts it back after a while. */
  async #restore(): Promise<void> {
    const world = this.#world;
    const { record } = await world.store.read(this.#random.pick('a', 'b', 'c'));
    if (record === undefined) return;
    // A backup of a few seconds ago is nobody's: the product takes the gap for a late wake-up.
    const { lateAfterMs } = world.timing;
    this.#in(this.#random.between(2 * lateAfterMs, 6 * lateAfterMs), () => {
      if (!world.calm) void world.restore(record);
    });
  }

  #stop(one: Process): void {
    one.later(0, () => void one.drain(), 'timer');
  }

  /** The other build takes over, at once, by and by, or only in part. */
  #deploy(): void {
    const world = this.#world;
    this.#build = this.#build === 0 ? 1 : this.#random.pick(0, 1);
    world.count('deployed');
    world.say(() => `build ${this.#build} is deployed`);
    for (const one of world.processes) {
      if (one.build !== this.#build && this.#random.chance(0.7)) this.#stop(one);
    }
    if (this.#random.chance(0.5)) this.#start();
  }

  #haveTriggers(): void {
    const { wakes, tickMs, rates } = this.#setting;
    if (wakes === 'timer') return;
    const tick = (): void => {
      this.#send(undefined);
      this.#in(tickMs, tick);
    };
    const minute = (): void => {
      for (const { name } of this.#setting.builds.flat()) {
        if (name !== POISON) this.#send(name);
      }
      this.#in(60_000, minute);
    };
    this.#in(this.#random.between(0, tickMs), tick);
    this.#in(60_000, minute);
    this.#often(rates.forgedMs, () => this.#deliver(this.#random.pick('a', 'b', undefined)));
  }

  #send(job: string | undefined): void {
    const random = this.#random;
    const rates = this.#rates;
    if (random.chance(rates.missing)) return this.#world.count('trigger missing');
    if (random.chance(rates.duplicate)) {
      this.#world.count('trigger duplicated');
      this.#in(random.pick(0, random.between(0, 1000)), () => this.#deliver(job));
    }
    if (random.chance(rates.late)) {
      this.#world.count('trigger late');
      return this.#in(random.between(0, 100_000), () => this.#deliver(job));
    }
    if (random.chance(rates.early)) {
      this.#world.count('trigger early');
      return this.#in(60_000 - random.between(0, 2000), () => this.#deliver(job));
    }
    this.#deliver(job);
  }

  /** To any process that is up; where none is, one is started for it. */
  #deliver(job: string | undefined): void {
    const up = this.#world.processes.filter(({ ready, draining }) => ready && !draining);
    if (up.length === 0) {
      if (this.#world.processes.length === 0 && this.#random.chance(0.5)) this.#start();
      return;
    }
    this.#world.say(() => `a trigger for ${job ?? 'all jobs'} arrives`);
    const one = this.#random.pick(...up);
    one.later(0, () => void one.trigger(job), 'timer');
  }

  get #rates() {
    const calm = { missing: 0, duplicate: 0, late: 0, early: 0 };
    return this.#world.calm ? calm : this.#setting.rates;
  }

  #in(ms: number, call: () => void): void {
    this.#world.timeline.add(this.#world.now + ms, call);
  }

  /** Again and again, at random, while there are faults. */
  #often(meanMs: number, call: () => void): void {
    if (meanMs === Infinity) return;
    this.#in(this.#random.wait(meanMs), () => {
      if (this.#world.calm) return;
      call();
      this.#often(meanMs, call);
    });
  }
}

type Process = World['processes'][number];
