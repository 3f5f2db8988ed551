import { setTimeout as pause } from 'node:timers/promises';
import { quantile } from '../../load/figures.ts';
import { median } from '../measure.ts';
import { AT_ONCE, type EverySecond, type Measure, type Peer } from './peer.ts';
import { within } from './within.ts';

const ROUNDS = 5;
const ROUND_MS = 1000;
const WARM_UP_MS = 300;
/** From an end to the next call, where it is measured how soon the handler starts. */
const PAUSE_MS = 5;
/** Of each turn, so there are 20 in all. */
const STARTS = 4;

export interface Found {
  readonly peer: Peer;
  readonly measure: Measure;
  /** Lifecycles a second; or the median and the p99 of the ms from the call to the start. */
  readonly figures: readonly number[];
  /** Why there are no figures. */
  readonly fault: string | undefined;
}

/** Measures all that is to be measured of the peers, in turns; of each the median of the rounds. */
export async function lifecycles(
  peers: readonly Peer[],
  say: (doing: string) => void,
): Promise<readonly Found[]> {
  const ended = new Map<Peer, number>();
  const cases = peers.flatMap((peer) => peer.measures.map((measure) => ({ peer, measure })));
  const rounds = cases.map((): (readonly number[])[] => []);
  const faults: (string | undefined)[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [i, { peer, measure }] of cases.entries()) {
      if (faults[i] !== undefined) continue;
      say(`${peer.name}, ${measure}, round ${round} of ${ROUNDS}`);
      const count = (): void => void ended.set(peer, (ended.get(peer) ?? 0) + 1);
      const run = () => RUN[measure](peer, round === 0 ? WARM_UP_MS : ROUND_MS, count);
      try {
        const figures = await within(run());
        // The first is the warm-up.
        if (round > 0) rounds[i]?.push(figures);
      } catch (error) {
        faults[i] = why(error);
      }
    }
  }
  const lacking = new Map<Peer, string>();
  for (const peer of peers) {
    const kept = await within(peer.kept()).catch(why);
    const due = ended.get(peer) ?? 0;
    if (typeof kept === 'string') lacking.set(peer, kept);
    else if (kept < due) lacking.set(peer, `${due} ended, and ${kept} are in its history`);
  }
  return cases.map(({ peer, measure }, i) => {
    const fault = faults[i] ?? lacking.get(peer);
    const all = rounds[i] ?? [];
    const medians = (all[0] ?? []).map((_, n) => median(all.map((figures) => figures[n] ?? NaN)));
    return { peer, measure, figures: fault === undefined ? medians : [], fault };
  });
}

/** One round of a case; each lifecycle that ended is counted. */
type Run = (peer: Peer, ms: number, count: () => void) => Promise<readonly number[]>;

const RUN: Readonly<Record<Measure, Run>> = {
  'one at a time': (peer, ms, count) => rate(peer, 1, { ms, count }),
  '16 at once': (peer, ms, count) => rate(peer, AT_ONCE, { ms, count }),
  'call to start': async (peer, ms, count) => {
    const found: number[] = [];
    for (const from = performance.now(); performance.now() - from < ms;) {
      const calledAt = performance.now();
      found.push((await peer.lifecycle(0)) - calledAt);
      count();
      await pause(PAUSE_MS);
    }
    return [quantile(found, 0.5), quantile(found, 0.99)];
  },
};

async function rate(
  peer: Peer,
  atOnce: number,
  { ms, count }: { readonly ms: number; readonly count: () => void },
): Promise<readonly number[]> {
  let ended = 0;
  const from = performance.now();
  const inTurn = async (place: number): Promise<void> => {
    while (performance.now() - from < ms) {
      await peer.lifecycle(place);
      ended += 1;
      count();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, (_, place) => inTurn(place)));
  return [(ended / (performance.now() - from)) * 1000];
}

/** How late each started, in ms; or in place of that why it is not known. */
export async function lateness(
  turns: readonly (readonly EverySecond[])[],
  say: (doing: string) => void,
): Promise<ReadonlyMap<EverySecond, readonly number[] | string>> {
  const starts = new Map<EverySecond, number[]>(turns.flat().map((one) => [one, []]));
  const faults = new Map<EverySecond, string>();
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const turn of turns) {
      say(
        `every second, ${turn.map(({ name }) => name).join(' and ')}, round ${round} of ${ROUNDS}`,
      );
      const able = turn.filter((one) => !faults.has(one));
      await Promise.all(
        able.map(async (one) => {
          try {
            const more = await one.lateness(STARTS);
            starts.get(one)?.push(...more);
          } catch (error) {
            faults.set(one, why(error));
          }
        }),
      );
    }
  }
  return new Map(turns.flat().map((one) => [one, faults.get(one) ?? starts.get(one) ?? []]));
}

/** One line of it. */
export const why = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
