import type { ActionRecord, JobRecord, LateResult, Run } from './records.ts';
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
    retries: record.retries.map((retry) => ({ ...retry, since: at(retry.since, now) })),
    queue: record.queue.map((queued) => ({ ...queued, since: at(queued.since, now) })),
    backfill: backfill && { ...backfill, since: at(backfill.since, now) },
    last: last && { ...last, at: at(last.at, now) },
    recent: record.recent.map((one) => (one.at === STAMP ? { ...one, at: now } : one)),
  };
}

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
  const leases = Object.entries(active).map(([attemptId, lease]) => {
    const { startedAt, renewedAt, cancel } = lease;
    const stamped = {
      ...lease,
      startedAt: at(startedAt, now),
      renewedAt: at(renewedAt, now),
      cancel: cancel && { ...cancel, at: at(cancel.at, now) },
    };
    return [attemptId, stamped] as const;
  });
  return Object.fromEntries(leases);
}

const at = (instant: Instant, now: Instant): Instant => (instant === STAMP ? now : instant);
