import { toStandardJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { defineJob } from '../server/core/job.ts';

export const pruneHistoryInput = v.object({
  /** Records older than this go; those of the last day always stay. */
  maxAgeDays: v.optional(v.pipe(v.number(), v.minValue(1)), 90),
  /** Of each job, only so many stay. */
  maxRuns: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 20_000),
});

export const pruneHistory = defineJob({
  name: 'prune-history',
  description: 'Deletes old history by age and by count a job; the last failure always stays.',
  tags: ['punctual'],
  schedule: 'H 3 * * *',
  catchUp: { runs: 'latest', within: '12h' },
  // Describes itself, so that its page has a field for each part.
  input: toStandardJsonSchema(pruneHistoryInput),
  run: () => import('./prune-history.run.ts'),
});
