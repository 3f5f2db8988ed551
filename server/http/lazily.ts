import { Router } from 'express';

/** A router whose routes are loaded by the first request that comes as far. */
export function lazily(load: () => Promise<Router>): Router {
  const router = Router();
  let loading: Promise<void> | undefined;
  router.use(async (_req, _res, next) => {
    loading ??= load().then((routes) => void router.use(routes));
    // What failed is tried again by the next request.
    await loading.catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    next();
  });
  return router;
}
