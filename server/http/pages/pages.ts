import { Router } from 'express';
import type { Deps } from '../../core/deps.ts';
import { actionsPage } from './actions.ts';
import { assetRoutes } from './assets.ts';
import { jobListOf } from './job-list.ts';
import { jobPage } from './job.ts';
import { loginRoutes, type Visits } from './login.ts';
import { ourForms } from './forms.ts';
import { jobsPage } from './jobs.ts';
import { showProblem } from './problem-page.ts';
import { runPage } from './run.ts';
import { runsPage } from './runs.ts';
import { scheduleRoutes } from './schedule.ts';
import { systemRoutes } from './system.ts';
import { timelinePage } from './timeline.ts';

/** The HTML surface, with all that it loads: a trigger that starts the process needs none of it. */
export function pageRoutes(deps: Deps, visits: Visits): Router {
  const router = Router();
  router.use(assetRoutes(), ourForms, loginRoutes(deps, visits));
  const pages = [jobPage, runPage, runsPage, actionsPage, scheduleRoutes];
  const jobList = jobListOf(deps);
  const listing = [jobsPage, timelinePage, systemRoutes];
  router.use(...pages.map((page) => page(deps)));
  router.use(...listing.map((page) => page(deps, jobList)), showProblem);
  return router;
}
