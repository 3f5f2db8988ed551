import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../simulation/random.ts';
import type { Fleet } from './fleet.ts';

/** What strikes servers, drawn from a seed. */

export const STRIKES = ['SIGKILL', 'SIGTERM', 'SIGSTOP'] as const;
export type Strike = (typeof STRIKES)[number];

/** How often each kind comes, and when it is over. */
export interface Striking {
  /** As many of each as there are in here, in any order; then so many again. */
  readonly deck: readonly Strike[];
  /** How often all servers are struck at once. */
  readonly atOnce: number;
  /** How long it takes until the next at most. */
  readonly gapMs: number;
  /**
   * For how long a server is left alone at most, once it is back: on a slow machine they would do
   * nothing but start, if they were struck as soon as they can be.
   */
  readonly calmMs: number;
  /** Asked before each strike: whether it goes on, after so many of each kind. */
  goesOn(struck: Struck): boolean;
}

export type Struck = Readonly<Record<Strike, number>>;

/** Each kind as often as the other. */
export const EVENLY: readonly Strike[] = STRIKES;
/** Of ten strikes six kill at once, three tell to stop, and one makes stand still. */
export const MOSTLY_KILLS: readonly Strike[] = [
  ...Array.from({ length: 6 }, () => 'SIGKILL' as const),
  ...Array.from({ length: 3 }, () => 'SIGTERM' as const),
  'SIGSTOP',
];

/**
 * Strikes servers at random, then waits until all are there again. There may be moments in which
 * nobody is up.
 */
export async function strike(fleet: Fleet, random: Random, striking: Striking): Promise<Struck> {
  const struck = { SIGKILL: 0, SIGTERM: 0, SIGSTOP: 0 };
  const busy = new Map<number, Promise<void>>();
  const failed: unknown[] = [];
  let cards: Strike[] = [];
  while (failed.length === 0) {
    await wait(random.between(200, striking.gapMs));
    if (!striking.goesOn(struck)) break;
    const places = [...fleet.urls.keys()].filter((place) => !busy.has(place));
    const together = random.chance(striking.atOnce);
    if (places.length === 0) continue;
    if (cards.length === 0) cards = [...striking.deck];
    const [kind = 'SIGKILL'] = cards.splice(random.below(cards.length), 1);
    for (const place of together ? places : [random.pick(...places)]) {
      struck[kind] += 1;
      const [pauseMs, calmMs] = [random.between(0, 3000), random.between(0, striking.calmMs)];
      const again = strikeOne(fleet, place, { kind, pauseMs, calmMs })
        .catch((error: unknown) => void failed.push(error))
        .finally(() => busy.delete(place));
      busy.set(place, again);
    }
  }
  await Promise.all(busy.values());
  if (failed.length > 0) throw failed[0];
  return struck;
}

interface Blow {
  readonly kind: Strike;
  /** For how long it is away, or stands still beyond its lease. */
  readonly pauseMs: number;
  /** For how long it is left alone afterwards. */
  readonly calmMs: number;
}

async function strikeOne(fleet: Fleet, place: number, blow: Blow): Promise<void> {
  const { kind, pauseMs, calmMs } = blow;
  if (kind === 'SIGSTOP') {
    await fleet.stop(place, fleet.ground.leaseMs + 300 + pauseMs);
  } else {
    await fleet.end(place, kind);
    await wait(pauseMs / 2);
    await fleet.start(place);
  }
  await wait(calmMs);
}
