import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Store } from '../../server/core/store.ts';
import { graceOf } from '../../server/core/time.ts';
import { systemClock } from '../../server/process/clock.ts';
import { openFirestoreStore } from '../../server/stores/firestore.ts';
import { openSqliteStore } from '../../server/stores/sqlite.ts';
import { needIndex } from '../firestore/indexes.ts';
import type { Every } from './kinds.ts';

/** What several servers share: a database, and how fast everything goes on it. */
export interface Ground {
  readonly leaseMs: number;
  readonly tickMs: number;
  /** How often its jobs are due. */
  readonly every: Every;
  /** The environment of a server that is to use it. */
  readonly servers: Readonly<Record<string, string>>;
  /** The same for who looks on, and is not to be disturbed. */
  readonly onlookers: Readonly<Record<string, string>>;
  /** Opens it for somebody who looks on. */
  open(): Store;
}

/* Real processes need real time: all of it is scaled down by the lease and the tick. */

/** By then what a process left is found and put on record, if anybody is awake. */
export const foundWithinMs = ({ leaseMs, tickMs }: Pick<Ground, 'leaseMs' | 'tickMs'>): number =>
  leaseMs + graceOf(leaseMs) + tickMs;

/** One file, in a folder. */
export function sqliteGround(folder: string): Ground {
  const path = join(folder, 'punctual.db');
  const env = { PUNCTUAL_STORE: 'sqlite', PUNCTUAL_DB: path };
  const pace = { leaseMs: 2000, tickMs: 1000, every: '1s' } as const;
  const regressionMs = graceOf(pace.leaseMs);
  const log = (): void => undefined;
  return {
    ...pace,
    servers: env,
    onlookers: env,
    open: () =>
      openSqliteStore({ path, clock: systemClock, leaseMs: pace.leaseMs, regressionMs, log }),
  };
}

export interface Emulated {
  /** Where the emulator listens. */
  readonly emulator: string;
  /** By which address servers reach it, if not by its own. */
  readonly address?: string;
}

/** A project of its own on the official emulator. */
export function firestoreGround({ emulator, address = emulator }: Emulated): Ground {
  const project = `p${randomUUID().slice(0, 8)}`;
  const env = (host: string) => ({
    PUNCTUAL_STORE: 'firestore',
    FIRESTORE_EMULATOR_HOST: host,
    GOOGLE_CLOUD_PROJECT: project,
  });
  return {
    leaseMs: 3000,
    tickMs: 2000,
    every: '10s',
    servers: env(address),
    onlookers: env(emulator),
    open: () =>
      openFirestoreStore({
        project,
        database: '(default)',
        emulator,
        callMs: 20_000,
        clock: systemClock,
        onQuery: needIndex,
      }),
  };
}
