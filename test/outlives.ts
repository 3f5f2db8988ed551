import { getHeapSpaceStatistics } from 'node:v8';
import { collector } from '../server/process/collect.ts';

/*
 * What V8 keeps of things that nobody needs any more. It looks at what was made lately, and copies
 * what anything old holds on to, itself needed or not: then it is kept until all is collected.
 */

const ROUNDS = 20;
const OF_ROUND = 100;
const BYTES = 4000;

export const bytesIn = (space: 'old_space' | 'new_space'): number =>
  getHeapSpaceStatistics().find((one) => one.space_name === space)?.space_used_size ?? NaN;

/** Which share of what `use` was given outlives it for a while. */
export async function shareThatOutlives(use: (thing: object, n: number) => void): Promise<number> {
  const collect = await collector();
  collect();
  const before = bytesIn('old_space');
  for (let round = 0; round < ROUNDS; round += 1) {
    for (let i = 0; i < OF_ROUND; i += 1) {
      use(
        Array.from({ length: BYTES / 8 }, () => i),
        round * OF_ROUND + i,
      );
    }
    collect({ type: 'minor' });
  }
  return (bytesIn('old_space') - before) / (ROUNDS * OF_ROUND * BYTES);
}
