import { DatabaseSync } from 'node:sqlite';
import { blankRun } from '../../server/core/blank-run.ts';
import type { Run } from '../../server/core/records.ts';
import { compactInstant, type Instant } from '../../server/core/time.ts';
import { occurrencesOf } from '../../server/core/undecided.ts';
import { WRITTEN_PAST } from './account.ts';

/** Four weeks of a job of each second. */
const LIMIT = 2_500_000;

/** Writes, past the service, a run of each occurrence in (from, to]; gives how many. */
export function writeHistory(
  db: string,
  schedules: readonly (readonly [name: string, schedule: string])[],
  span: { readonly from: Instant; readonly to: Instant },
): number {
  const connection = new DatabaseSync(db, { timeout: 5000 });
  try {
    connection.exec('BEGIN IMMEDIATE');
    const run = connection.prepare(
      'INSERT INTO runs (id, job, state, trigger, at, doc) VALUES (?, ?, ?, ?, ?, ?)',
    );
    const log = connection.prepare('INSERT INTO logs (run_id, n, doc) VALUES (?, 0, ?)');
    let count = 0;
    for (const [name, schedule] of schedules) {
      const text = { schedule, timeZone: 'UTC', from: 0 };
      for (const at of occurrencesOf({ name, schedules: [text] }, span, LIMIT)) {
        const past = pastRun(name, at);
        run.run(past.id, name, past.state, past.trigger, at, JSON.stringify(past));
        log.run(past.id, JSON.stringify(pastLog(past.id, at)));
        count += 1;
      }
    }
    connection.exec('COMMIT');
    connection.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    return count;
  } finally {
    connection.close();
  }
}

function pastRun(job: string, at: Instant): Run {
  const [startedAt, endedAt] = [at + 5, at + 9];
  const attempt = {
    n: 1,
    fence: at,
    attemptId: `past${at}`,
    owner: 'past:1',
    startedAt,
    endedAt,
    outcome: 'succeeded' as const,
    error: null,
    renewals: 0,
  };
  return {
    ...blankRun(job, `${job}@${compactInstant(at)}`, { now: at, build: WRITTEN_PAST }),
    state: 'succeeded',
    scheduledAt: at,
    createdAt: startedAt,
    startedAt,
    endedAt,
    attempts: [attempt],
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  };
}

const pastLog = (runId: string, at: Instant) => ({
  runId,
  n: 0,
  first: 0,
  lines: [{ at, level: 'info', text: 'done', fields: null }],
  progress: null,
  keepFrom: 0,
});
