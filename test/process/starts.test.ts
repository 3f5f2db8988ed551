import { availableParallelism } from 'node:os';
import { describe, expect, test } from 'vitest';
import { Starts } from '../../server/process/isolated/starts.ts';
import { testClock } from '../test-clock.ts';

const FEW = availableParallelism();

async function open(wanted: number) {
  const clock = testClock();
  const starts = new Starts(clock);
  const begun: number[] = [];
  const leave = Array.from({ length: wanted }, (_, n) => starts.enter(() => begun.push(n)));
  await clock.advance(0);
  return { clock, begun, leave };
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe('workers of isolated handlers', () => {
  test('start few at a time, in the order in which they were asked for', async () => {
    const { clock, begun, leave } = await open(FEW + 3);

    const first = [...begun];
    leave[0]?.();
    leave[0]?.();
    await clock.advance(0);

    expect(first).toEqual(upTo(FEW));
    expect(begun).toEqual(upTo(FEW + 1));
  });

  test('do not start when they are not wanted any more', async () => {
    const { clock, begun, leave } = await open(FEW + 2);

    leave[FEW]?.();
    leave[0]?.();
    await clock.advance(0);

    expect(begun).toEqual([...upTo(FEW), FEW + 1]);
  });

  test('wait no longer than 3 s for one that does not get on', async () => {
    const { clock, begun } = await open(FEW + 1);

    await clock.advance(2999);
    const before = begun.length;
    await clock.advance(1);

    expect(before).toBe(FEW);
    expect(begun.length).toBe(FEW + 1);
  });
});
