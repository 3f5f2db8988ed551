import type { Carrier } from './carrier.ts';
import type { Isolate } from './isolate.ts';
import type { Wakes } from './last-wake.ts';
import type { Observing } from './observing.ts';
import type { JobRecord } from './records.ts';
import type { Registry } from './registry.ts';
import type { Runner } from './runner.ts';
import type { Cipher } from './secrets/cipher.ts';
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
  /** The Google Cloud project that traces can be looked up in; null for none. */
  readonly project: string | null;
  readonly namespace: string;
  /** Version of this process's time-zone data. */
  readonly zoneData: string;
  /** Since when this process has been here to notice what falls due; null when it can't say. */
  readonly upSince: () => Instant | null;
  /** Makes a folder for one attempt; `remove` never throws. */
  readonly scratch: (attemptId: string) => Scratch;
  /** Starts a worker for a handler that is to be isolated. */
  readonly isolate: Isolate;
  readonly runner: Runner;
  /** What carries runs that start outside a trigger's request: the process, or nothing does. */
  readonly carrier: Carrier;
  /** How long the platform lets a request go on. */
  readonly requestMs: number;
  /** Asks for requests that carry what waits; null where nothing needs to be carried, or can be. */
  readonly dispatch: Dispatching | null;
  /** Why wake-ups fail at present; null while they do not. */
  readonly trouble: () => string | null;
  /** The last wake-up that came. */
  readonly wakes: Wakes;
  /** Encrypts what inputs have in them that is secret; null where no key is set. */
  readonly cipher: Cipher | null;
  /** Hears what this process did; nobody, if not given. */
  readonly observer?: Observing;
}

/** Asks for a request of its own for what waits. A tick finds what it missed. */
export interface Dispatching {
  /** A record that was just written: its retries, and what somebody asked for, wait. */
  look(record: JobRecord): void;
  /** A job that is due, and that the asker could not carry. */
  due(record: JobRecord): void;
  /** What this process handed back at its end waits: one wake-up for all, if it needs one. */
  wakeAll(): void;
  /** Resolves when all that was asked for has been sent. Never rejects. */
  settled(): Promise<void>;
}

/** What applying one intent needs. */
export type ApplyDeps = Pick<
  Deps,
  'store' | 'clock' | 'random' | 'newId' | 'timing' | 'build' | 'namespace' | 'upSince' | 'observer'
>;

export interface Scratch {
  path(): Promise<string>;
  remove(): Promise<void>;
}

export type Level = 'debug' | 'info' | 'warn' | 'error';

/** Writes one log line. */
export type Log = (level: Level, event: string, fields?: Readonly<Record<string, unknown>>) => void;
