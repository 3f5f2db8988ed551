import { Router } from 'express';
import { actionsBody, isByPerson, type ActionsProblem } from '../../../views/actions.ts';
import { trailOf } from '../../../views/pager.ts';
import type { Deps } from '../../core/deps.ts';
import { isJobName } from '../../core/ids.ts';
import { nearest } from '../../core/nearest.ts';
import type { ActionRecord } from '../../core/records.ts';
import type { ActionPage, Store } from '../../core/store.ts';
import { atCursor } from './paging.ts';
import { readQuery } from '../read.ts';
import { showAt } from './show.ts';

const ACTIONS_SHOWN = 50;
/** Who did what is not indexed by whom: so many are looked through for a page. */
const LOOKED_THROUGH = 200;
const HINTS_LIMIT = 12;

/**
 * Who did what. One listing a page (51 records); for one person's, or people's, two at most (201
 * each); and one job, where nothing is found of a job that this build does not have.
 */
export function actionsPage(deps: Deps): Router {
  const router = Router();

  showAt(router, '/actions', deps, async ({ store, registry }, req) => {
    const query = readQuery(req, ['job', 'by', 'cursor']);
    const job = query.get('job')?.trim() ?? '';
    const asked = { job, by: query.get('by') ?? '' };
    const trail = trailOf(query.get('cursor'));
    const names = [...registry.keys()];
    const hints = job === '' ? [] : names.filter((name) => name.includes(job) && name !== job);
    const { actions, next, search, problem } = await find(store, asked, trail.at(-1), names);
    const { storeNow: now } = await store.time();
    const body = actionsBody({
      actions,
      asked,
      problem,
      hints: hints.slice(0, HINTS_LIMIT),
      trail,
      next,
      search,
      now,
    });
    const live = trail.length === 0 && search === null && problem === null;
    return { title: 'Actions', section: 'actions', now, live, body };
  });
  return router;
}

interface Asked {
  readonly job: string;
  readonly by: string;
}

async function find(
  store: Store,
  asked: Asked,
  cursor: string | undefined,
  known: readonly string[],
) {
  const noJob: ActionsProblem = {
    message: `There is no job "${asked.job}"`,
    instead: nearest(asked.job, known),
  };
  const nobody = { actions: [], next: undefined, search: null, problem: noJob };
  if (asked.job !== '' && !isJobName(asked.job)) return nobody;
  const page = await atCursor(look(store, asked, cursor));
  if (page.actions.length === 0 && asked.job !== '' && !known.includes(asked.job)) {
    const { version } = await store.read(asked.job);
    if (version === undefined) return nobody;
  }
  const backTo = page.actions.at(-1)?.at ?? null;
  const search = asked.by === '' ? null : { scanned: page.actions.length, backTo };
  const actions = page.actions.filter((action) => isBy(action, asked.by));
  return { actions, next: page.cursor, search, problem: null };
}

/** A page of all, or as many as it takes to find a page of somebody's. */
async function look(
  store: Store,
  { job, by }: Asked,
  cursor: string | undefined,
): Promise<ActionPage> {
  const from = { ...(job !== '' && { job }), ...(cursor !== undefined && { cursor }) };
  if (by === '') return await store.listActions({ ...from, limit: ACTIONS_SHOWN });
  const page = await store.listActions({ ...from, limit: LOOKED_THROUGH });
  const matches = page.actions.flatMap((action, i) => (isBy(action, by) ? [i] : []));
  const beyond = matches[ACTIONS_SHOWN];
  // A cursor stands behind a page only: the page that ends before this match is asked for.
  return beyond === undefined ? page : await store.listActions({ ...from, limit: beyond });
}

function isBy(action: ActionRecord, by: string): boolean {
  if (by === '') return true;
  if (by === 'people') return isByPerson(action);
  if (by === 'service') return !isByPerson(action);
  return action.by === by;
}
