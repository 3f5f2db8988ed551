import { isAhead } from '../../core/time.ts';

/** More pages than this are looked at by nobody at once. */
const KEPT = 20;
/** What no mark tells (history that was deleted, edits by hand) is rare, and yet comes to light. */
const ANEW_AFTER_MS = 600_000;

interface Reading<Value> {
  readonly value: Value;
  /** The store's time before it was read. */
  readonly asOf: number;
  /** By the clock of this process that is never set. */
  readonly at: number;
}

/**
 * What pages have read, for as long as nothing happened since: a list that is looked at all day is
 * not read all day. Nothing depends on it: it may be gone at any time.
 */
export class Unchanged<Value> {
  readonly #kept = new Map<string, Reading<Value>>();

  /** What was read under this key, if `holds` says so of it; else what `read` gives now. */
  async get(
    key: string,
    now: { readonly store: number; readonly monotonic: number },
    {
      holds,
      read,
    }: {
      readonly holds: (value: Value, asOf: number) => Promise<boolean>;
      readonly read: () => Promise<Value>;
    },
  ): Promise<Value> {
    const known = this.#kept.get(key);
    const fresh =
      known !== undefined &&
      now.monotonic - known.at < ANEW_AFTER_MS &&
      !isAhead(known.asOf, now.store);
    if (fresh && (await holds(known.value, known.asOf))) return known.value;
    const value = await read();
    this.#kept.delete(key);
    this.#kept.set(key, { value, asOf: now.store, at: now.monotonic });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return value;
  }
}
