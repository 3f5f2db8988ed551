import type { ActionRecord, Run } from '../core/records.ts';
import type {
  ActionPage,
  ActionQuery,
  DuePage,
  DueQuery,
  LoadedJob,
  RunPage,
  RunQuery,
  StoreTime,
} from '../core/store.ts';
import type { Instant } from '../core/time.ts';
import { actionFilters, cursorOf, positionOf, runFilters, type Position } from './cursor.ts';

/** How the store of tests finds things: by looking at all of them. */

type Timed = LoadedJob & { readonly nextActionAt: Instant | null; readonly changedAt: Instant };

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
  const items = page.map(({ job: { nextActionAt: _at, changedAt: _changed, ...job } }) => job);
  return { items, cursor: last && cursorOf(last, ['due']) };
}

export function pageOfRuns(runs: Iterable<Run>, query: RunQuery): RunPage {
  const { limit, job, states, trigger, since = -Infinity, until = Infinity, cursor, skip } = query;
  const filters = runFilters(query);
  const start = cursor === undefined ? undefined : positionOf(cursor, filters);
  const matches = (run: Run): boolean =>
    (job === undefined || run.job === job) &&
    (states === undefined || states.includes(run.state)) &&
    (trigger === undefined || run.trigger === trigger) &&
    run.at > since &&
    run.at <= until;
  const { page, last } = newest(runs, { matches, start, limit, skip });
  return { runs: page, cursor: last && cursorOf(last, filters) };
}

export function pageOfActions(actions: Iterable<ActionRecord>, query: ActionQuery): ActionPage {
  const { limit, job, cursor } = query;
  const filters = actionFilters(query);
  const start = cursor === undefined ? undefined : positionOf(cursor, filters);
  const matches = (action: ActionRecord): boolean => job === undefined || action.job === job;
  const { page, last } = newest(actions, { matches, start, limit });
  return { actions: page, cursor: last && cursorOf(last, filters) };
}

interface Wanted<Kept> {
  readonly matches: (one: Kept) => boolean;
  readonly start: Position | undefined;
  readonly limit: number;
  readonly skip?: number | undefined;
}

/** The newest of what matches behind `start`; `last` is the end of a page that others follow. */
function newest<Kept extends Position>(all: Iterable<Kept>, wanted: Wanted<Kept>) {
  const { matches, start, limit, skip = 0 } = wanted;
  const found: Kept[] = [];
  for (const one of all) {
    const behind =
      start === undefined || one.at < start.at || (one.at === start.at && one.id < start.id);
    if (behind && matches(one)) found.push(one);
  }
  found.sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
  const page = found.slice(skip, skip + Math.max(0, limit));
  return { page, last: found.length > skip + page.length ? page.at(-1) : undefined };
}
