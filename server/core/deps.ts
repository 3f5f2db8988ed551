import type { Registry } from './registry.ts';
import type { Runner } from './runner.ts';
import type { Store } from './store.ts';
import type { Clock, Instant, Timing } from './time.ts';

/** All that the core needs from the world, handed in: tests and the simulation own every part. */
export interface Deps {
  readonly store: Store;
  readonly registry: Registry;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** A new id, `[a-z0-9]+`, that nobody else makes. */
  readonly newId: () => string;
  readonly timing: Timing;
  readonly log: Log;
  /** This process, for people: host, process id and a random part. */
  readonly owner: string;
  readonly build: string;
  readonly namespace: string;
  /** Version of this process's time-zone data. */
  readonly zoneData: string;
  /** Since when this process has been here to notice what falls due; null when it can't say. */
  readonly upSince: () => Instant | null;
  /** Makes a folder for one attempt; `remove` never throws. */
  readonly scratch: (attemptId: string) => Scratch;
  readonly runner: Runner;
  /** Why wake-ups fail at present; null while they do not. */
  readonly trouble: () => string | null;
}

/** What applying one intent needs. */
export type ApplyDeps = Pick<
  Deps,
  'store' | 'clock' | 'random' | 'newId' | 'timing' | 'build' | 'namespace' | 'upSince'
>;

export interface Scratch {
  path(): Promise<string>;
  remove(): Promise<void>;
}

export type Level = 'debug' | 'info' | 'warn' | 'error';

/** Writes one log line. */
export type Log = (level: Level, event: string, fields?: Readonly<Record<string, unknown>>) => void;
