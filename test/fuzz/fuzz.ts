import { endFaults, isMeasured, measure, memoryFaults, stallAt, stallFaults } from './ending.ts';
import { lookAround, openPlace, tidy, type Place } from './place.ts';
import { chanceAt } from './plan.ts';
import { Tally, type Memory, type Report } from './tally.ts';
import { take } from './turn.ts';

export interface Options {
  readonly seed: string;
  readonly requests: number;
  /** How long an answer may take before nobody waits any more. */
  readonly deadlineMs: number;
  /** By how much memory may have grown between the first measurement and the last, in bytes. */
  readonly growthLimit: number;
  /** Modules that the servers load first: to plant faults that must be found. */
  readonly imports?: readonly string[];
  /** Whether connections that stall are waited for, until the server has had enough of them. */
  readonly stalls: boolean;
  /** So many things that are wrong are enough to go by. */
  readonly failuresLimit: number;
  /** Told now and then how far it is. */
  readonly onProgress?: (done: number) => void;
}

/** So many requests, until what would go on for ever is ended. */
const TIDY_EVERY = 150;

/** Sends requests made of a seed to two real servers, and looks at all that comes of them. */
export async function fuzz(options: Options): Promise<Report> {
  const { imports = [] } = options;
  const places: Place[] = [];
  const tally = new Tally(options.seed);
  try {
    for (const access of ['tokens', 'loopback'] as const) {
      places.push(await openPlace(access, imports));
    }
    const stalled = options.stalls ? places.map(stallAt) : [];
    for (const place of places) await lookAround(place);
    tally.memory = await send(places, tally, options);
    for (const fault of (await Promise.all(stalled)).flat().flatMap(stallFaults)) {
      tally.fail({ fault });
    }
    for (const fault of memoryFaults(tally.memory, options.growthLimit)) tally.fail({ fault });
    for (const place of places) {
      const server = place.server.name;
      for (const fault of await endFaults(place)) tally.fail({ fault, server });
    }
    return tally.report(places);
  } finally {
    for (const place of places) place.remove();
  }
}

/** Sends all requests, and gives how memory was meanwhile. */
async function send(
  places: readonly Place[],
  tally: Tally,
  { requests, seed, deadlineMs, failuresLimit, onProgress }: Options,
): Promise<readonly Memory[]> {
  const memory: Memory[] = [];
  for (let index = 0; index < requests; index++) {
    const random = chanceAt(seed, index);
    const [place, foreign] = random.chance(0.6) ? places : places.toReversed();
    if (place === undefined || foreign === undefined) throw new Error('two servers are needed');
    if (index % TIDY_EVERY === TIDY_EVERY - 1) for (const one of places) await tidy(one);
    await take(place, { index, random, tally, deadlineMs, foreign: foreign.pool });
    const hasEnded = places.some(({ server }) => server.hasEnded());
    if (hasEnded || tally.failures.length >= failuresLimit) break;
    if (isMeasured(index + 1, requests)) memory.push(await measure(places, index + 1));
    if (index % 100 === 0) onProgress?.(index);
  }
  return memory;
}
