import { Router } from 'express';
import { actionsBody, isByPerson, type ActionsProblem } from '../../../views/actions.ts';
import { trailOf } from '../../../views/pager.ts';
import type { Deps } from '../../core/deps.ts';
import { isJobName } from '../../core/ids.ts';
import { nearest } from '../../core/nearest.ts';
import type { ActionRecord } from '../../core/records.ts';
import type { ActionPage, Store } from '../../core/store.ts';
import type { Instant } from '../../core/time.ts';
import { atCursor } from './paging.ts';
import { readQuery } from '../read.ts';
import { showAt } from './show.ts';
import { Unchanged } from './unchanged.ts';

const ACTIONS_SHOWN = 50;
/** Who did what is not indexed by whom: so many are looked through for a page. */
const LOOKED_THROUGH = 200;
const HINTS_LIMIT = 12;

/**
 * Who did what. One listing a page (51 records); for one person's, or people's, two at most (201
 * each); and one job, where nothing is found of a job that this build does not have. A poll asks
 * for the newest alone (2 records): as long as it is the same, the list stands.
 */
export function actionsPage(deps: Deps): Router {
  const router = Router();
  const lists = new Unchanged<Finding>();

  showAt(router, '/actions', deps, async ({ store, registry, clock }, req) => {
    const query = readQuery(req, ['job', 'by', 'cursor']);
    const job = query.get('job')?.trim() ?? '';
    const asked = { job, by: query.get('by') ?? '' };
    const trail = trailOf(query.get('cursor'));
    const names = [...registry.keys()];
    const hints = job === '' ? [] : names.filter((name) => name.includes(job) && name !== job);
    const read = (): Promise<Finding> => find(store, asked, trail.at(-1), names);
    const moment = { store: 0, monotonic: clock.monotonic() };
    const holds = (known: Finding): Promise<boolean> => isNewest(store, job, known);
    const { actions, next, search, problem } =
      trail.length === 0 && asked.by === ''
        ? await lists.get(job, moment, { holds, read })
        : await read();
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

interface Finding {
  readonly actions: readonly ActionRecord[];
  readonly next: string | undefined;
  readonly search: { readonly scanned: number; readonly backTo: Instant | null } | null;
  readonly problem: ActionsProblem | null;
}

/** Whether a list still begins with the newest action there is. */
async function isNewest(store: Store, job: string, { actions, problem }: Finding) {
  if (problem !== null) return false;
  const { actions: newest } = await store.listActions({ limit: 1, ...(job !== '' && { job }) });
  return newest[0]?.id === actions[0]?.id;
}

async function find(
  store: Store,
  asked: Asked,
  cursor: string | undefined,
  known: readonly string[],
): Promise<Finding> {
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
