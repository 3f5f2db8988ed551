import { defineJob } from '../../../server/core/job.ts';

/** Two hundred jobs, none of them due soon, each with its handler in a file of its own. */
export default Array.from({ length: 200 }, (_, i) =>
  defineJob({
    name: `job-${i}`,
    schedule: `H H 1 ${(i % 12) + 1} *`,
    timeZone: i % 2 === 0 ? 'UTC' : 'Europe/London',
    timeout: '30s',
    run: () => import('./handler.run.ts'),
  }),
);
