import { describe, expect, onTestFinished, test } from 'vitest';
import { tempFolder } from '../process/server.ts';
import { chaos } from './chaos.ts';
import { reportText } from './report.ts';
import { EVENLY } from './strikes.ts';

/** The short form; `npm run chaos` goes on for as long as it is told. */
const FOR_MS = 15_000;
const TIMEOUT_MS = 240_000;
const { seed } = { seed: process.env['PUNCTUAL_TEST_SEED'] ?? 'short' };

describe('three servers on one SQLite file, killed, stopped and asked for much', () => {
  test(`keep every promise (seed ${seed})`, { timeout: TIMEOUT_MS }, async () => {
    const report = await chaos({
      seed,
      emulator: null,
      forMs: FOR_MS,
      kills: Infinity,
      deck: EVENLY,
      folder: tempFolder(),
      scope: { onEnd: onTestFinished },
    });

    const again = `npm run chaos -- --minutes 1 --seed ${seed}`;
    process.stdout.write(reportText(report, { again, folder: 'a folder that is gone' }));
    expect(report.violations).toEqual([]);
    expect(report.struck.SIGKILL).toBeGreaterThan(0);
    expect(report.outcome.found.attempts.size).toBeGreaterThan(100);
  });
});
