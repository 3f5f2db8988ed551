import { describe, expect, test } from 'vitest';
import { Random } from '../simulation/random.ts';
import { DAY, expectKept, HOUR, MINUTE, scene, SECOND, type Scene } from './scenario.ts';
import { covered, expected, jobsOf, scheduledOf, times, type Place } from './schedules.ts';
import { TRANSITIONS } from './transitions.ts';

/*
 * The whole service lives a year of each odd zone, and is killed or stopped every other day, and
 * around each transition every few minutes. Only in the long form.
 */

const LONG = process.env['PUNCTUAL_TEST_LONG'] === '1';
const { seed = `${Date.now()}` } = { seed: process.env['PUNCTUAL_TEST_SEED'] };

const YEARS: readonly (Place & { readonly year: number })[] = [
  { zone: 'America/New_York', year: 2026, fixed: '30 2 * * *' },
  { zone: 'Australia/Lord_Howe', year: 2026, fixed: '15 2 * * *' },
  { zone: 'Pacific/Apia', year: 2011, fixed: '0 12 * * *' },
  { zone: 'Europe/Dublin', year: 2028, fixed: '15 1 29 2 *' },
];

/** Goes through a year, with an end of the process now and then; gives how many there were. */
async function liveThrough(here: Scene, { to, zone }: { to: number; zone: string }) {
  const { machine } = here;
  const random = new Random(seed);
  const odd = TRANSITIONS.filter((one) => one.zone === zone).map(({ at }) => Date.parse(at));
  let ends = 0;
  while (machine.now < to) {
    const near = odd.some((at) => Math.abs(machine.now - at) < 2 * HOUR);
    const next = odd.filter((at) => at - HOUR > machine.now).map((at) => at - HOUR);
    const wait = random.wait(near ? 10 * MINUTE : 2 * DAY);
    await machine.pass(Math.min(wait, to - machine.now, ...next.map((at) => at - machine.now)));
    if (machine.now >= to) break;
    if (random.chance(0.7)) here.process.kill();
    else await here.process.stop();
    machine.standFor(random.between(SECOND, 5 * MINUTE));
    here.process = await here.another();
    ends += 1;
  }
  // By then all that was left is found.
  await machine.pass(10 * MINUTE);
  return ends;
}

describe.runIf(LONG)('a year of $zone', () => {
  test.each(YEARS)(`in $zone, $year (seed ${seed})`, { timeout: 3_600_000 }, async (place) => {
    const from = Date.UTC(place.year, 0, 1);
    const to = Date.UTC(place.year + 1, 0, 1);
    const here = await scene((journal, of) => jobsOf(place, journal, of), {
      from,
      // Looks at the clock each five minutes where nothing is due, for the sake of time.
      env: { PUNCTUAL_TICK_MS: '600000' },
    });

    const ends = await liveThrough(here, { to, zone: place.zone });

    const runs = (await expectKept(here)).filter(({ at }) => at <= to);
    const counts: Record<string, number> = {};
    for (const [name, instants] of expected(place, { from, to })) {
      expect({ [name]: covered(runs, name) }).toEqual({ [name]: instants.length });
      counts[name] = instants.length;
      if (name === 'long') continue;
      expect(times(scheduledOf(runs, name)).length).toBe(instants.length);
      expect({ [name]: scheduledOf(runs, name) }).toEqual({ [name]: instants });
    }
    const total = Object.values(counts).reduce((a, b) => a + b, 0);
    process.stdout.write(
      `${place.zone} ${place.year}: ${total} occurrences, ${here.journal.all.length} starts, ` +
        `the process ended ${ends} times\n`,
    );
  });
});
