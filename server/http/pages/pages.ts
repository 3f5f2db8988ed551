import { Router } from 'express';
import type { Deps } from '../../core/deps.ts';
import { actionsPage } from './actions.ts';
import { assetRoutes } from './assets.ts';
import { JobList } from './job-list.ts';
import { jobPage } from './job.ts';
import { jobsPage } from './jobs.ts';
import { showProblem } from './problem-page.ts';
import { runPage } from './run.ts';
import { runsPage } from './runs.ts';
import { scheduleRoutes } from './schedule.ts';
import { systemRoutes } from './system.ts';
import { timelinePage } from './timeline.ts';

/** The HTML surface, with all that it loads: a trigger that starts the process needs none of it. */
export function pageRoutes(deps: Deps): Router {
  const router = Router();
  const pages = [jobPage, runPage, runsPage, actionsPage, scheduleRoutes];
  const jobList = new JobList(deps);
  const listing = [jobsPage, timelinePage, systemRoutes];
  router.use(assetRoutes(), ...pages.map((page) => page(deps)));
  router.use(...listing.map((page) => page(deps, jobList)), showProblem);
  return router;
}
