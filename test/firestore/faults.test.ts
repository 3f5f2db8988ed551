import { describe, expect, test } from 'vitest';
import { Random } from '../simulation/random.ts';
import { conclude, expectKept, figures } from '../chaos/afterwards.ts';
import { emulator } from './fixture.ts';
import { askFor, untrue } from '../chaos/people.ts';
import { openFleet } from '../chaos/fleet.ts';
import { PASS, startProxy } from '../chaos/proxy.ts';
import { COMMITS, READS, swarm } from '../chaos/swarm.ts';

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
/** To start servers, and to end them. */
const AROUND_MS = 60_000;

describe.skipIf(emulator === null)('servers on a bad connection to Firestore', () => {
  const timeout = FORM.forMs + AROUND_MS;

  test.each(SEEDS)('keep every promise (seed %s)', { timeout }, async (seed) => {
    const random = new Random(seed);
    const proxy = await startProxy(emulator ?? '');
    const fleet = await openFleet({ ...FORM, count: FORM.servers, address: proxy.address });

    proxy.setFates(swarm(random, { part: LONG }));
    const calm = (): void => proxy.setFates(() => PASS);
    const asked = await askFor(fleet, { ms: FORM.forMs, jobs: FORM.jobs, random }, calm);
    const outcome = await conclude(fleet);

    const { servers, jobs, forMs } = FORM;
    const title = `${servers} servers, ${jobs} jobs, ${forMs / 1000} s, seed ${seed}`;
    const answers = [...asked.runs.values()].flatMap((one) => one.answers);
    process.stdout.write(
      figures(title, outcome, {
        ...Object.fromEntries(proxy.fates),
        'late, and applied': proxy.appliedLate(),
        'keys asked for': asked.runs.size,
        'answered 202 / 409 / 503': [202, 409, 503]
          .map((status) => answers.filter((one) => one.status === status).length)
          .join(' / '),
        'cancels, pauses': `${asked.cancelled.length}, ${asked.pauses.length}`,
      }),
    );
    expectKept(outcome);
    expect(untrue(asked, outcome.runs)).toEqual([]);
    // A slow machine makes fewer calls, so that a rare kind may not come in the short form.
    const met = [...proxy.fates.keys()].filter((kind) => KINDS.includes(kind));
    expect(met.length).toBeGreaterThanOrEqual(LONG ? 1 : KINDS.length - 3);
  });
});

const KINDS = Object.keys({ ...COMMITS, ...READS });
