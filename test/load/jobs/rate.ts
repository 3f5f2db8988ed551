import { defineJob } from '../../../server/core/job.ts';
import { quick } from '../handlers.ts';

/** So many jobs of each second, all of whose handlers do nothing. */
export default Array.from({ length: Number(process.env['LOAD_JOBS']) }, (_, n) =>
  defineJob({ name: `second-${String(n).padStart(4, '0')}`, schedule: '* * * * * *', run: quick }),
);
