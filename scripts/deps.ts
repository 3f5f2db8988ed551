import { randomInt } from 'node:crypto';
import type { Config } from '../server/config.ts';
import { NOTHING } from '../server/core/carrier.ts';
import type { Deps } from '../server/core/deps.ts';
import { NO_WORKERS } from '../server/core/isolate.ts';
import { keepWakes } from '../server/core/last-wake.ts';
import type { Registry } from '../server/core/registry.ts';
import { Runner } from '../server/core/runner.ts';
import type { Store } from '../server/core/store.ts';
import { systemClock } from '../server/process/clock.ts';
import { newId, ownerName } from '../server/process/identity.ts';
import { ScratchRoot } from '../server/process/scratch.ts';

/** The core's surroundings for a script: it changes records, and runs nothing. */
export function depsForScript(config: Config, store: Store, registry: Registry): Deps {
  const log = (): void => undefined;
  const scratch = new ScratchRoot(log);
  return {
    store,
    registry,
    clock: systemClock,
    random: () => randomInt(2 ** 47) / 2 ** 47,
    newId,
    timing: config.timing,
    log,
    owner: ownerName(),
    build: config.build,
    project: config.firestore.project,
    namespace: config.namespace,
    zoneData: process.versions.tz ?? 'unknown',
    upSince: () => null,
    scratch: (attemptId) => scratch.for(attemptId),
    isolate: NO_WORKERS,
    runner: new Runner({ max: 0, replaceable: false }),
    carrier: NOTHING,
    requestMs: config.google.requestDeadlineMs,
    dispatch: null,
    trouble: () => null,
    wakes: keepWakes(),
    cipher: config.cipher,
  };
}
