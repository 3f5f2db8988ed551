import type { Faults } from './faults.ts';
import type { Fate } from './network.ts';
import type { SimulatedProcess } from './process.ts';
import type { World } from './world.ts';

/** What is to go wrong at a point where a process waits. */
export type Blow = 'crash' | 'unknown, applied' | 'unknown, not applied';

export interface Planned {
  /** Points are counted from 0 in the order in which they are come to. */
  readonly point: number;
  readonly blow: Blow;
}

/** A call takes this long each way, so that there is time for something in between. */
const LATENCY_MS = 5;

/**
 * Faults that are written down: each point where a process waits is counted, and what is planned
 * for it happens there. A crash strikes before the process hears what it waited for; an unknown
 * outcome is that of the call about to be sent.
 */
export class Script implements Faults {
  readonly #planned: readonly Planned[];
  readonly #world: () => World;
  /** What each point was: whether it may be struck by a crash, or by an unknown outcome. */
  readonly points: ('wait' | 'call')[] = [];

  constructor(world: () => World, planned: readonly Planned[]) {
    this.#world = world;
    this.#planned = planned;
  }

  fateOf(): Fate {
    const blow = this.#come('call');
    const ok: Fate = { kind: 'ok', there: LATENCY_MS, back: LATENCY_MS };
    if (blow === undefined || blow === 'crash') return ok;
    return blow === 'unknown, applied'
      ? { kind: 'lost reply', there: LATENCY_MS }
      : { kind: 'lost request' };
  }

  crashesAt(process: SimulatedProcess): boolean {
    if (this.#come('wait') !== 'crash') return false;
    process.kill('killed');
    return true;
  }

  #come(kind: 'wait' | 'call'): Blow | undefined {
    if (this.#world().calm) return undefined;
    const point = this.points.push(kind) - 1;
    return this.#planned.find((one) => one.point === point)?.blow;
  }
}
