import { HttpError } from './errors.ts';

/** Callers beyond this are forgotten, the oldest first: memory has a limit, too. */
const KEYS_LIMIT = 10_000;

interface Bucket {
  left: number;
  at: number;
}

/**
 * How often each of many may do something: `burst` times at once, and `perSecond` when it goes on.
 * Kept in this process, so it holds for one instance.
 */
export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor({ perSecond, burst }: { readonly perSecond: number; readonly burst: number }) {
    this.#perSecond = perSecond;
    this.#burst = burst;
  }

  /** Takes one: 0 where there was one, else after how many seconds there is. */
  take(key: string, monotonicMs: number): number {
    const bucket = this.#buckets.get(key) ?? { left: this.#burst, at: monotonicMs };
    const gained = ((monotonicMs - bucket.at) / 1000) * this.#perSecond;
    bucket.left = Math.min(this.#burst, bucket.left + gained);
    bucket.at = monotonicMs;
    this.#keep(key, bucket);
    if (bucket.left < 1) return Math.ceil((1 - bucket.left) / this.#perSecond);
    bucket.left -= 1;
    return 0;
  }

  #keep(key: string, bucket: Bucket): void {
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > KEYS_LIMIT && oldest !== undefined) this.#buckets.delete(oldest);
  }
}

/** The answer to somebody who comes too often. */
export function tooMany(seconds: number): HttpError {
  const detail = `that is too often for one instance; try again in ${seconds} s`;
  return new HttpError(429, 'Too many requests', detail, {
    headers: { 'Retry-After': String(seconds) },
  });
}
