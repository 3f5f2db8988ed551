import type { InferOutput } from 'valibot';
import { jobNames, pruneJobs } from '../server/core/retention.ts';
import type { JobContext } from '../server/core/job.ts';
import { systemClock } from '../server/process/clock.ts';
import { newId } from '../server/process/identity.ts';
import { withStore } from './store.ts';
import type { pruneHistoryInput } from './prune-history.ts';

const DAY_MS = 86_400_000;
const upSince = (): null => null;

export default async function prune(
  context: JobContext<InferOutput<typeof pruneHistoryInput>>,
): Promise<{ readonly jobs: number; readonly deleted: number }> {
  const { input, log, progress, signal } = context;
  const retention = { maxAgeMs: input.maxAgeDays * DAY_MS, maxRuns: input.maxRuns };
  return await withStore(log, async ({ store, timing, config }) => {
    const { build, namespace } = config;
    const tools = {
      store,
      clock: systemClock,
      timing,
      random: Math.random,
      newId,
      build,
      upSince,
      namespace,
    };
    const names = await jobNames(tools);
    const gone = await pruneJobs(tools, names, {
      retention,
      signal,
      progress: (done) => progress(done, names.length),
    });
    for (const [name, count] of gone) log(`${name}: ${count} records deleted`);
    return { jobs: names.length, deleted: [...gone.values()].reduce((a, b) => a + b, 0) };
  });
}
