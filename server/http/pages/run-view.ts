import type { RunView } from '../../../views/run-view.ts';
import type { Deps } from '../../core/deps.ts';
import { isRerun } from '../../core/request-hash.ts';
import { isFinal } from '../../core/run.ts';
import { shownRun } from '../../core/secrets/stored.ts';
import { figuresOf } from '../../core/stats.ts';
import { summarise } from '../../core/summary.ts';
import { findRun } from '../find.ts';
import { progressOf, readNewest } from './log-part.ts';
import { readLogShown, type LogQuery } from './run-log.ts';

/**
 * Reads what the page of a run shows: the run, its job, and of its log the end, in at most two
 * reads. A page that has the log already (`log` is null) needs only its newest chunk, for the
 * progress, and that only while the run goes on.
 */
export async function readRunView(deps: Deps, id: string, log: LogQuery | null): Promise<RunView> {
  const run = await findRun(deps, id);
  const [loaded, shown, newest] = await Promise.all([
    deps.store.read(run.job),
    log === null || run.range !== null ? null : readLogShown(deps, run, log),
    log === null && run.state === 'running' ? readNewest(deps.store, run.id) : undefined,
  ]);
  const { storeNow: now, record = null } = loaded;
  const job = deps.registry.get(run.job);
  return {
    run: shownRun(run, job),
    now,
    record,
    known: job !== undefined && record !== null && record.retiredAt === null,
    nextAt: isFinal(run.state) ? summarise(loaded, job, now).nextScheduledAt : null,
    usualMs: figuresOf(record?.recent ?? []).p50Ms,
    progress: progressOf(run, newest ?? shown?.part.newest),
    repeats: isRerun(run),
    log: shown,
    project: deps.project,
  };
}
