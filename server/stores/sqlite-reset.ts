import { randomUUID } from 'node:crypto';
import { rewind } from '../core/rewind.ts';
import type { LoadedJob } from '../core/store.ts';
import type { Instant } from '../core/time.ts';
import { putAction } from './sqlite-actions.ts';
import type { StoreClock } from './sqlite-clock.ts';
import { readable } from './sqlite-clock-judge.ts';
import type { Connection } from './sqlite-connection.ts';
import { listJobs, putJob, putSpec } from './sqlite-jobs.ts';
import { RUN_COLUMNS, runOf } from './sqlite-rows.ts';
import { deleteRun, fileRuns } from './sqlite-runs.ts';

const PAGE = 250;

/**
 * Takes the wall clock for right, and brings back to it whatever lies ahead of it. Belongs inside
 * one transaction: whoever comes in between would find records of a future that has not come, and a
 * process that is killed halfway would leave a history with holes.
 */
export function resetClock(
  connection: Connection,
  time: StoreClock,
  by: string | null,
): readonly string[] {
  const { before, now } = time.reset();
  const rewound: string[] = [];
  fileRuns(connection, Infinity);
  connection.run('DELETE FROM specs WHERE from_at > ?', now);
  for (let after = '', more = true; more;) {
    const page = listJobs(connection, { limit: PAGE, after });
    for (const job of page) if (rewindJob(connection, job, { now, by })) rewound.push(job.name);
    after = page.at(-1)?.name ?? after;
    more = page.length === PAGE;
  }
  // Until when a job was set aside was told by the same clock.
  connection.run(
    'UPDATE jobs SET next_action_at = ?, changed_at = ? WHERE problem IS NOT NULL ' +
      'AND next_action_at > ?',
    now,
    now,
    now,
  );
  connection.kept.clear();
  putAction(connection, {
    id: randomUUID(),
    at: now,
    by,
    action: 'reset-clock',
    job: null,
    runId: null,
    detail: `store time was ${readable(before)}, and goes on from ${readable(now)}`,
    before: readable(before),
    after: readable(now),
  });
  return rewound;
}

interface Resetting {
  readonly now: Instant;
  readonly by: string | null;
}

/** False where nothing of the job lies ahead, or its record can't be used. */
function rewindJob(
  connection: Connection,
  { name, version, record }: LoadedJob,
  { now, by }: Resetting,
): boolean {
  if (record === undefined || version === undefined) return false;
  const undone = connection.all(RANGES_AHEAD, name, now).map(runOf);
  for (const { id } of undone) deleteRun(connection, id);
  const latest = connection.get(LATEST_AHEAD, name, now)?.['at'];
  const aheadTo = typeof latest === 'number' ? latest : null;
  const rewound = rewind(record, { now, by, undone, aheadTo, id: randomUUID() });
  if (rewound === undefined) return false;
  putJob(connection, { name, version, record: rewound.record, now });
  for (const spec of rewound.specs) putSpec(connection, spec);
  putAction(connection, rewound.action);
  return true;
}

const AHEAD = "FROM runs WHERE filed = 1 AND job = ? AND trigger = 'schedule' AND at > ?";
const RANGES_AHEAD =
  `SELECT ${RUN_COLUMNS} ${AHEAD} ` + "AND json_valid(doc) AND doc ->> '$.range' IS NOT NULL";
const LATEST_AHEAD = `SELECT max(at) AS at ${AHEAD}`;
