import { setTimeout as pause } from 'node:timers/promises';

/** What has not ended by then does not: all that is waited for here takes some seconds at most. */
const LIMIT_MS = 30_000;

/** Waits for something, but not for ever. */
export async function within<T>(work: Promise<T>): Promise<T> {
  const waiting = new AbortController();
  const late = pause(LIMIT_MS, undefined, { signal: waiting.signal }).then(() => {
    throw new Error(`does not end within ${LIMIT_MS / 1000} s`);
  });
  // Once the work has ended, the waiting is called off.
  late.catch(() => undefined);
  return await Promise.race([work, late]).finally(() => waiting.abort());
}
