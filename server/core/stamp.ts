import type { ActionRecord, JobRecord, LateResult, Outcome, Run } from './records.ts';
import { STAMP, type Instant } from './time.ts';

/**
 * Puts the store's time where STAMP stands. Only fields that are instants by type are looked at, so
 * that a user's text, output or input is never touched, whatever is in it.
 */

/** The record with every STAMP replaced by `now`. */
export function stampJob(record: JobRecord, now: Instant): JobRecord {
  const { paused, backfill, last, retiredAt } = record;
  return {
    ...record,
    registeredAt: at(record.registeredAt, now),
    retiredAt: retiredAt === null ? null : at(retiredAt, now),
    freeAt: at(record.freeAt, now),
    paused: paused && { ...paused, at: at(paused.at, now) },
    active: stampLeases(record.active, now),
    retries: sinceNow(record.retries, now),
    queue: sinceNow(record.queue, now),
    backfill: backfill && { ...backfill, since: at(backfill.since, now) },
    last: last && { ...last, at: at(last.at, now) },
    recent: stampOutcomes(record.recent, now),
  };
}

/** Most writes leave this longest part of a record as it is. */
const stampOutcomes = (recent: readonly Outcome[], now: Instant): readonly Outcome[] =>
  recent.some((one) => one.at === STAMP)
    ? recent.map((one) => (one.at === STAMP ? { ...one, at: now } : one))
    : recent;

const sinceNow = <One extends { readonly since: Instant }>(
  list: readonly One[],
  now: Instant,
): readonly One[] => list.map((one) => ({ ...one, since: at(one.since, now) }));

/** A run, or some fields of one, with every STAMP replaced by `now`. */
export function stampRun<Fields extends Partial<Run>>(run: Fields, now: Instant): Fields {
  const stamped: { -readonly [Key in keyof Run]?: Run[Key] } = {};
  if (run.createdAt === STAMP) stamped.createdAt = now;
  if (run.startedAt === STAMP) stamped.startedAt = now;
  if (run.endedAt === STAMP) stamped.endedAt = now;
  if (run.lateResult?.at === STAMP) stamped.lateResult = stampLate(run.lateResult, now);
  if (run.notes) stamped.notes = run.notes.map((note) => ({ ...note, at: at(note.at, now) }));
  if (run.attempts) {
    stamped.attempts = run.attempts.map((attempt) => ({
      ...attempt,
      startedAt: at(attempt.startedAt, now),
      endedAt: attempt.endedAt === null ? null : at(attempt.endedAt, now),
    }));
  }
  return { ...run, ...stamped };
}

export const stampLate = (late: LateResult, now: Instant): LateResult => ({
  ...late,
  at: at(late.at, now),
});

export const stampAction = (action: ActionRecord, now: Instant): ActionRecord => ({
  ...action,
  at: at(action.at, now),
});

function stampLeases(active: JobRecord['active'], now: Instant): JobRecord['active'] {
  let stamped = active;
  for (const [attemptId, lease] of Object.entries(active)) {
    const { startedAt, renewedAt, cancel } = lease;
    if (startedAt !== STAMP && renewedAt !== STAMP && cancel?.at !== STAMP) continue;
    const times = { startedAt: at(startedAt, now), renewedAt: at(renewedAt, now) };
    const marked = cancel && { ...cancel, at: at(cancel.at, now) };
    stamped = { ...stamped, [attemptId]: { ...lease, ...times, cancel: marked } };
  }
  return stamped;
}

const at = (instant: Instant, now: Instant): Instant => (instant === STAMP ? now : instant);
