import { set, type Draft } from './draft.ts';
import { BrokenInvariant } from './run.ts';
import type { Instant } from './time.ts';
import { nextOccurrence } from './undecided.ts';

/** Moves the watermark, and drops what lies behind it. It never goes back. */
export function moveWatermark(draft: Draft, to: Instant): void {
  const { record } = draft;
  if (to < record.watermark) {
    throw new BrokenInvariant(`the watermark of job "${record.name}" may not go back`);
  }
  const { catchUpTo, schedules } = record;
  set(draft, {
    watermark: to,
    catchUpTo: catchUpTo !== null && catchUpTo <= to ? null : catchUpTo,
    schedules: schedules.filter((_, i) => (schedules[i + 1]?.from ?? Infinity) > to),
  });
  dropPassedPauses(draft);
}

/** A pause is kept until no undecided occurrence lies before its end. */
function dropPassedPauses(draft: Draft): void {
  const { pauses, watermark } = draft.record;
  if (pauses.length === 0) return;
  const next = nextOccurrence(draft.record, watermark) ?? Infinity;
  set(draft, { pauses: pauses.filter((pause) => next <= pause.to) });
}

/** Ends the pause at `to`. Occurrences inside it are recorded when the watermark passes them. */
export function resume(draft: Draft, to: Instant): void {
  const { paused, pauses, lastPause } = draft.record;
  if (paused === null) return;
  // A pause may have been given an end that had passed before it began.
  const ended = { from: paused.at, to: Math.max(to, paused.at) };
  set(draft, { paused: null, pauses: [...pauses, ended], ...(lastPause && { lastPause: null }) });
  dropPassedPauses(draft);
}
