import { Router } from 'express';

/**
 * What App Engine asks an instance before it sends it anything. By the time that a request is
 * answered at all, the registry is read and its jobs are registered, so there is no more to do.
 */
export function platformRoutes(): Router {
  const router = Router();
  router.get(['/warmup', '/start'], (_req, res) => {
    res.json({ status: 'ok' });
  });
  return router;
}
