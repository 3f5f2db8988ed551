import { Router } from 'express';
import { trailOf } from '../../views/pager.ts';
import { runsBody, type Found } from '../../views/runs-page.ts';
import type { Deps } from '../core/deps.ts';
import {
  parseRunFilter,
  unknownJob,
  type FilterProblem,
  type RunFilter,
} from '../core/run-filter.ts';
import { runFilterHints } from '../core/run-filter-hints.ts';
import { SCAN, searchRuns } from '../core/search.ts';
import { BadCursor, isBilled } from '../core/store.ts';
import { badRequest, instant, readQuery } from './read.ts';
import { showAt } from './show.ts';

/** A page of history; one record more is read, to know whether others come. */
const RUNS_SHOWN = 50;
/** What counts back from now counts from whole minutes, or each poll would be another page. */
const STEADY_MS = 60_000;

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
    const asOf = query.has('asOf') ? instant(query.get('asOf'), '?asOf') : now - (now % STEADY_MS);
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
  const scan = isBilled(store) ? SCAN.billed : SCAN.free;
  const wanted = { ...query, text, limit: RUNS_SHOWN, ...(cursor !== undefined && { cursor }) };
  const {
    runs,
    cursor: next,
    scanned,
    backTo,
  } = await atCursor(searchRuns(store, wanted, { scan }));
  const { job } = query;
  if (runs.length === 0 && job !== undefined && !registry.has(job)) {
    const { version } = await store.read(job);
    if (version === undefined) {
      return { found: null, problems: [unknownJob(q, job, registry.keys())] };
    }
  }
  const search = text === null ? null : { scanned, backTo };
  return { found: { runs, next, search }, problems };
}

/** An address that was cut, or changed by hand, names no place in a list. */
export async function atCursor<Page>(page: Promise<Page>): Promise<Page> {
  try {
    return await page;
  } catch (error) {
    if (!(error instanceof BadCursor)) throw error;
    const message = 'is no place in this list; start again without it';
    throw badRequest([{ path: '?cursor', message }]);
  }
}
