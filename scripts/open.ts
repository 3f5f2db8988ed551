import { readConfig, type Config } from '../server/config.ts';
import type { Log } from '../server/core/deps.ts';
import { systemClock } from '../server/process/clock.ts';
import { openStore } from '../server/stores/open.ts';
import type { SqliteStore } from '../server/stores/sqlite.ts';

/** Warnings and errors of the store go where a person at a terminal sees them. */
const log: Log = (level, event, fields) => {
  if (level === 'warn' || level === 'error') console.error(event, fields ?? '');
};

/** The configuration from the environment and its store; what is wrong ends the script in words. */
export function openForScript(): { readonly config: Config; readonly store: SqliteStore } {
  try {
    const config = readConfig(process.env, process.cwd(), Date.now());
    return { config, store: openStore(config, systemClock, log) };
  } catch (error) {
    fail(error);
  }
}

/** Says what is wrong and ends the script with status 2. */
export function fail(error: unknown): never {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(2);
}
