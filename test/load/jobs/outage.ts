import { defineJob, type JobDefinition } from '../../../server/core/job.ts';
import { quick } from '../handlers.ts';

/** Of all that an outage can be long for: from each second to each day, by every policy. */
const count = Number(process.env['LOAD_JOBS']);

const EACH_SECOND = '* * * * * *';
const SCHEDULES = ['* * * * *', '*/5 * * * *', 'H * * * *', 'H H * * *'] as const;
const POLICIES: readonly Pick<JobDefinition, 'catchUp' | 'overlap'>[] = [
  {},
  { catchUp: { runs: 'none' } },
  { catchUp: { runs: 'latest', within: '48h' } },
  { catchUp: { runs: 'all', within: '48h', max: 5 } },
  { overlap: 'queue' },
  { overlap: { allow: 3 } },
];

export default Array.from({ length: count }, (_, n) =>
  defineJob({
    name: `job-${String(n).padStart(4, '0')}`,
    schedule: n % 20 === 0 ? EACH_SECOND : (SCHEDULES[n % SCHEDULES.length] ?? EACH_SECOND),
    ...POLICIES[Math.floor(n / 5) % POLICIES.length],
    run: quick,
  }),
);
