import { Router } from 'express';
import { trailOf } from '../../../views/pager.ts';
import { runsBody, type Found } from '../../../views/runs-page.ts';
import type { Deps } from '../../core/deps.ts';
import {
  parseRunFilter,
  unknownJob,
  type FilterProblem,
  type RunFilter,
} from '../../core/run-filter.ts';
import { runFilterHints } from '../../core/run-filter-hints.ts';
import { SCAN, searchRuns } from '../../core/search.ts';
import { priceOf, type Store } from '../../core/store.ts';
import type { Instant } from '../../core/time.ts';
import { atCursor, readAsOf } from './paging.ts';
import { readQuery } from '../read.ts';
import { showAt } from './show.ts';
import { Unchanged } from './unchanged.ts';

/** A page of history; one record more is read, to know whether others come. */
const RUNS_SHOWN = 50;
/** A change may come into sight later than the time it bears, and that time is reckoned. */
const LATE_IN_SIGHT_MS = 2000;

/**
 * The runs of all jobs. One listing a page (51 records; a search for text at most 2,000, or 200
 * where they are billed), and one job, where a filter that names it finds nothing. Of the newest
 * runs a poll reads one job, if any was written since: as long as none was, the list stands.
 */
export function runsPage(deps: Deps): Router {
  const router = Router();
  const lists = new Unchanged<Finding>();

  showAt(router, '/runs', deps, async (asked, req) => {
    const query = readQuery(req, ['q', 'cursor', 'asOf']);
    const q = query.get('q') ?? '';
    const trail = trailOf(query.get('cursor'));
    const { storeNow: now } = await asked.store.time();
    const asOf = readAsOf(query, now);
    const filter = parseRunFilter(q, asOf);
    // What is older does not change, and a search costs too much to be done again and again.
    const isNewest = trail.length === 0 && filter.text === null;
    const read = (): Promise<Finding> => find(asked, filter, q, trail.at(-1));
    const moment = { store: now, monotonic: asked.clock.monotonic() };
    const holds = (_: Finding, at: Instant): Promise<boolean> => isQuiet(asked.store, at);
    const key = JSON.stringify([q, filter.relative ? asOf : null]);
    const { found, problems } = isNewest
      ? await lists.get(key, moment, { holds, read })
      : await read();
    const body = runsBody({
      q,
      problems,
      hints: runFilterHints(q, asked.registry.keys()),
      job: found === null ? undefined : filter.query.job,
      found,
      trail,
      asOf: filter.relative ? asOf : null,
      now,
    });
    const live = isNewest && found !== null;
    return { title: 'Runs', section: 'runs', now, live, body };
  });
  return router;
}

/** Whether no job was written since: then no run has changed, either. */
const isQuiet = async (store: Store, since: Instant): Promise<boolean> =>
  (await store.listJobs({ limit: 1, changedSince: since - LATE_IN_SIGHT_MS })).length === 0;

interface Finding {
  readonly found: Found | null;
  readonly problems: readonly FilterProblem[];
}

async function find(
  { store, registry }: Deps,
  { query, text, problems }: RunFilter,
  q: string,
  cursor: string | undefined,
): Promise<Finding> {
  if (problems.length > 0) return { found: null, problems };
  const wanted = { ...query, text, limit: RUNS_SHOWN, ...(cursor !== undefined && { cursor }) };
  const search = searchRuns(store, wanted, { scan: SCAN[priceOf(store)] });
  const { runs, cursor: next, scanned, backTo } = await atCursor(search);
  const { job } = query;
  if (runs.length === 0 && job !== undefined && !registry.has(job)) {
    const { version } = await store.read(job);
    if (version === undefined) {
      return { found: null, problems: [unknownJob(q, job, registry.keys())] };
    }
  }
  const looked = text === null ? null : { scanned, backTo };
  return { found: { runs, next, search: looked }, problems };
}
