import type { Caller } from '../caller.ts';
import { HttpError } from '../errors.ts';

/** Each of those who wait asks the store again and again. */
const ALL_LIMIT = 200;
/** So that none can take all places from the others. */
const ONE_LIMIT = 100;

const waiting = new Map<string | null, number>();

/** Counts whoever waits here for something, and refuses those that are too many. */
export async function inLine<Value>(
  { name }: Pick<Caller, 'name'>,
  wait: () => Promise<Value>,
): Promise<Value> {
  const own = waiting.get(name) ?? 0;
  const all = [...waiting.values()].reduce((sum, count) => sum + count, 0);
  if (own >= ONE_LIMIT || all >= ALL_LIMIT) {
    const detail = `${own} of yours wait here, and ${all} of all; ask without waiting, or later`;
    throw new HttpError(429, 'Too many waiting', detail, { headers: { 'Retry-After': '5' } });
  }
  waiting.set(name, own + 1);
  try {
    return await wait();
  } finally {
    const left = (waiting.get(name) ?? 1) - 1;
    if (left === 0) waiting.delete(name);
    else waiting.set(name, left);
  }
}
