import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { FOUND } from './found.ts';
import { PLANTED, WASTEFUL } from './planted.ts';

/** A checker that can't fail proves nothing: faults that are planted must be found. */

const WITHIN_SEEDS = 200;

const script = fileURLToPath(new URL('./plant.ts', import.meta.url));
const seeds = Array.from({ length: WITHIN_SEEDS }, (_, i) => String(i + 1));

interface Outcome {
  readonly found?: { readonly seed: string; readonly violation: string };
  readonly counts: Readonly<Record<string, number>>;
}

async function plant(...args: readonly string[]): Promise<Outcome> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args]);
  return JSON.parse(stdout);
}

describe('a fault that was in some other scheduler, or might be, is found within 200 seeds', () => {
  test.for(PLANTED)('$name ($known)', { timeout: 120_000 }, async ({ name, seed }) => {
    const { found } = await plant(name, String(seed), ...seeds);

    expect(Number(found?.seed)).toBeLessThanOrEqual(WITHIN_SEEDS);
  });

  test('there are at least eighteen of them', () => {
    expect(PLANTED.length).toBeGreaterThanOrEqual(18);
  });
});

describe('a fault that was in this program is found by its seed', () => {
  test.for(FOUND)('$name ($known)', { timeout: 120_000 }, async ({ name, seed }) => {
    const { found } = await plant(name, String(seed));
    const { found: without } = await plant('', String(seed));

    expect(found?.seed).toBe(String(seed));
    expect(without).toBeUndefined();
  });
});

test('a fault that is safe but wasteful is found by its rate', { timeout: 120_000 }, async () => {
  const rateOf = ({ counts }: Outcome): number =>
    (counts['unattended'] ?? 0) / (counts['grants'] ?? 1);

  const [own, planted] = await Promise.all([
    plant('--all', '', ...seeds),
    plant('--all', WASTEFUL.name, ...seeds),
  ]);

  expect(own.found).toBeUndefined();
  expect(rateOf(own)).toBeLessThan(0.015);
  expect(rateOf(planted)).toBeGreaterThan(2 * rateOf(own));
});
