import { defineJob } from '../../../server/core/job.ts';

/** As many jobs as there are connections, none with a schedule: all is asked for. */
export default Array.from({ length: 16 }, (_, i) =>
  defineJob({ name: `job-${i}`, overlap: { allow: 16 }, run: () => undefined }),
);
