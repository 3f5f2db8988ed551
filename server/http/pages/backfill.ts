import { Router, type Response } from 'express';
import { backfillBody, type BackfillView, type PlannedBackfill } from '../../../views/backfill.ts';
import { html } from '../../../views/html.ts';
import { partial } from '../../../views/layout.ts';
import { jobUrl } from '../../../views/urls.ts';
import { backfillPlan } from '../../core/backfill-plan.ts';
import type { Deps } from '../../core/deps.ts';
import { backfillId } from '../../core/ids.ts';
import type { JobRecord, Run, Span } from '../../core/records.ts';
import { backfillJob, endBackfill } from '../../core/run-now.ts';
import { priceOf } from '../../core/store.ts';
import { summarise } from '../../core/summary.ts';
import type { Instant } from '../../core/time.ts';
import { nameOf } from '../caller.ts';
import { findJob } from '../find.ts';
import { answerClick, assertChanged } from './clicks.ts';
import { formFields, formKey, utcField, utcText } from './forms.ts';
import { canAct, COUNTED, runningOf } from './job-view.ts';
import { readQuery } from '../read.ts';
import { showAgain, showAt, type Asking, type Shown } from './show.ts';

const LISTED = 50;
/** Records of the stretch that are looked up to say what the first occurrences came to. */
const LOOKED_UP = { free: 500, billed: 100 } as const;
/** Stretches that did not run, of those since its beginning. */
const RANGES = 50;
const SUGGESTED = 10;
const DAY_MS = 86_400_000;

/**
 * Choosing a backfill, and starting it. The page reads the job, and two listings: what is on record
 * of the stretch (at most 501, or 101 where each is billed), and what did not run since then (51).
 * Before one is chosen it reads the last stretches that were missed (11).
 */
export function backfillRoutes(deps: Deps): Router {
  const router = Router();

  showAt(router, '/jobs/:name/backfill', deps, (asked, req) =>
    showBackfill(asked, req, readQuery(req, ['from', 'to'])),
  );
  router.post('/jobs/:name/backfill', (req, res) => start(deps, req, res));
  router.post('/jobs/:name/backfills/:id/end', (req, res) => end(deps, req, res));
  return router;
}

async function showBackfill(
  deps: Deps,
  req: Asking,
  typed: ReadonlyMap<string, string>,
): Promise<Shown> {
  const view = await readBackfill(deps, req.params['name'] ?? '', typed);
  const body = backfillBody(view);
  return { title: `Backfill ${view.name}`, section: 'jobs', now: view.now, live: false, body };
}

async function readBackfill(
  deps: Deps,
  asked: string,
  typed: ReadonlyMap<string, string>,
): Promise<BackfillView> {
  const job = findJob(deps, asked);
  const { name } = job;
  const loaded = await deps.store.read(name);
  const { storeNow: now, record } = loaded;
  const summary = summarise(loaded, job, now);
  const minute = now - (now % 60_000);
  const isChosen = typed.has('from') || typed.has('to');
  const read = readSpan(typed, now);
  const refused = whyNot(record, canAct(summary));
  const usable = record !== undefined && refused === null && record.backfill === null;
  return {
    name,
    timeZone: summary.timeZone,
    now,
    from: typed.get('from') ?? utcText(minute - DAY_MS),
    to: typed.get('to') ?? utcText(minute),
    problems: isChosen ? read.problems : new Map(),
    planned:
      usable && isChosen && read.span !== null ? await planOf(deps, record, read.span) : null,
    suggested: usable && !isChosen ? await missedOf(deps, name) : [],
    running: runningOf(record),
    refused,
  };
}

function whyNot(record: JobRecord | undefined, can: boolean): string | null {
  if (record === undefined || !can) {
    return 'Nothing can be opened for this job now: see its page for why.';
  }
  const { schedule = null } = record.schedules.at(-1) ?? {};
  return schedule === null
    ? 'This job runs only by hand, so it has no occurrences. Its page can start a run.'
    : null;
}

interface ReadSpan {
  /** Half-open, as the core has it: both instants that were chosen belong to it. */
  readonly span: Span | null;
  readonly problems: ReadonlyMap<string, readonly string[]>;
}

function readSpan(typed: ReadonlyMap<string, string>, now: Instant): ReadSpan {
  const problems = new Map<string, readonly string[]>();
  const read = (field: string): Instant | undefined => {
    const at = utcField(typed.get(field) ?? '');
    if (at === undefined) problems.set(field, ['choose a date and a time']);
    else if (at > now) problems.set(field, ['lies in the future']);
    return at;
  };
  const [from, to] = [read('from'), read('to')];
  if (from !== undefined && to !== undefined && to < from) {
    problems.set('to', ['lies before the beginning']);
  }
  const usable = from !== undefined && to !== undefined && problems.size === 0;
  return { span: usable ? { from: from - 1, to } : null, problems };
}

async function planOf(deps: Deps, record: JobRecord, span: Span): Promise<PlannedBackfill> {
  const { store } = deps;
  const plan = backfillPlan(record, span, { listed: LISTED, counted: COUNTED });
  const last = plan.first.at(-1);
  const key = deps.newId();
  if (last === undefined) return { ...plan, key, known: new Map(), knownFrom: span.from };
  const [job, since] = [record.name, span.from];
  const limit = LOOKED_UP[priceOf(store)];
  const [those, notRun] = await Promise.all([
    store.listRuns({ job, since, until: last, limit }),
    // A stretch that did not run is on record at its end, which may lie behind what is listed.
    store.listRuns({ job, states: ['missed', 'skipped'], since, limit: RANGES }),
  ]);
  const known = knownOf(plan.first, [...notRun.runs, ...those.runs]);
  const oldest = those.cursor === undefined ? since : (those.runs.at(-1)?.at ?? last);
  return { ...plan, key, known, knownFrom: notRun.cursor === undefined ? oldest : Infinity };
}

/** What each occurrence came to: a run that succeeded before any other, the newest before older. */
function knownOf(
  occurrences: readonly Instant[],
  runs: readonly Run[],
): ReadonlyMap<Instant, Pick<Run, 'id' | 'state'>> {
  const known = new Map<Instant, Pick<Run, 'id' | 'state'>>();
  const ranges = runs.filter(({ range }) => range !== null);
  for (const run of runs.toSorted((a, b) => succeededFirst(a) - succeededFirst(b))) {
    const { id, state, range, scheduledAt } = run;
    if (range === null && scheduledAt !== null && !known.has(scheduledAt)) {
      known.set(scheduledAt, { id, state });
    }
  }
  for (const at of occurrences) {
    const over = ranges.find(({ range }) => range !== null && range.from <= at && at <= range.to);
    if (over !== undefined && !known.has(at)) known.set(at, { id: over.id, state: over.state });
  }
  return known;
}

const succeededFirst = ({ state }: Run): number => (state === 'succeeded' ? 0 : 1);

/** Stretches that were missed last: what a backfill is mostly for. */
async function missedOf({ store }: Deps, job: string): Promise<BackfillView['suggested']> {
  const { runs } = await store.listRuns({ job, states: ['missed'], limit: SUGGESTED });
  return runs.flatMap(({ range }) =>
    range === null ? [] : [{ ...range, fromText: utcText(range.from), toText: utcText(range.to) }],
  );
}

/** Starts what was shown, and goes to where its progress can be seen. */
async function start(deps: Deps, req: Asking, res: Response): Promise<void> {
  const { name } = findJob(deps, req.params['name'] ?? '');
  const typed = formFields(req);
  const { storeNow } = await deps.store.time();
  const { span } = readSpan(typed, storeNow);
  if (span === null) {
    return await showAgain(deps, req, res.status(422), (counted) =>
      showBackfill(counted, req, typed),
    );
  }
  const key = formKey(typed);
  // The form that was sent already has its backfill, which may be over.
  const id = key === undefined ? deps.newId() : backfillId(key);
  assertChanged(await backfillJob(deps, name, { ...span, by: nameOf(req), id }));
  res.redirect(303, jobUrl(name));
}

/** Opens no more of one that is under way; the page shows so at its next look. */
async function end(deps: Deps, req: Asking, res: Response): Promise<void> {
  const { name } = findJob(deps, req.params['name'] ?? '');
  const changed = await endBackfill(deps, name, { id: req.params['id'] ?? '', by: nameOf(req) });
  assertChanged(changed);
  const said =
    changed.kind === 'changed'
      ? 'The backfill is ended: no more of its runs are opened.'
      : 'That backfill was over already.';
  answerClick(req, res, {
    goTo: jobUrl(name),
    said,
    parts: [partial('#backfill-running', 'outerHTML', html``)],
  });
}
