import { Router } from 'express';
import type { Deps } from '../core/deps.ts';
import { assetRoutes } from './assets.ts';
import { dashboardRoutes } from './dashboard.ts';
import { scheduleRoutes } from './schedule.ts';
import { systemRoutes } from './system.ts';

/** All that people look at. Loaded when somebody does: a trigger that wakes us needs none of it. */
export function pageRoutes(deps: Deps): Router {
  const router = Router();
  router.use(assetRoutes(), scheduleRoutes(deps), systemRoutes(deps), dashboardRoutes(deps));
  return router;
}
