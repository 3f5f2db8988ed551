import { readConfig } from '../../server/config.ts';
import type { Job } from '../../server/core/job.ts';
import { registerJobs } from '../../server/core/register.ts';
import { readRegistry } from '../../server/core/registry.ts';
import { runNow, type Request } from '../../server/core/run-now.ts';
import { systemClock } from '../../server/process/clock.ts';
import { makeService, type Service } from '../../server/service.ts';
import { openStore } from '../../server/stores/open.ts';
import { runRequest } from '../builders.ts';

/** What a service in this process is made of; all else is as it comes. */
export interface Opening {
  /** Of a database that is not there yet. */
  readonly path: string;
  readonly jobs: readonly Job[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A service in this process on a database in a file, its jobs registered; it does not listen. */
export async function openService({ path, jobs, env }: Opening): Promise<Service> {
  const all = { PORT: '0', PUNCTUAL_DB: path, PUNCTUAL_BUILD: 'bench', ...env };
  const config = readConfig(all, '/', Date.now());
  const log = (): void => undefined;
  const registry = readRegistry(jobs, config.timing, config.pace);
  const store = await openStore(config, systemClock, log);
  const service = makeService(config, { registry, store, clock: systemClock, log });
  await registerJobs(service.deps, { adopt: false, check: true });
  return service;
}

/** One run of a job by hand, from the request until its end is on record; gives its id. */
export async function lifecycle(
  { deps }: Service,
  job: string,
  request: Partial<Request> = {},
): Promise<string> {
  const found = deps.registry.get(job);
  if (found === undefined) throw new Error(`no job ${job}`);
  const asked = await runNow(deps, found, runRequest(request));
  if (asked.kind !== 'created') throw new Error(`${job}: ${asked.kind}`);
  await deps.runner.endOf(asked.run.id);
  return asked.run.id;
}

/** How many a second, for so long: of each of these jobs one after another, all at once. */
export async function lifecycles(
  service: Service,
  jobs: readonly string[],
  { ms, request }: { readonly ms: number; readonly request?: () => Partial<Request> },
): Promise<number> {
  const from = performance.now();
  let count = 0;
  const repeat = async (job: string): Promise<void> => {
    while (performance.now() - from < ms) {
      await lifecycle(service, job, request?.());
      count += 1;
    }
  };
  await Promise.all(jobs.map(repeat));
  return (count / (performance.now() - from)) * 1000;
}
