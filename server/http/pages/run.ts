import { Router, type Response } from 'express';
import { partial } from '../../../views/layout.ts';
import { runBody } from '../../../views/run.ts';
import { isLive, stateWord } from '../../../views/state.ts';
import { runUrl } from '../../../views/urls.ts';
import type { Deps } from '../../core/deps.ts';
import type { Run } from '../../core/records.ts';
import { cancelRun, freeRun, runNow, type Changed } from '../../core/run-now.ts';
import { nameOf } from '../caller.ts';
import { findJob, findRun } from '../find.ts';
import { answerClick, assertChanged, assertOpen, startedRun } from './clicks.ts';
import { HttpError } from '../errors.ts';
import { formFields } from './forms.ts';
import { newerRun, olderRun } from './nearby-runs.ts';
import { isHtmx } from './problem-page.ts';
import { readQuery } from '../read.ts';
import { inputToRepeat } from '../repeated.ts';
import { readLogQuery, runLogRoutes } from './run-log.ts';
import { readRunView } from './run-view.ts';
import { showAt, type Asking } from './show.ts';

/** One run, and what is done from its page. */
export function runPage(deps: Deps): Router {
  const router = Router();

  // Reads: the run, its job, and at most two pages of its log (eight where it is searched); when
  // the page asks again, the run, its job, and while it runs the log's newest chunk.
  showAt(router, '/runs/:id', deps, async (asked, req) => {
    const query = readLogQuery(readQuery(req, ['text', 'level', 'before']));
    // Only a page that is on the screen has a tag to send, and that one has its log already.
    const again = req.get('HX-PTag') !== undefined;
    const view = await readRunView(asked, idIn(req), again ? null : query);
    const { run, now } = view;
    const title = `${run.job}: ${stateWord(run.state)}`;
    return { title, section: 'runs', now, live: isLive(run.state), body: runBody(view) };
  });
  router.use(runLogRoutes(deps));
  router.get('/runs/:id/earlier', async (req, res) => {
    const run = await findRun(deps, req.params.id);
    goTo(res, (await olderRun(deps.store, run)) ?? run);
  });
  router.get('/runs/:id/later', async (req, res) => {
    const run = await findRun(deps, req.params.id);
    goTo(res, (await newerRun(deps.store, run)) ?? run);
  });
  router.post('/runs/:id/cancel', (req, res) => cancel(deps, req, res));
  router.post('/runs/:id/free', (req, res) => free(deps, req, res));
  router.post('/runs/:id/reruns', (req, res) => rerun(deps, req, res));
  return router;
}

const idIn = (req: Asking): string => req.params['id'] ?? '';

const pathOf = ({ id }: Run): string => runUrl(id);

const goTo = (res: Response, run: Run): void => res.redirect(303, pathOf(run));

async function cancel(deps: Deps, req: Asking, res: Response): Promise<void> {
  await change(deps, req, res, {
    with: cancelRun,
    said: ({ state }) =>
      state === 'cancelled'
        ? 'The run is cancelled.'
        : 'The run is told to stop. It ends when its handler does.',
  });
}

async function free(deps: Deps, req: Asking, res: Response): Promise<void> {
  const said = 'Its slot is free. The handler may still be working.';
  await change(deps, req, res, { with: freeRun, said: () => said });
}

/** Answers with a word on what was done, and with the run as it is now. */
async function change(
  deps: Deps,
  req: Asking,
  res: Response,
  how: {
    readonly with: (deps: Deps, runId: string, by: string | null) => Promise<Changed>;
    readonly said: (run: Run) => string;
  },
): Promise<void> {
  const { id } = await findRun(deps, idIn(req));
  assertChanged(await how.with(deps, id, nameOf(req)));
  const view = await readRunView(deps, id, null);
  answerClick(req, res, {
    goTo: pathOf(view.run),
    said: how.said(view.run),
    parts: [partial('#page', 'innerMorph', runBody(view))],
  });
}

/** Starts the run's job with the run's input, and goes on to the new run. */
async function rerun(deps: Deps, req: Asking, res: Response): Promise<void> {
  const old = await findRun(deps, idIn(req));
  if (old.range !== null) {
    throw new HttpError(409, 'Never ran', 'what did not run can not be run again; backfill it');
  }
  const job = findJob(deps, old.job);
  assertOpen(deps.runner);
  const requested = await runNow(deps, job, {
    input: inputToRepeat(deps, job, old),
    key: keyIn(req),
    beside: false,
    rerunOf: old.id,
    by: nameOf(req),
    traceparent: req.get('traceparent') ?? null,
  });
  const run = startedRun(requested, job.name);
  if (isHtmx(req)) res.status(201).set('HX-Redirect', pathOf(run)).end();
  else goTo(res, run);
}

/** Without one, as without a form, every request is a new run. */
function keyIn(req: Asking): string | undefined {
  const key = formFields(req).get('key');
  return key !== undefined && /^[\x20-\x7e]{1,255}$/.test(key) ? key : undefined;
}
