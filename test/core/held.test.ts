import { describe, expect, test } from 'vitest';
import { isReckonable, momentOf, nowOf, sinceMs, type Held } from '../../server/core/held.ts';
import { jobRecord } from '../builders.ts';
import { TEST_START, testClock, type TestClock } from '../test-clock.ts';

const WITHIN_MS = 5000;

/** A record whose reply took so long, by either clock. */
async function heldFor(
  clock: TestClock,
  took: { readonly monotonicMs: number; readonly sleptMs: number },
): Promise<Held> {
  const askedAt = momentOf(clock);
  await clock.advance(took.monotonicMs);
  clock.setWall(clock.wall() + took.sleptMs);
  const times = { storeNow: TEST_START, unsteady: null, askedAt, at: momentOf(clock) };
  return { record: jobRecord(), version: '1', ...times };
}

const atOnce = { monotonicMs: 0, sleptMs: 0 };

describe('the store time that a held record stands for', () => {
  test('is never ahead of the truth, though the clock runs one in a hundred too fast', async () => {
    const clock = testClock();
    const held = await heldFor(clock, atOnce);

    await clock.advance(60_600);

    expect(nowOf(held, clock)).toBeLessThanOrEqual(TEST_START + 60_000);
    expect(nowOf(held, clock)).toBeGreaterThan(TEST_START + 59_000);
  });

  test('can be reckoned for as long as both clocks go on alike', async () => {
    const clock = testClock();
    const held = await heldFor(clock, { monotonicMs: WITHIN_MS, sleptMs: 0 });

    await clock.advance(3_600_000);

    expect(isReckonable(held, clock, WITHIN_MS)).toBe(true);
  });

  test.each([
    ['took too long', { monotonicMs: WITHIN_MS + 1, sleptMs: 0 }],
    ['took too long, though the clock was set back', { monotonicMs: 6000, sleptMs: -6000 }],
    ['came after a sleep of the machine', { monotonicMs: 0, sleptMs: WITHIN_MS + 1 }],
  ])('can not be reckoned where the reply %s', async (_what, took) => {
    const clock = testClock();

    const held = await heldFor(clock, took);

    expect(isReckonable(held, clock, WITHIN_MS)).toBe(false);
  });

  test.each([
    ['ahead, as by a sleep of the machine', WITHIN_MS + 1],
    ['back', -WITHIN_MS - 1],
  ])('can not be reckoned where the wall clock went %s meanwhile', async (_what, ms) => {
    const clock = testClock();
    const held = await heldFor(clock, atOnce);

    clock.setWall(clock.wall() + ms);

    expect(isReckonable(held, clock, WITHIN_MS)).toBe(false);
  });
});

test('time that passed is told by whichever clock went further', async () => {
  const clock = testClock();
  const then = momentOf(clock);
  await clock.advance(1000);
  const awake = sinceMs(clock, then);

  clock.setWall(clock.wall() + 60_000);
  const slept = sinceMs(clock, then);
  clock.setWall(TEST_START);

  expect([awake, slept, sinceMs(clock, then)]).toEqual([1000, 61_000, 1000]);
});
