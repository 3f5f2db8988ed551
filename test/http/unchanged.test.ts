import { expect, test } from 'vitest';
import { Unchanged } from '../../server/http/pages/unchanged.ts';

const MINUTE = 60_000;

function kept() {
  const lists = new Unchanged<number>();
  let reads = 0;
  let quiet = true;
  const get = (key: string, monotonic: number) =>
    lists.get(
      key,
      { store: 1000 + monotonic, monotonic },
      { holds: () => Promise.resolve(quiet), read: () => Promise.resolve((reads += 1)) },
    );
  return { get, happen: () => (quiet = false), calm: () => (quiet = true) };
}

test('a list stands as long as nothing happened, and is read again when something did', async () => {
  const { get, happen, calm } = kept();

  const before = [await get('a', 0), await get('a', MINUTE), await get('b', MINUTE)];
  happen();
  const after = await get('a', 2 * MINUTE);
  calm();

  expect(before).toEqual([1, 1, 2]);
  expect([after, await get('a', 3 * MINUTE)]).toEqual([3, 3]);
});

test('whatever its mark says, a list is read again after ten minutes', async () => {
  const { get } = kept();

  const read = [await get('a', 0), await get('a', 9 * MINUTE), await get('a', 11 * MINUTE)];

  expect(read).toEqual([1, 1, 2]);
});

test('no more than 20 lists are kept, the ones read last', async () => {
  const { get } = kept();
  for (let i = 0; i < 21; i += 1) await get(`list-${i}`, 0);

  const [first, last] = [await get('list-0', 1), await get('list-20', 1)];

  expect([first, last]).toEqual([22, 21]);
});

test('what is asked of a list is when it was read, by the store’s time', async () => {
  const lists = new Unchanged<string>();
  const seen: number[] = [];
  const asked = {
    holds: (_: string, asOf: number) => Promise.resolve(seen.push(asOf) > 0),
    read: () => Promise.resolve('list'),
  };

  await lists.get('a', { store: 500, monotonic: 0 }, asked);
  await lists.get('a', { store: 900, monotonic: 1 }, asked);

  expect(seen).toEqual([500]);
});
