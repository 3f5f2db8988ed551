import type { Fate } from './network.ts';
import type { SimulatedProcess } from './process.ts';

/** Who decides what goes wrong: chance in random lives, a list in exhaustive ones. */
export interface Faults {
  /** What becomes of a call that a process is about to send. */
  fateOf(process: SimulatedProcess, op: string, write: boolean): Fate;
  /** Whether the process is killed rather than hear of what it waits for. */
  crashesAt(process: SimulatedProcess, point: 'reply' | 'timer'): boolean;
}
