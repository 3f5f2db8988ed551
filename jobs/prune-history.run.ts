import type { InferOutput } from 'valibot';
import { pruneJob } from '../server/core/retention.ts';
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
    const jobs = await store.listJobs({ limit: 20_000 });
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
    let deleted = 0;
    for (const [index, { name }] of jobs.entries()) {
      const gone = await pruneJob(tools, name, retention, signal);
      if (gone > 0) log(`${name}: ${gone} records deleted`);
      deleted += gone;
      progress(index + 1, jobs.length);
    }
    return { jobs: jobs.length, deleted };
  });
}
