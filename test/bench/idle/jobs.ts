import { defineJob } from '../../../server/core/job.ts';

/** The month that is farthest away. */
const month = ((new Date().getUTCMonth() + 6) % 12) + 1;

/** Two hundred jobs, none of them due for months, each with its handler in a file of its own. */
export default Array.from({ length: 200 }, (_, i) =>
  defineJob({
    name: `job-${i}`,
    schedule: `H H 15 ${month} *`,
    timeZone: i % 2 === 0 ? 'UTC' : 'Europe/London',
    run: () => import('../cold-start/handler.run.ts'),
  }),
);
