import { defineJob } from '../../../server/core/job.ts';
import { pruneHistory } from '../../../jobs/prune-history.ts';
import { quick } from '../handlers.ts';

/** A job with all the history there is, some that are due each second, and the one that deletes. */
export const LARGE = 'large';
const OTHERS = 20;

export default [
  defineJob({ name: LARGE, schedule: '* * * * * *', run: quick }),
  ...Array.from({ length: OTHERS }, (_, n) =>
    defineJob({ name: `other-${n}`, schedule: '* * * * * *', run: quick }),
  ),
  defineJob({
    name: 'prune-history',
    ...(pruneHistory.input !== undefined && { input: pruneHistory.input }),
    run: () => import('../../../jobs/prune-history.run.ts'),
  }),
];
