import { expect, test } from 'vitest';
import { watchfulSignal } from '../../server/core/abort.ts';
import { shareThatOutlives } from '../outlives.ts';

test('a signal that is asked looks first whether it should fire, as after a standstill', () => {
  const controller = new AbortController();
  let over = false;
  const look = (): void => {
    if (over) controller.abort(new Error('the lease was lost'));
  };
  const signal = watchfulSignal(controller, look);
  const before = signal.aborted;
  signal.throwIfAborted();

  over = true;

  expect(before).toBe(false);
  expect(() => signal.throwIfAborted()).toThrow('the lease was lost');
  expect(signal.aborted).toBe(true);
  expect(AbortSignal.any([signal]).aborted).toBe(true);
});

test('what listens to it hears of it once, and it stays fired', async () => {
  const controller = new AbortController();
  const heard: string[] = [];
  const signal = watchfulSignal(controller, () => controller.abort('now'));
  signal.addEventListener('abort', () => heard.push(String(signal.reason)));

  const seen = [signal.aborted, signal.aborted];

  expect(seen).toEqual([true, true]);
  expect(heard).toEqual(['now']);
  await expect(fetch('http://127.0.0.1:1', { signal })).rejects.toBe('now');
});

test('one that is not needed any more keeps nothing of its attempt, not even for a while', async () => {
  const share = await shareThatOutlives((attempt) =>
    watchfulSignal(new AbortController(), () => void attempt).throwIfAborted(),
  );

  expect(share).toBeLessThan(0.25);
});
