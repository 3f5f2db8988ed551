import { Router } from 'express';
import type { Deps } from '../core/deps.ts';
import { wakeAll, wakeJob } from '../core/wake.ts';
import { findJob } from './api.ts';
import { HttpError } from './errors.ts';

/**
 * Wake-ups from outside. Nothing in their headers or bodies decides anything. 200 means that what
 * was due is on record, whatever becomes of it; 503 that the sender should come again.
 */
export function triggerRoutes(deps: Deps): Router {
  const router = Router();
  router.use((_req, _res, next) => {
    if (!deps.runner.draining) return next();
    const headers = { 'Retry-After': '5' };
    next(new HttpError(503, 'Unavailable', 'the service is shutting down', { headers }));
  });

  router.post('/tick', async (_req, res) => {
    const { started, unsteady } = await wakeAll(deps, {
      aheadMs: deps.timing.earlyMs,
      thorough: true,
    });
    res.json({ started, ...(unsteady !== null && { unsteady }) });
  });

  router.post('/jobs/:name', async (req, res) => {
    const { name } = findJob(deps, req.params.name);
    const { outcome, started } = await wakeJob(deps, name);
    res.json({ job: name, outcome, started: started.map(({ runId }) => runId) });
  });
  return router;
}
