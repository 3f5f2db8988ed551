import { parseInstant } from '../../server/core/time.ts';
import type { Line } from '../chaos/journal.ts';

/** From one instant up to another, that one not included. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/**
 * By how much handlers began after the second for which their jobs were scheduled, in ms, in the
 * order of beginning; of scheduled runs that were due within a stretch, their first attempts only.
 */
export function latenessIn(
  journal: readonly Line[],
  { from, to }: Stretch,
  isMeant: (job: string) => boolean,
): readonly number[] {
  return journal.flatMap(({ word, job, run, attempt, at }) => {
    if (word !== 'begin' || attempt !== 1 || !isMeant(job)) return [];
    const scheduledAt = scheduledOf(run);
    if (scheduledAt === undefined || scheduledAt < from || scheduledAt >= to) return [];
    return [at - scheduledAt];
  });
}

/** The instant in the id of a run; undefined for one by hand. */
export function scheduledOf(run: string): number | undefined {
  const [, date = '', time = ''] = /@(\d{8})T(\d{6})Z$/.exec(run) ?? [];
  if (date === '') return undefined;
  const [year, month, day] = [date.slice(0, 4), date.slice(4, 6), date.slice(6)];
  const [hour, minute, second] = [time.slice(0, 2), time.slice(2, 4), time.slice(4)];
  return parseInstant(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}
