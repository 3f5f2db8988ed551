import { plant } from './planting.ts';

/**
 * Lives lives in a program with a fault planted into it, until one of them finds it. Prints one line
 * of JSON: that seed and what was broken, and what was counted.
 *
 *   node test/simulation/plant.ts NAME SEED [SEED …]    `--all` first: goes on to the last seed
 */
const all = process.argv[2] === '--all';
const [name = '', ...seeds] = process.argv.slice(all ? 3 : 2);
if (name !== '') plant(name);

const { live } = await import('./life.ts');
const counts = new Map<string, number>();
let found: { seed: string; violation: string } | undefined;
for (const seed of seeds) {
  const lived = await live(seed);
  for (const [what, count] of lived.counts) counts.set(what, (counts.get(what) ?? 0) + count);
  if (lived.violation !== undefined) found ??= { seed, violation: lived.violation };
  if (found !== undefined && !all) break;
}
process.stdout.write(`${JSON.stringify({ found, counts: Object.fromEntries(counts) })}\n`);
