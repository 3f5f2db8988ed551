import { describe, expect, test } from 'vitest';
import { Random } from '../simulation/random.ts';
import { conclude, expectKept, figures } from '../chaos/afterwards.ts';
import { emulator } from './fixture.ts';
import { FOUND_WITHIN_MS, openFleet, STRIKES, strikeFor } from '../chaos/fleet.ts';

/**
 * Servers that share one Firestore are killed, told to stop and stopped for longer than a lease, at
 * random. The long form takes five minutes, and another seed each time.
 */
const LONG = process.env['PUNCTUAL_TEST_LONG'] === '1';
const SERVERS = 3;
const FORM = LONG
  ? { jobs: 20, forMs: 300_000, seed: `${Date.now()}` }
  : { jobs: 8, forMs: 12_000, seed: 'short' };
const { seed = FORM.seed } = { seed: process.env['PUNCTUAL_TEST_SEED'] };
/** To start servers, and to end them. */
const AROUND_MS = 60_000;

describe.skipIf(emulator === null)('three servers on one Firestore, killed and stopped', () => {
  const timeout = FORM.forMs + AROUND_MS;

  test(`keep every promise (seed ${seed})`, { timeout }, async () => {
    const fleet = await openFleet({ count: SERVERS, jobs: FORM.jobs });

    const strikes = await strikeFor(fleet, FORM.forMs, new Random(seed));
    const outcome = await conclude(fleet);

    const counts = STRIKES.map((kind) => [kind, strikes.filter((one) => one === kind).length]);
    const title = `${SERVERS} servers, ${FORM.jobs} jobs, ${FORM.forMs / 1000} s`;
    process.stdout.write(figures(title, outcome, Object.fromEntries(counts)));
    expectKept(outcome);
    expect(new Set(strikes)).toEqual(new Set(STRIKES));
    expect(Math.max(0, ...outcome.recoveries)).toBeLessThan(FOUND_WITHIN_MS);
  });
});
