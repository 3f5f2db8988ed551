import { describe, expect, onTestFinished, test } from 'vitest';
import { Random } from '../simulation/random.ts';
import { conclude, violationsOf } from '../chaos/afterwards.ts';
import { openFleet } from '../chaos/fleet.ts';
import { firestoreGround, foundWithinMs } from '../chaos/ground.ts';
import { figures } from '../chaos/report.ts';
import { EVENLY, strike } from '../chaos/strikes.ts';
import { tempFolder } from '../process/server.ts';
import { emulator } from './fixture.ts';

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
/** To start servers, and to end them, on a machine that other tests keep busy. */
const AROUND_MS = 180_000;
/** Other tests may keep the machine busy meanwhile. */
const SLOW_MS = 60_000;

describe.skipIf(emulator === null)('three servers on one Firestore, killed and stopped', () => {
  const timeout = FORM.forMs + AROUND_MS;

  test(`keep every promise (seed ${seed})`, { timeout }, async () => {
    const ground = firestoreGround({ emulator: emulator ?? '' });
    const place = { ground, folder: tempFolder(), scope: { onEnd: onTestFinished } };
    const fleet = await openFleet({ ...place, servers: SERVERS, jobs: FORM.jobs });
    const until = Date.now() + FORM.forMs;

    const struck = await strike(fleet, new Random(seed), {
      deck: EVENLY,
      atOnce: 0,
      gapMs: 2200,
      calmMs: 0,
      goesOn: () => Date.now() < until,
    });
    const outcome = await conclude(fleet);

    const title = `${SERVERS} servers, ${FORM.jobs} jobs, ${FORM.forMs / 1000} s`;
    process.stdout.write(figures(title, outcome, { ...struck }));
    expect(violationsOf(outcome)).toEqual([]);
    expect(Math.min(...Object.values(struck))).toBeGreaterThan(0);
    const { killed, stopped } = outcome.recoveries;
    expect(Math.max(0, ...killed, ...stopped)).toBeLessThan(foundWithinMs(ground) + SLOW_MS);
  });
});
