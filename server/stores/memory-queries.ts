import type { Run } from '../core/records.ts';
import type { DuePage, DueQuery, LoadedJob, RunPage, RunQuery, StoreTime } from '../core/store.ts';
import type { Instant } from '../core/time.ts';
import { cursorOf, positionOf } from './cursor.ts';

/** How the store of tests finds things: by looking at all of them. */

type Timed = LoadedJob & { readonly nextActionAt: Instant | null };

export function dueJobs(
  jobs: Iterable<Timed>,
  { limit, aheadMs, cursor }: DueQuery,
  storeNow: Instant,
): Omit<DuePage, keyof StoreTime> {
  const start = cursor === undefined ? undefined : positionOf(cursor, ['due']);
  const found: { readonly at: Instant; readonly id: string; readonly job: Timed }[] = [];
  for (const job of jobs) {
    const { nextActionAt: at, name: id } = job;
    if (at === null || at > storeNow + aheadMs) continue;
    if (start === undefined || at > start.at || (at === start.at && id > start.id)) {
      found.push({ at, id, job });
    }
  }
  found.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  const page = found.slice(0, Math.max(0, limit));
  const last = found.length > page.length ? page.at(-1) : undefined;
  const items = page.map(({ job: { nextActionAt: _at, ...job } }) => job);
  return { items, cursor: last && cursorOf(last, ['due']) };
}

export function pageOfRuns(runs: Iterable<Run>, query: RunQuery): RunPage {
  const { limit, job, state, trigger, since = -Infinity, until = Infinity, cursor } = query;
  const filters = ['runs', job, state, trigger, query.since, query.until];
  const start = cursor === undefined ? undefined : positionOf(cursor, filters);
  const matches = (run: Run): boolean =>
    (job === undefined || run.job === job) &&
    (state === undefined || run.state === state) &&
    (trigger === undefined || run.trigger === trigger) &&
    run.at > since &&
    run.at <= until &&
    (start === undefined || run.at < start.at || (run.at === start.at && run.id < start.id));
  const found: Run[] = [];
  for (const run of runs) if (matches(run)) found.push(run);
  found.sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
  const page = found.slice(0, Math.max(0, limit));
  const last = found.length > page.length ? page.at(-1) : undefined;
  return { runs: page, cursor: last && cursorOf(last, filters) };
}
