import { defineJob } from '../../../server/core/job.ts';
import { quick } from '../handlers.ts';

/** So many jobs, all due in one second of the day. */
const count = Number(process.env['LOAD_JOBS']);
const at = new Date(Number(process.env['LOAD_AT']));
const schedule = `${at.getUTCSeconds()} ${at.getUTCMinutes()} ${at.getUTCHours()} * * *`;

export default Array.from({ length: count }, (_, n) =>
  defineJob({ name: `job-${String(n).padStart(5, '0')}`, schedule, run: quick }),
);
