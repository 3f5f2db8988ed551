import type { Scenario } from './scenarios.ts';
import type { Blow, Planned } from './script.ts';
import { tell, type Told } from './story.ts';

export interface Tried {
  readonly times: number;
  readonly failed: readonly { readonly planned: readonly Planned[]; readonly violation: string }[];
}

/** What can strike at each point from `from` on, as a story told once has come to them. */
function blowsFrom({ points }: Told, from: number): Planned[] {
  return points.slice(from).flatMap((kind, i) => {
    const blows: readonly Blow[] =
      kind === 'wait' ? ['crash'] : ['unknown, applied', 'unknown, not applied'];
    return blows.map((blow) => ({ point: from + i, blow }));
  });
}

/** Tells a story as it goes by itself, and again with every blow at every point where it waits. */
export async function tellWithEveryBlow(scenario: Scenario): Promise<Tried> {
  const calm = await tell(scenario, []);
  const failed = [...failureOf(calm, [])];
  const blows = blowsFrom(calm, 0);
  for (const blow of blows) failed.push(...failureOf(await tell(scenario, [blow]), [blow]));
  return { times: blows.length + 1, failed };
}

/** Tells a story with every two blows: the second at any point that comes after the first. */
export async function tellWithEveryPair(scenario: Scenario): Promise<Tried> {
  const calm = await tell(scenario, []);
  let times = 0;
  const failed: Tried['failed'][number][] = [];
  for (const first of blowsFrom(calm, 0)) {
    const struck = await tell(scenario, [first]);
    for (const second of blowsFrom(struck, first.point + 1)) {
      const both = [first, second];
      failed.push(...failureOf(await tell(scenario, both), both));
      times++;
    }
  }
  return { times, failed };
}

const failureOf = ({ violation }: Told, planned: readonly Planned[]): Tried['failed'] =>
  violation === undefined ? [] : [{ planned, violation }];
