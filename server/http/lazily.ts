import { Router, type ErrorRequestHandler, type Request } from 'express';

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

/** The same for what answers errors, of some requests alone. */
export function lazilyOnError(
  isFor: (req: Request) => boolean,
  load: () => Promise<ErrorRequestHandler>,
): ErrorRequestHandler {
  let loading: Promise<ErrorRequestHandler> | undefined;
  return async (error: unknown, req, res, next) => {
    if (!isFor(req)) return next(error);
    loading ??= load();
    const handler = await loading.catch(() => (loading = undefined));
    if (handler === undefined) next(error);
    else await handler(error, req, res, next);
  };
}
