import type { Config } from '../config.ts';
import type { Log } from '../core/deps.ts';
import type { Clock } from '../core/time.ts';
import { openSqliteStore, type SqliteStore } from './sqlite.ts';

/** Opens the store that the configuration names. */
export function openStore(config: Config, clock: Clock, log: Log): SqliteStore {
  const { leaseMs, regressionMs } = config.timing;
  return openSqliteStore({ path: config.db, clock, leaseMs, regressionMs, log });
}
