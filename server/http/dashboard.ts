import { Router, type Request, type Response } from 'express';
import type { Deps } from '../core/deps.ts';
import { cancelRun, runNow, type Changed, type Requested } from '../core/run-now.ts';
import { isBilled } from '../core/store.ts';
import { html, pathPart } from '../../views/html.ts';
import { jobRow } from '../../views/jobs.ts';
import { message, partial } from '../../views/layout.ts';
import { overviewFragment, overviewPage, type Overview } from '../../views/overview.ts';
import { runFragment, runPage, type RunView } from '../../views/run.ts';
import { runLink } from '../../views/runs.ts';
import { findJob, findRun, refusal, summaryOf } from './api.ts';
import { assetPaths } from './assets.ts';
import { HttpError } from './errors.ts';
import { JobList } from './job-list.ts';
import { readLogView } from './log-view.ts';
import { isHtmx, showProblem } from './problem-page.ts';
import { sendHtml } from './send-html.ts';

const RUNS_SHOWN = 20;
/** A page stays quick to draw with this many; the API gives them all. */
const LOG_LINES_SHOWN = 1000;

/** The HTML surface. A page and its poll show the same fragment; a click is answered in words. */
export function dashboardRoutes(deps: Deps): Router {
  const router = Router();
  const jobList = new JobList(deps);

  router.get('/', async (_req, res) => {
    sendHtml(res, overviewPage(await readOverview(deps, jobList), assetPaths));
  });
  router.get('/fragments/overview', async (_req, res) => {
    sendHtml(res, overviewFragment(await readOverview(deps, jobList)));
  });
  router.get('/runs/:id', async (req, res) => {
    sendHtml(res, runPage(await readRun(deps, req.params.id), assetPaths));
  });
  router.get('/fragments/runs/:id', async (req, res) => {
    sendHtml(res, runFragment(await readRun(deps, req.params.id)));
  });
  router.post('/jobs/:name/runs', (req, res) => startRun(deps, req, res));
  router.post('/runs/:id/cancel', (req, res) => cancel(deps, req, res));

  router.use(showProblem);
  return router;
}

/** What others may see today is none of a cache's business, and never up to date. */
/** How often pages ask for what is new: seldom, where each answer is billed. */
const REFRESH_SECONDS = { free: 3, billed: 15 } as const;

const refreshSeconds = ({ store }: Deps): number =>
  isBilled(store) ? REFRESH_SECONDS.billed : REFRESH_SECONDS.free;

async function readOverview(deps: Deps, jobList: JobList): Promise<Overview> {
  const [{ jobs, now }, page] = await Promise.all([
    jobList.read(),
    isBilled(deps.store) ? null : deps.store.listRuns({ limit: RUNS_SHOWN }),
  ]);
  return { jobs, runs: page && page.runs, now, refreshSeconds: refreshSeconds(deps) };
}

async function readRun(deps: Deps, id: string): Promise<RunView> {
  const run = await findRun(deps, id);
  const [{ storeNow: now }, log] = await Promise.all([
    deps.store.time(),
    readLogView(deps.store, run.id, LOG_LINES_SHOWN),
  ]);
  return { run, log, now, refreshSeconds: refreshSeconds(deps) };
}

/** Answers with a word on what was started, and with the job's row as it is now. */
async function startRun(deps: Deps, req: Request<{ name: string }>, res: Response): Promise<void> {
  const job = findJob(deps, req.params.name);
  if (deps.runner.draining) throw new HttpError(503, 'Shutting down', DRAINING);
  const requested = await runNow(deps, job, {
    input: undefined,
    key: undefined,
    beside: false,
    by: null,
    traceparent: req.get('traceparent') ?? null,
  });
  const run = startedRun(requested, job.name);
  if (!isHtmx(req)) return res.redirect(303, `/runs/${pathPart(run.id)}`);

  const [{ storeNow }, summary] = await Promise.all([deps.store.time(), summaryOf(deps, job.name)]);
  const what = run.state === 'queued' ? 'a run waits for its turn.' : 'a run has started.';
  sendHtml(
    res.status(201),
    html`${message('good', job.name, ': ', what, ' ', runLink(run.id, 'Look at it'))}
      ${partial(`#job-${job.name}`, 'outerMorph', jobRow(summary, storeNow))}`,
  );
}

const DRAINING = 'The service is shutting down. Try again in a minute.';
const NO_ANSWER = 'The store does not answer. Look at the newest runs before you try again.';

/** The run that was asked for; throws what there is to say where there is none. */
function startedRun(requested: Requested, job: string): { id: string; state: string } {
  switch (requested.kind) {
    case 'created':
    case 'replayed':
      return requested.run;
    case 'bad-input': {
      const problems = requested.problems.map(({ path, message }) => `${path}: ${message}`);
      const how = `Start it with one through POST /api/v1/jobs/${job}/runs.`;
      throw new HttpError(422, 'Needs an input', `${problems.join('; ')}. ${how}`);
    }
    case 'refused':
      throw refusal(requested);
    case 'other-request':
    case 'unknown':
    case 'unavailable':
      throw new HttpError(503, 'Store unavailable', NO_ANSWER);
  }
}

/** Answers with a word on what was asked for, and with the run as it is now. */
async function cancel(deps: Deps, req: Request<{ id: string }>, res: Response): Promise<void> {
  const { id } = await findRun(deps, req.params.id);
  assertChanged(await cancelRun(deps, id, null));
  if (!isHtmx(req)) return res.redirect(303, `/runs/${pathPart(id)}`);

  const view = await readRun(deps, id);
  const what =
    view.run.state === 'cancelled'
      ? 'The run is cancelled.'
      : 'The run is told to stop. It ends when its handler does.';
  sendHtml(res, html`${message('good', what)}${partial('#run', 'innerMorph', runFragment(view))}`);
}

function assertChanged(changed: Changed): void {
  if (changed.kind === 'refused') throw refusal(changed);
  if (changed.kind === 'changed' || changed.kind === 'unchanged') return;
  throw new HttpError(503, 'Store unavailable', NO_ANSWER);
}
