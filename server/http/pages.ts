import { Router } from 'express';
import type { Deps } from '../core/deps.ts';
import { actionsPage } from './actions-page.ts';
import { assetRoutes } from './assets.ts';
import { JobList } from './job-list.ts';
import { jobPage } from './job-page.ts';
import { jobsPage } from './jobs-page.ts';
import { showProblem } from './problem-page.ts';
import { runPage } from './run-page.ts';
import { runsPage } from './runs-page.ts';
import { scheduleRoutes } from './schedule.ts';
import { systemRoutes } from './system.ts';
import { timelinePage } from './timeline-page.ts';

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
