import type { Store } from './store.ts';
import type { Instant } from './time.ts';

const TRIES = 5;

/** Where a service keeps its tokens: made by people, so they go along when a store is moved. */
export const tokensKey = (namespace: string): string => `tokens:${namespace}`;

/**
 * Changes a small named document by compare-and-set: `next` is made of what stands there, and of
 * the store's time after it was read. Gives what was written; undefined where others were quicker
 * each time. `between` passes between two tries.
 */
export async function changeMeta<Value>(
  store: Pick<Store, 'readMeta' | 'writeMeta' | 'time'>,
  key: string,
  {
    next,
    between,
  }: {
    readonly next: (before: unknown, now: Instant) => Value;
    readonly between?: () => Promise<void>;
  },
): Promise<Value | undefined> {
  for (let turn = 0; turn < TRIES; turn++) {
    const found = await store.readMeta(key);
    // After that reply, which may have brought it along.
    const { storeNow } = await store.time();
    const value = next(found?.value, storeNow);
    if (await store.writeMeta(key, value, found?.version)) return value;
    await between?.();
  }
  return undefined;
}
