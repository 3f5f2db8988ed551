import * as v from 'valibot';
import { defineJob } from '../server/core/job.ts';

export const selfAuditInput = v.object({
  /**
   * How far back it looks. By default to the beginning, where reading is free; on Firestore, which
   * bills each record read, two days: a day's history and a half of it twice. `npm run audit` looks
   * through all there is.
   */
  days: v.optional(v.pipe(v.number(), v.minValue(1))),
});

export const selfAudit = defineJob({
  name: 'self-audit',
  description: 'Finds every occurrence on record, exactly once; fails where one is not.',
  tags: ['punctual'],
  schedule: 'H 4 * * *',
  catchUp: { runs: 'latest', within: '12h' },
  input: selfAuditInput,
  run: () => import('./self-audit.run.ts'),
});
