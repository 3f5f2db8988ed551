import { parseSchedule, type Schedule } from '../../server/core/schedule.ts';

/** A schedule without problems; `name` is the job's, which H is drawn from. */
export function readSchedule(text: string, timeZone = 'UTC', name = 'nightly-report'): Schedule {
  const parsed = parseSchedule({ schedule: text, timeZone }, name);
  if ('schedule' in parsed) return parsed.schedule;
  throw new Error(parsed.problems.map(({ message }) => `${text}: ${message}`).join('\n'));
}
