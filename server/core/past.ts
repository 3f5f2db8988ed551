import type { Deps } from './deps.ts';
import type { Job } from './job.ts';
import { RegistryProblems } from './registry.ts';
import { scheduleOfJob } from './schedule.ts';
import { isoInstant, type Instant } from './time.ts';

/**
 * A date that has passed is a mistake when its job is first registered with it: the run would be
 * missed without a word. Of a job that has had it on record it is history, and no reason not to
 * start. Throws `RegistryProblems`.
 */
export async function checkDates({ store, registry }: Pick<Deps, 'store' | 'registry'>) {
  const dates = [...registry.values()].flatMap(dateOf);
  // Asked for no more than it is needed: a store may bill for its time.
  if (dates.length === 0) return;
  const { storeNow } = await store.time();
  const problems: string[] = [];
  for (const { job, at } of dates) {
    if (at > storeNow) continue;
    const { record } = await store.read(job.name);
    const current = record?.schedules.at(-1);
    if (current?.schedule === job.schedule && current?.timeZone === job.timeZone) continue;
    problems.push(
      `job "${job.name}": at: ${isoInstant(at)} is past; right would be a date to come`,
    );
  }
  if (problems.length > 0) throw new RegistryProblems(problems);
}

/** The one instant of a job that has no other; any other schedule comes again and again. */
function dateOf(job: Job): { readonly job: Job; readonly at: Instant }[] {
  const { rules = [] } = scheduleOfJob(job) ?? {};
  return rules.flatMap((rule) => (rule.kind === 'at' ? [{ job, at: rule.at }] : []));
}
