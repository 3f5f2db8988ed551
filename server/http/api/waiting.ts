import { HttpError } from '../errors.ts';

/** Each of those who wait asks the store again and again. */
const WAITING_LIMIT = 200;

let waiting = 0;

/** Counts whoever waits here for something, and refuses those that are too many. */
export async function inLine<Value>(wait: () => Promise<Value>): Promise<Value> {
  if (waiting >= WAITING_LIMIT) {
    const detail = `${WAITING_LIMIT} requests wait here already; ask without waiting, or later`;
    throw new HttpError(429, 'Too many waiting', detail, { headers: { 'Retry-After': '5' } });
  }
  waiting += 1;
  try {
    return await wait();
  } finally {
    waiting -= 1;
  }
}
