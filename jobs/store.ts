import { readConfig, type Config } from '../server/config.ts';
import type { Log } from '../server/core/deps.ts';
import type { JobLog } from '../server/core/job.ts';
import type { Store } from '../server/core/store.ts';
import { systemClock } from '../server/process/clock.ts';
import { openStore } from '../server/stores/open.ts';

/** Opens the service's own store for a job that looks after it, and closes it again. */
export async function withStore<Result>(
  log: JobLog,
  work: (opened: {
    readonly store: Store;
    readonly timing: Config['timing'];
    readonly config: Config;
  }) => Promise<Result>,
): Promise<Result> {
  const config = readConfig(process.env, process.cwd(), Date.now());
  const say: Log = (level, event, fields) => log[level](event, fields);
  const store = await openStore(config, systemClock, say);
  try {
    return await work({ store, timing: config.timing, config });
  } finally {
    await store.close();
  }
}
