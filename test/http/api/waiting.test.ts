import { expect, test } from 'vitest';
import { inLine } from '../../../server/http/api/waiting.ts';

/** Those who wait in one process: so many of one, and of all. */

const wait = (name: string | null) => {
  let end: () => void = () => undefined;
  const over = new Promise<void>((resolve) => (end = resolve));
  const asked = inLine({ name }, () => over).then(
    () => 'waited',
    (error: unknown) => Reflect.get(Object(error), 'status'),
  );
  return { asked, end: () => end() };
};

test('one caller can not take all places from the others, and all together have a limit', async () => {
  const [ada, bob, eve] = ['ada', 'bob', null].map((name) =>
    Array.from({ length: 101 }, () => wait(name)),
  );

  for (const { end } of [...(ada ?? []), ...(bob ?? []), ...(eve ?? [])]) end();
  const outcomes = await Promise.all(
    [ada, bob, eve].map(async (all) => {
      const found = await Promise.all((all ?? []).map(({ asked }) => asked));
      return found.filter((one) => one === 'waited').length;
    }),
  );
  const later = wait('ada');
  later.end();

  expect(outcomes).toEqual([100, 100, 0]);
  expect(await later.asked).toBe('waited');
});
