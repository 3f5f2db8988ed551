import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../server/process/clock.ts';

const after = (ms: number): Promise<{ wallMs: number; ms: number }> => {
  const [wall, from] = [systemClock.wall(), systemClock.monotonic()];
  return new Promise((resolve) => {
    systemClock.after(
      ms,
      () => resolve({ wallMs: systemClock.wall() - wall, ms: systemClock.monotonic() - from }),
      true,
    );
  });
};

describe('a wait that is to be exact', () => {
  test.each([0, 1, 3, 4, 20])(
    'of %i ms ends when the wall clock says so, not before',
    async (ms) => {
      for (let time = 0; time < 5; time += 1) {
        const waited = await after(ms);

        // The end of a wait that the wall clock was set back or on in is the monotonic clock's.
        expect(waited.ms >= ms || waited.wallMs >= ms).toBe(true);
        expect(waited.ms).toBeGreaterThan(ms - 1.1);
      }
    },
  );

  test.each([2, 30])('of %i ms is cancelled for good', async (ms) => {
    const calls: number[] = [];
    const cancel = systemClock.after(ms, () => calls.push(ms), true);

    await pause(0);
    // Where the machine was busy for so long, it was called in time.
    const before = calls.length;
    cancel();
    await pause(ms + 30);

    expect(calls).toHaveLength(before);
  });

  test('is the only one that keeps the process busy', async () => {
    const busyMs = async (exact: boolean): Promise<number> => {
      // Of its own thread: how long it is kept from running is the machine's affair.
      const before = process.threadCpuUsage();
      await new Promise<void>((resolve) => void systemClock.after(300, resolve, exact));
      const { user, system } = process.threadCpuUsage(before);
      return (user + system) / 1000;
    };

    expect(await busyMs(true)).toBeLessThan(200);
    expect(await busyMs(false)).toBeLessThan(200);
  });
});
