import { read, type Load } from './packages.ts';
import type { Server } from './server.ts';
import { within } from './within.ts';

/** What is measured of a peer: lifecycles a second, and how soon after the call a handler starts. */
export type Measure = 'one at a time' | '16 at once' | 'call to start';

export const AT_ONCE = 16;

/** What stands for the same: durable to the same degree, or the same package. */
export type Kind =
  'full' | 'normal' | 'BullMQ with always' | 'BullMQ with everysec' | 'pg-boss' | 'graphile-worker';

/** A way to have jobs run, ready to be asked. */
export interface Peer {
  readonly name: string;
  readonly kind: Kind;
  /** How it is set, and what its history is. */
  readonly how: string;
  readonly measures: readonly Measure[];
  /**
   * Asks for a run in one of 16 places, each with one under way at most. Resolves once its outcome
   * is in history, durable as the peer is, with when its handler started (by `performance.now`).
   */
  lifecycle(place: number): Promise<number>;
  /** How many outcomes its history has. */
  kept(): Promise<number>;
}

/** Told how to close what was opened, as soon as it is. */
export type ToClose = (close: () => Promise<unknown>) => void;

/** What a peer with a server needs to be opened. */
export interface Opening {
  readonly load: Load;
  readonly server: Server;
  readonly toClose: ToClose;
}

/** Something that can have a job run every second. */
export interface EverySecond {
  readonly name: string;
  readonly how: string;
  /** Begins, gives by how many ms each of so many starts was late, and ends. */
  lateness(count: number): Promise<readonly number[]>;
}

/** What is under way where the end is told apart from the call: one for each place at most. */
export class UnderWay {
  readonly #startedAt: number[] = [];
  readonly #waiting = new Map<number, PromiseWithResolvers<number>>();

  /** Asks, and waits for the end that is told by `ended`. */
  async lifecycle(place: number, ask: () => Promise<unknown>): Promise<number> {
    const end = Promise.withResolvers<number>();
    this.#waiting.set(place, end);
    const [startedAt] = await Promise.all([end.promise, ask()]);
    return startedAt;
  }

  started(place: number): void {
    this.#startedAt[place] = performance.now();
  }

  ended(place: number): void {
    this.#waiting.get(place)?.resolve(this.#startedAt[place] ?? NaN);
    this.#waiting.delete(place);
  }

  failed(error: unknown): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** The place that a payload says it is for: it has been to a server and back. */
export function placeOf(payload: unknown): number {
  const place = read(payload, 'place');
  if (typeof place === 'number') return place;
  throw new Error(`there is no place in ${JSON.stringify(payload)}`);
}

export const PLACES = Array.from({ length: AT_ONCE }, (_, place) => place);

/** Values that come one by one. */
interface Collected {
  readonly take: (value: number) => void;
  readonly fail: (error: unknown) => void;
  /** So many of them; rejects where they do not come. */
  readonly all: Promise<readonly number[]>;
}

/** Takes values until there are enough. The first is left out, as it finds nothing warm. */
export function collect(count: number): Collected {
  const values: number[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<readonly number[]>();
  const all = within(promise);
  // Whoever waits for it is told; nobody may be yet.
  all.catch(() => undefined);
  const take = (value: number): void => {
    values.push(value);
    if (values.length > count) resolve(values.slice(1, count + 1));
  };
  return { take, fail: reject, all };
}

/** The wall clock with parts of milliseconds. */
export function fineClock(): () => number {
  const before = Date.now();
  let at = before;
  while (at === before) at = Date.now();
  const passed = performance.now();
  return () => at + performance.now() - passed;
}
