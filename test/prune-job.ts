import type { ApplyDeps } from '../server/core/deps.ts';
import { pruneJobs, type Retention } from '../server/core/retention.ts';

/** Deletes what one job's history no longer keeps. Gives how many records went. */
export async function pruneJob(
  deps: ApplyDeps,
  job: string,
  retention: Retention,
  signal: AbortSignal,
): Promise<number> {
  const deleted = await pruneJobs(deps, [job], { retention, signal, progress: () => undefined });
  return deleted.get(job) ?? 0;
}
