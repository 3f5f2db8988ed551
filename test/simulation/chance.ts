import type { Faults } from './faults.ts';
import type { Fate } from './network.ts';
import type { SimulatedProcess } from './process.ts';
import type { Random } from './random.ts';
import { CALM } from './setting.ts';
import type { World } from './world.ts';

/** Faults that chance brings, at the rates of the life's setting, until they are over. */
export class Chance implements Faults {
  readonly #world: () => World;
  readonly #random: Random;

  constructor(world: () => World, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  fateOf(process: SimulatedProcess, _op: string, write: boolean): Fate {
    const world = this.#world();
    const random = this.#random;
    const { setting, callTimeoutMs, calm } = world;
    const rates = calm ? CALM : setting.rates;
    const count = (what: string): void => world.count(what);
    const [from, to] = setting.latencyMs;
    const latency = (): number => random.between(from, to);
    if (process.cutOffUntil > world.now) {
      count('cut off from the store');
      if (random.chance(0.5)) return { kind: 'refused', after: latency() };
      return { kind: random.chance(0.9) ? 'lost request' : 'lost reply', there: latency() };
    }
    if (random.chance(rates.refused)) {
      count('refused');
      return { kind: 'refused', after: latency() };
    }
    if (random.chance(rates.lostRequest)) {
      count('request lost');
      return { kind: 'lost request' };
    }
    if (random.chance(rates.lostReply)) {
      count('reply lost');
      return { kind: 'lost reply', there: latency() };
    }
    if (write && random.chance(rates.lateCommit)) {
      count('applied late');
      return { kind: 'late commit', after: random.between(0, setting.leaseMs) };
    }
    if (write && random.chance(rates.falseConflict)) {
      count('applied, but called a conflict');
      return { kind: 'false conflict', there: latency(), back: latency() };
    }
    const slow = random.chance(rates.slow);
    if (slow) {
      count('slow');
      process.storeFailedAt = world.now;
    }
    const there = slow ? random.between(0, callTimeoutMs) : latency();
    const back = slow ? random.between(0, callTimeoutMs) : latency();
    if (there + back < callTimeoutMs) return { kind: 'ok', there, back };
    return write ? { kind: 'lost reply', there } : { kind: 'lost request' };
  }

  crashesAt(process: SimulatedProcess): boolean {
    const world = this.#world();
    if (world.calm || !this.#random.chance(world.setting.rates.crashAtAwait)) return false;
    world.count('killed at an await');
    process.kill('killed');
    return true;
  }
}
