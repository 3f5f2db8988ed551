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
import { priceOf } from '../../core/store.ts';
import { atCursor, readAsOf } from './paging.ts';
import { readQuery } from '../read.ts';
import { showAt } from './show.ts';

/** A page of history; one record more is read, to know whether others come. */
const RUNS_SHOWN = 50;

/**
 * The runs of all jobs. One listing a page (51 records; a search for text at most 2,000, or 200
 * where they are billed), and one job, where a filter that names it finds nothing.
 */
export function runsPage(deps: Deps): Router {
  const router = Router();

  showAt(router, '/runs', deps, async (asked, req) => {
    const query = readQuery(req, ['q', 'cursor', 'asOf']);
    const q = query.get('q') ?? '';
    const trail = trailOf(query.get('cursor'));
    const { storeNow: now } = await asked.store.time();
    const asOf = readAsOf(query, now);
    const filter = parseRunFilter(q, asOf);
    const { found, problems } = await find(asked, filter, q, trail.at(-1));
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
    // What is older does not change, and a search costs too much to be done again and again.
    const live = trail.length === 0 && found !== null && filter.text === null;
    return { title: 'Runs', section: 'runs', now, live, body };
  });
  return router;
}

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
