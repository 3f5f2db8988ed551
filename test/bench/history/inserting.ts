import type { Service } from '../../../server/service.ts';
import { lifecycles } from '../file-service.ts';
import { median } from '../measure.ts';
import type { Result } from '../section.ts';
import { jobName } from './filled.ts';

/*
 * Whole lifecycles a second, with a file that is empty at first and with one that is full, in turns.
 * Each is asked for under a key, so that its id lies anywhere in the index: that of an occurrence
 * lies behind the one before, which is easier.
 */

const AT_ONCE: Readonly<Record<string, number>> = {
  'one at a time': 1,
  '16 at once, of 16 jobs': 16,
};
const ROUNDS = 7;
const ROUND_MS = 1000;
const MOST_TIMES = 1.3;

const request = () => ({ key: crypto.randomUUID() });

export async function measureInserts(
  empty: Service,
  full: Service,
  say: (doing: string) => void,
): Promise<Result> {
  const rows: [string, number, number, number][] = [];
  for (const [what, atOnce] of Object.entries(AT_ONCE)) {
    say(`lifecycles, ${what}`);
    const names = Array.from({ length: atOnce }, (_, i) => jobName(i));
    const found = { empty: [] as number[], full: [] as number[] };
    for (let round = -1; round < ROUNDS; round += 1) {
      for (const [name, service] of [['empty', empty] as const, ['full', full] as const]) {
        const perSecond = await lifecycles(service, names, { ms: ROUND_MS, request });
        // The first is the warm-up.
        if (round >= 0) found[name].push(perSecond);
      }
    }
    const [few, many] = [median(found.empty), median(found.full)];
    rows.push([what, few, many, few / many]);
  }
  const columns = ['', 'empty file', '1,000,000 runs', 'times slower'];
  const bars = rows.map(([what, , , measured]) => {
    const bound = { under: MOST_TIMES };
    return { what: `lifecycles, ${what}: slower`, measured, unit: 'times', bound };
  });
  return { tables: [{ title: 'Lifecycles a second, durable', columns, rows }], bars };
}
