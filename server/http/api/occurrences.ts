import type { JobRecord, Pause, Span } from '../../core/records.ts';
import { isoInstant, type Instant } from '../../core/time.ts';
import { nextOccurrence } from '../../core/undecided.ts';

/**
 * The first occurrences of a job in (from, to], at most `most`; none of a job that left the code,
 * or whose schedule this build can't read.
 */
export function occurrencesOf(record: JobRecord, { from, to }: Span, most: number) {
  const found: ReturnType<typeof occurrence>[] = [];
  let at = nextIn(record, { from, to });
  while (at !== undefined && found.length < most) {
    found.push(occurrence(record, at));
    at = nextIn(record, { from: at, to });
  }
  return found;
}

/** An occurrence as programs get it. */
export const occurrence = ({ name, paused }: Pick<JobRecord, 'name' | 'paused'>, at: Instant) => ({
  job: name,
  scheduledAt: isoInstant(at),
  paused: isIn(paused, at),
});

const isIn = (pause: Pause | null, at: Instant): boolean =>
  pause !== null && at > pause.at && at <= (pause.until ?? Infinity);

/** The first occurrence in (from, to]. */
export function nextIn(record: JobRecord, { from, to }: Span): Instant | undefined {
  if (record.retiredAt !== null) return undefined;
  try {
    const next = nextOccurrence(record, from);
    return next !== undefined && next <= to ? next : undefined;
  } catch {
    // A schedule that a newer build wrote and this one can't read.
    return undefined;
  }
}
