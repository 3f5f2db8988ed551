import { toStandardJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { defineJob } from '../server/core/job.ts';

export const backupStoreInput = v.object({
  /** Where the copies go; beside the database, in `backups`, when not said. */
  folder: v.optional(v.pipe(v.string(), v.minLength(1))),
  keep: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)), 7),
});

export const backupStore = defineJob({
  name: 'backup-store',
  description:
    'Copies the database while it is in use, checks the copy by opening it, keeps seven.',
  tags: ['punctual'],
  schedule: 'H 2 * * *',
  catchUp: { runs: 'latest', within: '12h' },
  // Describes itself, so that its page has a field for each part.
  input: toStandardJsonSchema(backupStoreInput),
  run: () => import('./backup-store.run.ts'),
});
