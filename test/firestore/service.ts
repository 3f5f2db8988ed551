import { onTestFinished } from 'vitest';
import { readConfig } from '../../server/config.ts';
import { NO_COST, plus, type Cost } from '../../server/core/cost.ts';
import type { Job } from '../../server/core/job.ts';
import { registerJobs } from '../../server/core/register.ts';
import { readRegistry } from '../../server/core/registry.ts';
import { systemClock } from '../../server/process/clock.ts';
import { makeService, type Service } from '../../server/service.ts';
import type { FirestoreStore } from '../../server/stores/firestore.ts';
import { newProject, openStore, type Opening } from './fixture.ts';

/** The whole service but for its port, on the emulator, by real time. Only tests wake it. */
export interface FirestoreService extends Service {
  readonly store: FirestoreStore;
  /** What some work was billed, in all and by operation: `1 R, 2 W`. */
  billed(work: () => Promise<unknown>): Promise<string>;
  /** Lets all handlers of this process end. */
  idle(): Promise<void>;
}

export interface ServiceOptions extends Partial<Opening> {
  readonly env?: Record<string, string>;
}

export async function openService(
  jobs: readonly Job[],
  { project = newProject(), env = {}, ...reached }: ServiceOptions = {},
): Promise<FirestoreService> {
  const given = { PUNCTUAL_BUILD: 'test', PORT: '0', ...env };
  const config = readConfig(given, '/', 0);
  const store = openStore({ project, ...reached });
  const registry = readRegistry(jobs, config.timing);
  const log = (): void => undefined;
  const service = makeService(config, { registry, store, clock: systemClock, log });
  onTestFinished(async () => void (await service.stop()));
  const total = (): Cost => [...store.costs().values()].reduce(plus, NO_COST);
  return {
    ...service,
    store,
    async billed(work) {
      const before = total();
      await work();
      const { reads, writes, deletes } = plus(total(), {
        reads: -before.reads,
        writes: -before.writes,
        deletes: -before.deletes,
      });
      return `${reads} R, ${writes} W${deletes > 0 ? `, ${deletes} D` : ''}`;
    },
    async idle() {
      while (service.deps.runner.running > 0) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
  };
}

export const register = (service: Service): Promise<boolean> =>
  registerJobs(service.deps, { adopt: false, check: true });

/** A date that is to come when it is registered, on a busy machine too, and the wait for it. */
export function soon(): { readonly at: string; readonly come: () => Promise<void> } {
  const instant = Math.ceil(Date.now() / 1000) * 1000 + 7000;
  return {
    at: new Date(instant).toISOString(),
    come: () => new Promise((resolve) => setTimeout(resolve, instant + 50 - Date.now())),
  };
}
