import { shownAt, type Schedule } from '../server/core/schedule.ts';
import { isoInstant, type Instant } from '../server/core/time.ts';
import { wallDateTime } from '../views/time.ts';

/** Each occurrence in UTC and, where that is another, on the clock of the schedule's time zone. */
export const occurrenceLines = (
  { timeZone }: Schedule,
  occurrences: readonly Instant[],
): string[] =>
  occurrences.map((at) =>
    timeZone === 'UTC'
      ? `  ${isoInstant(at)}`
      : `  ${isoInstant(at)}  ${wallDateTime(shownAt(timeZone, at))}`,
  );
