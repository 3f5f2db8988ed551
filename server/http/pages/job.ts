import { Router } from 'express';
import { jobBody } from '../../../views/job.ts';
import type { Deps } from '../../core/deps.ts';
import { backfillRoutes } from './backfill.ts';
import { jobClicks } from './job-clicks.ts';
import { JOB_QUERY } from './job-filter.ts';
import { JobPasts } from './job-past.ts';
import { readJob } from './job-view.ts';
import { readQuery } from '../read.ts';
import { showAt, type Asking } from './show.ts';

/**
 * One job, and what is done from its page. It reads the job; two listings of its runs, of 51
 * records and of what is drawn besides (41, or 11 where each is billed), or, where the history is
 * narrowed down, what is drawn and what is looked through (search.ts); its last 11 actions; and the
 * run that a form is filled in from.
 */
export function jobPage(deps: Deps): Router {
  const router = Router();
  const pasts = new JobPasts();

  showAt(router, '/jobs/:name', deps, async (asked, req: Asking) => {
    const name = req.params['name'] ?? '';
    const view = await readJob(asked, pasts, { name, query: readQuery(req, JOB_QUERY) });
    const { trail, filter } = view.history;
    // What is older does not change, and a search costs too much to be done again and again.
    const live = trail.length === 0 && filter.text === '';
    return { title: name, section: 'jobs', now: view.now, live, body: jobBody(view) };
  });
  router.use(jobClicks(deps, pasts), backfillRoutes(deps));
  return router;
}
