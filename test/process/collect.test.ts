import { expect, test } from 'vitest';
import { collectYoung } from '../../server/process/collect.ts';
import { bytesIn } from '../outlives.ts';

test('what was made lately, and is not needed any more, is given back', async () => {
  // Where V8 collects it by itself meanwhile, there is nothing left to be seen.
  await expect
    .poll(
      async () => {
        let made: unknown[] = [];
        for (let i = 0; i < 5000; i += 1) made.push({ i, text: [`${i}`] });
        made = [];
        const before = bytesIn('new_space');
        await collectYoung();
        return before / bytesIn('new_space');
      },
      { interval: 1 },
    )
    .toBeGreaterThan(2);
  expect('gc' in globalThis).toBe(false);
});
