import { existsSync } from 'node:fs';
import { readConfig, type Config } from '../server/config.ts';
import { describeError } from '../server/core/outcome.ts';
import { visible } from '../views/html.ts';
import type { Log } from '../server/core/deps.ts';
import type { Store } from '../server/core/store.ts';
import { systemClock } from '../server/process/clock.ts';
import { openStore } from '../server/stores/open.ts';

/** Warnings and errors of the store go where a person at a terminal sees them. */
const log: Log = (level, event, fields) => {
  if (level === 'warn' || level === 'error') console.error(event, fields ?? '');
};

/**
 * The configuration from the environment and its store; what is wrong ends the script in words.
 * `mayMake`: a database that is not there yet is made, as by the first start of the service.
 */
export async function openForScript({ mayMake = false } = {}): Promise<{
  config: Config;
  store: Store;
}> {
  try {
    const config = readConfig(process.env, process.cwd(), Date.now());
    // A path with a typing error must not look like a store without a fault.
    if (config.store === 'sqlite' && !mayMake && !existsSync(config.db)) {
      throw new Error(`there is no database ${config.db}`);
    }
    return { config, store: await openStore(config, systemClock, log) };
  } catch (error) {
    fail(error);
  }
}

/** Whom the record names for what somebody does by a command. */
export const whoIsHere = (): string => process.env['USER'] ?? 'command line';

/** Says what is wrong and ends the script with status 2. */
export function fail(error: unknown): never {
  console.error(visible(describeError(error).message));
  process.exit(2);
}
