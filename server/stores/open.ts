import type { Config } from '../config.ts';
import type { Log } from '../core/deps.ts';
import type { Store } from '../core/store.ts';
import type { Clock } from '../core/time.ts';

/** One call to Firestore takes some 20 ms; a lease must outlast one that gets no answer. */
const LONGEST_CALL_MS = 5000;

/** Opens the store that the configuration names. What another would need is not even loaded. */
export async function openStore(config: Config, clock: Clock, log: Log): Promise<Store> {
  const { leaseMs, regressionMs } = config.timing;
  if (config.store === 'sqlite') {
    const { openSqliteStore } = await import('./sqlite.ts');
    const { db: path, durability } = config;
    return openSqliteStore({ path, durability, clock, leaseMs, regressionMs, log });
  }
  const { findProject, openFirestoreStore } = await import('./firestore.ts');
  const { project, database, emulator } = config.firestore;
  return openFirestoreStore({
    project: project ?? (await findProject(emulator)),
    database,
    emulator,
    callMs: Math.max(1000, Math.min(LONGEST_CALL_MS, Math.round(leaseMs / 6))),
    clock,
  });
}
