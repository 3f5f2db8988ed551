import { describe, expect, onTestFinished, test } from 'vitest';
import { Random } from '../simulation/random.ts';
import { conclude, violationsOf } from '../chaos/afterwards.ts';
import { openFleet } from '../chaos/fleet.ts';
import { firestoreGround } from '../chaos/ground.ts';
import { askUntil } from '../chaos/people.ts';
import { PASS, startProxy } from '../chaos/proxy.ts';
import { asked as askedFor, figures } from '../chaos/report.ts';
import { COMMITS, READS, swarm } from '../chaos/swarm.ts';
import { tempFolder } from '../process/server.ts';
import { emulator } from './fixture.ts';

/**
 * Servers that reach Firestore by a connection that delays, loses, refuses and doubts, while people
 * ask for runs, cancels and pauses. The long form takes some minutes, and other seeds each time.
 */
const LONG = process.env['PUNCTUAL_TEST_LONG'] === '1';
const FORM = LONG
  ? { servers: 3, jobs: 16, forMs: 75_000, seeds: [1, 2, 3, 4].map((n) => `${Date.now()}-${n}`) }
  : { servers: 2, jobs: 8, forMs: 12_000, seeds: ['short'] };
const { seed } = { seed: process.env['PUNCTUAL_TEST_SEED'] };
const SEEDS = seed === undefined ? FORM.seeds : [seed];
/** To start servers, and to end them, on a machine that other tests keep busy. */
const AROUND_MS = 180_000;

describe.skipIf(emulator === null)('servers on a bad connection to Firestore', () => {
  const timeout = FORM.forMs + AROUND_MS;

  test.each(SEEDS)('keep every promise (seed %s)', { timeout }, async (seed) => {
    const random = new Random(seed);
    const scope = { onEnd: onTestFinished };
    const proxy = await startProxy(emulator ?? '', scope);
    const ground = firestoreGround({ emulator: emulator ?? '', address: proxy.address });
    const fleet = await openFleet({ ...FORM, ground, folder: tempFolder(), scope });

    proxy.setFates(swarm(random, { part: LONG }));
    const asked = await askUntil(AbortSignal.timeout(FORM.forMs), fleet, random);
    proxy.setFates(() => PASS);
    const outcome = await conclude(fleet, asked);

    const { servers, jobs, forMs } = FORM;
    const title = `${servers} servers, ${jobs} jobs, ${forMs / 1000} s, seed ${seed}`;
    const fates = Object.fromEntries(proxy.fates);
    const more = { ...fates, 'late, and applied': proxy.appliedLate(), ...askedFor(asked) };
    process.stdout.write(figures(title, outcome, more));
    expect(violationsOf(outcome)).toEqual([]);
    // A slow machine makes fewer calls, so that a rare kind may not come in the short form.
    const met = [...proxy.fates.keys()].filter((kind) => KINDS.includes(kind));
    expect(met.length).toBeGreaterThanOrEqual(LONG ? 1 : KINDS.length - 3);
  });
});

const KINDS = Object.keys({ ...COMMITS, ...READS });
