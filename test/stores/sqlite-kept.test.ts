import { expect, test } from 'vitest';
import { Kept } from '../../server/stores/sqlite-kept.ts';
import { run } from '../builders.ts';
import { shareThatOutlives } from '../outlives.ts';

/** What a store keeps of what it wrote last. */

test('what is let go is gone, and what is put anew is what is there', () => {
  const { runs } = new Kept();
  const first = run({ id: 'a!1' });
  runs.put('a!1', first);
  expect(runs.get('a!1')).toBe(first);

  const second = run({ id: 'a!1', state: 'queued' });
  runs.put('a!1', second);
  expect(runs.get('a!1')).toBe(second);

  runs.drop('a!1');
  expect(runs.get('a!1')).toBeUndefined();
  runs.put('a!1', first);
  expect(runs.get('a!1')).toBe(first);
});

test('with too many, those that were put there first are let go', () => {
  const { runs } = new Kept();
  for (let i = 0; i < 1000; i += 1) runs.put(`a!${i}`, run({ id: `a!${i}` }));

  const left = Array.from({ length: 1000 }, (_, i) => i).filter((i) => runs.get(`a!${i}`));

  expect(left.length).toBeGreaterThan(100);
  expect(left.length).toBeLessThan(500);
  expect(left.at(0)).toBe(1000 - left.length);
});

test('of what was let go nothing is kept, not even for a while', async () => {
  const { runs } = new Kept();
  const share = await shareThatOutlives((output, n) => {
    runs.put(`a!${n}`, { ...run({ id: `a!${n}` }), output: JSON.stringify(output) });
    if (n >= 10) runs.drop(`a!${n - 10}`);
  });

  expect(share).toBeLessThan(0.1);
});
