import type { Deps } from './deps.ts';
import { RegistryProblems } from './registry.ts';
import { nextAfter, parseSchedule } from './schedule.ts';
import { isoInstant } from './time.ts';

/**
 * A schedule that names nothing to come is a mistake when its job is first registered with it: the
 * date has passed, and the run would be missed without a word. Of a job that has had it on record
 * it is history, and no reason not to start. Throws `RegistryProblems`.
 */
export async function checkDates({ store, registry }: Pick<Deps, 'store' | 'registry'>) {
  const { storeNow } = await store.time();
  const problems: string[] = [];
  for (const { name, schedule, timeZone } of registry.values()) {
    const parsed = schedule === null ? undefined : parseSchedule({ schedule, timeZone }, name);
    if (parsed === undefined || 'problems' in parsed) continue;
    if (nextAfter(parsed.schedule, storeNow) !== undefined) continue;
    const { record } = await store.read(name);
    const current = record?.schedules.at(-1);
    if (current?.schedule === schedule && current?.timeZone === timeZone) continue;
    const [rule] = parsed.schedule.rules;
    problems.push(
      rule?.kind === 'at'
        ? `job "${name}": at: ${isoInstant(rule.at)} is past; right would be a date to come`
        : `job "${name}": schedule: it never comes again after ${isoInstant(storeNow)}`,
    );
  }
  if (problems.length > 0) throw new RegistryProblems(problems);
}
